package dev.einfall.passes.cascade;

import dev.einfall.ir.BinaryOp;
import dev.einfall.ir.Size;
import dev.einfall.ir.cascade.Einsum;
import dev.einfall.ir.cascade.Expr;
import dev.einfall.ir.cascade.Rank;
import dev.einfall.ir.cascade.Tensor;
import java.util.ArrayList;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.IntStream;

/// An Einsum whose reduction may be taken in parts: see [SplitReductions].
final class PartialReduction {
  /// So many threads fill a GPU: a few hundred for each of some hundred multiprocessors.
  private static final long FULL = 1 << 16;
  /// Threads that reduce together what lies next to each other in memory.
  private static final long TOGETHER = 128;
  /// A product is computed in tiles of at least so many elements, and by so many threads.
  private static final long TILE = 32 * 32;
  private static final long TILE_THREADS = 256;
  /// A thread takes so many steps at least, and there are so many parts: less is not worth a launch.
  private static final long LEAST_STEPS = 64;
  private static final long LEAST_STEPS_TOGETHER = 16 * TOGETHER;
  private static final long FEWEST = 4;
  /// What one thread reduces at the end takes no longer than a part.
  private static final long MOST = 512;

  private final Einsum einsum;
  private final Expr reduction;
  private final Rank whole;
  private final long count;
  private final long length;
  private final Rank part;
  private final boolean isAlong;
  private final List<Tensor> tensors = new ArrayList<>();
  private final List<Einsum> parts = new ArrayList<>();

  private PartialReduction(Einsum einsum, Expr reduction, long wanted, boolean isAlong) {
    this.einsum = einsum;
    this.reduction = reduction;
    this.whole = reduction.bound().getFirst();
    long size = whole.size().value();
    long near = Math.min(wanted, size);
    long dividing = near;
    while (dividing > near / 2 && size % dividing != 0) {
      dividing--;
    }
    this.length = size % dividing == 0 ? size / dividing : (size + near - 1) / near;
    this.count = (size + length - 1) / length;
    this.part = new Rank("part", Size.of(count));
    this.isAlong = isAlong;
    define();
  }

  /// How `einsum` is computed in parts, if that is worth it.
  static Optional<PartialReduction> of(Einsum einsum) {
    List<Expr> reductions = einsum.value().nodes().filter(node -> !node.bound().isEmpty()).map(Expr::computation).distinct().toList();
    if (reductions.size() != 1 || reductions.getFirst() instanceof Expr.Reduce reduce && reduce.reduction().isPosition()
        || reductions.getFirst() instanceof Expr.Fold fold && !fold.combiner().associative()) {
      return Optional.empty();
    }
    Expr reduction = reductions.getFirst();
    long points = Exprs.volume(einsum.ranks());
    long steps = Exprs.volume(reduction.bound());
    boolean isAlong = isAlong(reduction);
    boolean isTogether = isAlong && reduction instanceof Expr.Reduce && !Products.isProduct(einsum);
    long threads = isTogether ? points * TOGETHER : Products.isProduct(einsum) ? (points + TILE - 1) / TILE * TILE_THREADS : points;
    long wanted = points == 0 ? 0 : Math.min(Math.min(FULL / threads, steps / (isTogether ? LEAST_STEPS_TOGETHER : LEAST_STEPS)),
        isTogether || reduction instanceof Expr.Fold ? FULL : MOST);
    return wanted < FEWEST || reduction.bound().getFirst().size().value() < FEWEST ? Optional.empty()
        : Optional.of(new PartialReduction(einsum, reduction, wanted, isAlong));
  }

  /// Whether neighbours among the steps read neighbours in memory.
  private static boolean isAlong(Expr reduction) {
    Rank last = reduction.bound().getLast();
    return reduction.operands().stream().flatMap(Exprs::accesses).filter(access -> Exprs.freeRanks(access).contains(last))
        .allMatch(access -> Exprs.freeRanks(access.indices().getLast()).contains(last));
  }

  Expr reduction() {
    return reduction;
  }

