package dev.einfall.passes.recurrence;

import dev.einfall.ir.BinaryOp;
import dev.einfall.ir.Size;
import dev.einfall.ir.cascade.Cascade;
import dev.einfall.ir.cascade.Expr;
import dev.einfall.ir.cascade.Rank;
import dev.einfall.ir.cascade.Recurrence;
import dev.einfall.ir.cascade.Tensor;
import dev.einfall.passes.cascade.Affine;
import dev.einfall.passes.cascade.Exprs;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.IdentityHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SequencedSet;

/// Takes the steps of a recurrence over two ranks a front at a time, whose points do not depend on each other.
///
/// ```
/// update D from D0 for i in 0..M, j in 0..N {
///   D[i + 1, j + 1] = min(D[i, j + 1], D[i + 1, j]) + C[i, j]
/// }
/// =>
/// update D from D0 for ij in 0..M + N - 1 {
///   D[i + 1, ij - i + 1] = min(D[i, ij - i + 1], D[i + 1, ij - i]) + C[i, ij - i] where ij - i >= 0 && ij - i < N
/// }
/// ```
///
/// A step at `(i, j)` needs what the steps at `(i, j) - d` wrote, with the same few distances `d` everywhere. Fronts `a * i + b * j` are
/// in order if `a * d[0] + b * d[1]` is at least 1 for all of them. Of the small `a` and `b` for which that is so, those with the fewest fronts are
/// taken; `(1, 0)` makes a front of a row.
final class SkewSteps {
  /// What a step needs: how far back it was written.
  private record Distance(long first, long second) {
    boolean isNone() {
      return first == 0 && second == 0;
    }

    boolean isBefore() {
      return first > 0 || first == 0 && second > 0;
    }
  }

  /// A direction in which fronts move.
  private record Front(int first, int second) {
    boolean keeps(Distance distance) {
      return first * distance.first + second * distance.second >= 1;
    }

    long count(long rows, long columns) {
      return first * (rows - 1) + second * (columns - 1) + 1;
    }
  }

  private static final List<Front> FRONTS =
      List.of(new Front(1, 0), new Front(0, 1), new Front(1, 1), new Front(2, 1), new Front(1, 2), new Front(3, 1), new Front(1, 3));

  private final Cascade cascade;
  private final Recurrence recurrence;

  SkewSteps(Cascade cascade, Recurrence recurrence) {
    this.cascade = cascade;
    this.recurrence = recurrence;
  }

  /// The cascade with the recurrence in fronts, if its steps depend on each other so.
  Optional<Cascade> skewed(StepRoles.Decline decline) {
    if (recurrence.steps().size() != 2 || recurrence.condition().isPresent()) {
      decline.because("fronts are for steps over two indices that no condition ends");
      return Optional.empty();
    }
    Optional<SequencedSet<Distance>> distances = distances();
    if (distances.isEmpty()) {
      decline.because("it does not read and write at fixed distances from each step");
      return Optional.empty();
    }
    long rows = recurrence.steps().getFirst().size().value();
    long columns = recurrence.steps().getLast().size().value();
    Optional<Front> front = FRONTS.stream().filter(candidate -> distances.get().stream().allMatch(candidate::keeps))
        .min(Comparator.comparingLong(candidate -> candidate.count(rows, columns)));
    if (front.isEmpty()) {
      decline.because("no fronts keep the order of its steps");
      return Optional.empty();
    }
    return Optional.of(cascade.withDefinitions(
        Recurrences.replaced(recurrence, List.of(along(front.get())), cascade.definitions())));
  }

  /// How far back the steps read; none if that is not the same for all steps, or some read what later ones write over.
  private Optional<SequencedSet<Distance>> distances() {
    SequencedSet<Distance> distances = new LinkedHashSet<>();
    for (Recurrence.State state : recurrence.states()) {
      List<Recurrence.Update> writers = recurrence.updates().stream().filter(update -> update.tensor() == state.tensor()).toList();
      List<Expr.Access> reads = recurrence.updates().stream().flatMap(Recurrence.Update::exprs).flatMap(Recurrences::accesses)
          .filter(access -> access.tensor() == state.tensor()).toList();
      Optional<Place> written = writers.size() == 1 ? place(writers.getFirst().indices()) : Optional.empty();
      if (written.isEmpty()) {
        return Optional.empty();
      }
      for (Expr.Access read : reads) {
        Optional<Distance> distance = place(read.indices()).flatMap(place -> place.from(written.get()));
        if (distance.filter(found -> found.isNone() || found.isBefore()).isEmpty()) {
          return Optional.empty();
        }
        distance.filter(found -> !found.isNone()).ifPresent(distances::add);
      }
    }
    return Optional.of(distances);
  }

