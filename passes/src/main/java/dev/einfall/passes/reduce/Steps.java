package dev.einfall.passes.reduce;

import dev.einfall.ir.BinaryOp;
import dev.einfall.ir.ElementType;
import dev.einfall.ir.Size;
import dev.einfall.ir.Span;
import dev.einfall.ir.cascade.Expr;
import dev.einfall.ir.cascade.Rank;
import dev.einfall.ir.cascade.Recurrence;
import dev.einfall.ir.cascade.Tensor;
import dev.einfall.passes.cascade.Exprs;
import java.util.ArrayList;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/// A recurrence over tiles of a rank while it is being written. Its expressions are in the chain's ranks, the rank `part` if the
/// rank is cut into parts that are gone through side by side, and the rank `lane` inside a tile; each update gets ranks of its own.
final class Steps {
  private final Chain chain;
  private final TileShape shape;
  private final Span span;
  private final Rank step;
  private final Optional<Rank> part;
  private final Optional<Rank> lane;
  private final List<Recurrence.State> states = new ArrayList<>();
  private final List<Recurrence.Update> updates = new ArrayList<>();
  private Optional<Expr> guard = Optional.empty();
  private final Set<Tensor> temporaries = Exprs.identitySet();

  /// How a rank is cut: `parts` side by side, of `tiles` tiles each, of `lanes` elements each.
  record TileShape(long extent, long lanes, long tiles, long parts) {
    static TileShape of(long extent, long tile, long parts) {
      long lanes = Math.min(tile, extent);
      long all = (extent + lanes - 1) / lanes;
      long used = Math.min(parts, all);
      long each = (all + used - 1) / used;
      return new TileShape(extent, lanes, each, (all + each - 1) / each);
    }

    /// Whether some tile has elements beyond the end.
    boolean hasTail() {
      return parts * tiles * lanes != extent;
    }
  }

  Steps(Chain chain, TileShape shape, Span span) {
    this.chain = chain;
    this.shape = shape;
    this.span = span;
    String name = chain.rank().name();
    step = new Rank(name + "1", Size.of(shape.tiles()));
    part = shape.parts() > 1 ? Optional.of(new Rank(name + "2", Size.of(shape.parts()))) : Optional.empty();
    lane = shape.lanes() > 1 ? Optional.of(new Rank(name + "0", Size.of(shape.lanes()))) : Optional.empty();
  }

  TileShape shape() {
    return shape;
  }

  Optional<Rank> part() {
    return part;
  }

  Optional<Rank> lane() {
    return lane;
  }

  Rank step() {
    return step;
  }

  /// The number of the tile, counted from the start of the rank.
  private Expr tileNumber() {
    Expr number = new Expr.Coordinate(step);
    return part.map(rank -> shape.tiles() == 1 ? (Expr) new Expr.Coordinate(rank)
        : plus(times(new Expr.Coordinate(rank), shape.tiles()), number)).orElse(number);
  }

  /// The first coordinate of the tile.
  Expr firstElement() {
    return times(tileNumber(), shape.lanes());
  }

  /// Whether `expr` is the coordinate of the rank that is gone through.
  boolean isReduced(Expr expr) {
    return expr instanceof Expr.Coordinate(Rank rank) && rank == chain.rank();
  }

  /// The coordinate of the element at hand.
  Expr element() {
    return lane.map(rank -> plus(firstElement(), new Expr.Coordinate(rank))).orElseGet(this::firstElement);
  }

  private static Expr times(Expr index, long factor) {
    return factor == 1 ? index : new Expr.Binary(BinaryOp.MUL, index, Expr.index(factor));
  }

  private static Expr plus(Expr left, Expr right) {
    return new Expr.Binary(BinaryOp.ADD, left, right);
  }

  /// How many elements have been seen after this step, of those of the part.
  Expr seen() {
    Expr end = times(plus(new Expr.Coordinate(step), Expr.index(1)), shape.lanes());
    if (!shape.hasTail()) {
      return end;
    }
    Expr length = part.<Expr>map(rank -> new Expr.Binary(BinaryOp.SUB, Expr.index(shape.extent()),
        times(new Expr.Coordinate(rank), shape.tiles() * shape.lanes()))).orElse(Expr.index(shape.extent()));
    return new Expr.Binary(BinaryOp.MIN, end, length);
  }

  /// Whether the element at hand exists, if some do not.
  Optional<Expr> exists() {
    return shape.hasTail() ? Optional.of(new Expr.Binary(BinaryOp.LT, element(), Expr.index(shape.extent()))) : Optional.empty();
  }

  /// The ranks of the chain that `expr` reads, in the chain's order, after `part`.
  List<Rank> ranksOf(Expr expr) {
    return ranks(Exprs.freeRanks(expr));
  }

  /// The ranks that all members of the chain have and those that are in `free`, in the chain's order, after `part`. Everything
  /// has the common ranks, so that the steps can be taken apart along them.
  List<Rank> ranks(Set<Rank> free) {
    List<Rank> ranks = new ArrayList<>(part.stream().toList());
    List<Rank> common = chain.common();
    chain.ranks().stream().filter(rank -> free.contains(rank) || common.contains(rank)).forEach(ranks::add);
    return ranks;
  }

  /// A tensor that lives through the steps, and starts as `start`.
  Tensor state(String name, ElementType type, List<Rank> ranks, Expr start) {
    Tensor tensor = new Tensor(name, type, ranks.stream().map(Rank::size).toList(), span);
    states.add(new Recurrence.State(tensor, new Recurrence.Start.Fill(start)));
    return tensor;
  }

  /// A tensor that is written in each step before it is read.
  Tensor temporary(String name, ElementType type, List<Rank> ranks) {
    Tensor tensor = state(name, type, ranks, Expr.literal(type, 0));
    temporaries.add(tensor);
    return tensor;
  }

  /// Leaves out, from now on, what is written where `condition` does not hold.
  void guard(Optional<Expr> condition) {
    guard = condition;
  }

  /// Whether some tiles are left out.
  boolean isGuarded() {
    return guard.isPresent();
  }

  /// Writes `tensor` at all points of `ranks`, but where the guard does not hold.
  void write(Tensor tensor, List<Rank> ranks, Expr value) {
    List<Rank> own = ranks.stream().map(rank -> new Rank(rank.name(), rank.size())).toList();
    Map<Rank, Expr> renamed = new IdentityHashMap<>();
    for (int i = 0; i < own.size(); i++) {
      renamed.put(ranks.get(i), new Expr.Coordinate(own.get(i)));
    }
    updates.add(new Recurrence.Update(tensor, own, Exprs.coordinates(own), Optional.empty(),
        Exprs.substitute(Exprs.freshRanks(value), renamed),
        guard.map(condition -> Exprs.substitute(Exprs.freshRanks(condition), renamed)), span));
  }

  /// The recurrence, in which temporaries that are read once are computed there.
  Recurrence recurrence() {
    List<Recurrence.Update> kept = new SingleUses(temporaries).in(updates);
    List<Recurrence.State> written = states.stream()
        .filter(state -> kept.stream().anyMatch(update -> update.tensor() == state.tensor())).toList();
    return new Recurrence(List.of(step), written, kept, Optional.empty(), span);
  }
}