  long steps() {
    return Exprs.volume(reduction.bound());
  }

  /// The Einsums that compute the parts: one for each component of what is reduced.
  List<Einsum> parts() {
    return parts;
  }

  private void define() {
    int components = reduction instanceof Expr.Fold fold ? fold.bodies().size() : 1;
    for (int i = 0; i < components; i++) {
      Rank own = new Rank(part.name(), part.size());
      List<Rank> ranks = new ArrayList<>(einsum.ranks().stream().map(rank -> new Rank(rank.name(), rank.size())).toList());
      Map<Rank, Expr> places = new IdentityHashMap<>();
      for (int j = 0; j < ranks.size(); j++) {
        places.put(einsum.ranks().get(j), new Expr.Coordinate(ranks.get(j)));
      }
      ranks.add(isAlong ? ranks.size() : 0, own);
      Expr component = reduction instanceof Expr.Fold fold ? fold.withComponent(i) : reduction;
      Expr value = inPart(component, new Expr.Coordinate(own), places);
      Tensor tensor = new Tensor(einsum.tensor().name() + "_parts", value.type(), ranks.stream().map(Rank::size).toList(), einsum.span());
      tensors.add(tensor);
      parts.add(new Einsum(tensor, ranks, value, einsum.span()));
    }
  }

  /// `component` of the steps of one part.
  private Expr inPart(Expr component, Expr number, Map<Rank, Expr> places) {
    Rank step = new Rank(whole.name(), Size.of(length));
    Expr place = length == 1 ? number : new Expr.Binary(BinaryOp.ADD,
        new Expr.Binary(BinaryOp.MUL, number, Expr.index(length)), new Expr.Coordinate(step));
    List<Rank> ranks = new ArrayList<>(List.of(step));
    component.bound().stream().skip(1).forEach(rank -> ranks.add(new Rank(rank.name(), rank.size())));
    for (int i = 1; i < ranks.size(); i++) {
      places.put(component.bound().get(i), new Expr.Coordinate(ranks.get(i)));
    }
    places.put(whole, place);
    Expr placed = component.mapChildren(body -> Exprs.substitute(body, places));
    Expr guarded = count * length == whole.size().value() ? placed : guarded(placed, place);
    return Exprs.withRanks(guarded, ranks);
  }

  /// `reduction` with what leaves every other value unchanged, from the end of the rank on.
  private Expr guarded(Expr reduction, Expr place) {
    List<Expr> identity = reduction instanceof Expr.Fold fold ? fold.combiner().identity()
        : List.of(((Expr.Reduce) reduction).reduction().identity(reduction.type()));
    Expr inside = new Expr.Binary(BinaryOp.LT, place, Expr.index(whole.size().value()));
    List<Expr> bodies = reduction.operands();
    return reduction.mapChildren(body -> new Expr.Select(inside, body, identity.get(IntStream.range(0, bodies.size())
        .filter(i -> bodies.get(i) == body).findFirst().orElseThrow())));
  }

  /// The Einsum, of the parts.
  Einsum rest() {
    List<Expr> places = new ArrayList<>(Exprs.coordinates(einsum.ranks()));
    places.add(isAlong ? places.size() : 0, new Expr.Coordinate(part));
    List<Expr> values = tensors.stream().<Expr>map(tensor -> new Expr.Access(tensor, places)).toList();
    return einsum.withValue(Exprs.rewrite(einsum.value(), node -> switch (node) {
      case Expr.Reduce reduce -> new Expr.Reduce(reduce.reduction(), List.of(part), values.getFirst());
      case Expr.Fold fold -> new Expr.Fold(fold.combiner(), List.of(part), values, fold.component());
      case Expr.FloatLiteral _, Expr.IntLiteral _, Expr.Coordinate _, Expr.Extent _, Expr.Access _, Expr.Unary _, Expr.Binary _, Expr.Select _,
          Expr.Cast _, Expr.Bitcast _, Expr.Ref _ -> node;
    }));
  }
}