  /// Where an access stands: at which dimensions the two steps are, and what is added to them.
  private record Place(int firstDimension, long first, int secondDimension, long second) {
    Optional<Distance> from(Place written) {
      boolean fits = firstDimension == written.firstDimension && secondDimension == written.secondDimension;
      return fits ? Optional.of(new Distance(written.first - first, written.second - second)) : Optional.empty();
    }
  }

  private Optional<Place> place(List<Expr> indices) {
    Rank first = recurrence.steps().getFirst();
    Rank second = recurrence.steps().getLast();
    return offset(indices, first).flatMap(row -> offset(indices, second)
        .filter(column -> column.dimension != row.dimension)
        .map(column -> new Place(row.dimension, row.offset, column.dimension, column.offset)));
  }

  private record Offset(int dimension, long offset) {}

  /// The one index that is `step` and a number.
  private static Optional<Offset> offset(List<Expr> indices, Rank step) {
    List<Integer> dimensions = new ArrayList<>();
    for (int i = 0; i < indices.size(); i++) {
      if (Exprs.freeRanks(indices.get(i)).contains(step)) {
        dimensions.add(i);
      }
    }
    return dimensions.size() != 1 ? Optional.empty() : Affine.of(indices.get(dimensions.getFirst()))
        .filter(affine -> affine.coefficients().size() == 1 && affine.coefficient(step) == 1)
        .map(affine -> new Offset(dimensions.getFirst(), affine.constant()));
  }

  private Recurrence along(Front front) {
    Rank rows = recurrence.steps().getFirst();
    Rank columns = recurrence.steps().getLast();
    Rank fronts = new Rank(front.second == 0 ? rows.name() : front.first == 0 ? columns.name() : rows.name() + columns.name(),
        Size.of(front.count(rows.size().value(), columns.size().value())));
    // The coordinate along the front is the one from which the other follows without a division; the shorter if both are.
    boolean alongRows = front.second == 1 && (front.first != 1 || rows.size().value() <= columns.size().value());
    Rank along = alongRows ? rows : columns;
    Rank other = alongRows ? columns : rows;
    int slope = alongRows ? front.first : front.second;
    Block block = new Block(recurrence);
    for (Recurrence.Update update : recurrence.updates()) {
      Rank rank = new Rank(along.name(), along.size());
      Expr across = slope == 0 ? new Expr.Coordinate(fronts) : new Expr.Binary(BinaryOp.SUB, new Expr.Coordinate(fronts),
          Terms.times(Expr.index(slope), new Expr.Coordinate(rank)));
      Map<Rank, Expr> values = new IdentityHashMap<>();
      values.put(along, new Expr.Coordinate(rank));
      values.put(other, across);
      Optional<Expr> inside = slope == 0 ? Optional.empty() : Optional.of(Terms.and(
          new Expr.Binary(BinaryOp.GE, across, Expr.index(0)),
          new Expr.Binary(BinaryOp.LT, across, Expr.index(other.size().value()))));
      add(block, update.mapExprs(expr -> Exprs.substitute(expr, values)), rank, inside);
    }
    return new Recurrence(List.of(fronts), recurrence.states(), block.updates(), Optional.empty(), recurrence.span());
  }

  private static void add(Block block, Recurrence.Update update, Rank rank, Optional<Expr> inside) {
    Optional<Expr> where = update.where().isEmpty() ? inside
        : Optional.of(inside.map(condition -> Terms.and(condition, update.where().get())).orElse(update.where().get()));
    block.updates().add(new Recurrence.Update(update.tensor(), Recurrences.with(rank, 0, update.ranks()), update.indices(),
        update.combination(), update.value(), where, update.span()));
  }
}
