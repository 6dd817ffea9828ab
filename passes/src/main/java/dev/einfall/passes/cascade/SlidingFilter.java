package dev.einfall.passes.cascade;

import dev.einfall.ir.BinaryOp;
import dev.einfall.ir.cascade.Einsum;
import dev.einfall.ir.cascade.Expr;
import dev.einfall.ir.cascade.Rank;
import dev.einfall.ir.cascade.Reduction;
import dev.einfall.ir.cascade.Tensor;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/// A sum of products of a constant and an input that is read at neighbouring places for neighbouring results, as by a convolution:
///
/// ```
/// Y[p, q, m] = .. sum[r, s, c](F[r, s, c, m] * (X[p + r - 1, q + s - 1, c] or 0.0)) ..      slides along p by r, and along q by s
/// ```
///
/// @param sum the only reduction in the value of `einsum`
/// @param filter the constant
/// @param input what is read around each place, 0 outside of its bounds
/// @param windows the ranks along which it slides, in the order of the dimensions of the input
record SlidingFilter(Einsum einsum, Expr.Reduce sum, Expr.Access filter, Expr.Access input, List<Window> windows) {

  /// One rank along which a filter slides: dimension `dimension` of the input is read at `place + tap + offset`.
  ///
  /// @param filterDimension the dimension of the filter that is `tap`
  record Window(Rank place, Rank tap, int dimension, int filterDimension, long offset) {}

  /// The filter in `einsum`, if it is one that slides along some rank.
  static Optional<SlidingFilter> of(Einsum einsum, Set<Tensor> constant) {
    List<Expr> reductions = einsum.value().nodes().filter(node -> !node.bound().isEmpty()).distinct().toList();
    if (reductions.size() != 1 || !(reductions.getFirst() instanceof Expr.Reduce sum) || sum.reduction() != Reduction.SUM
        || !sum.type().isFloat() || !(sum.body() instanceof Expr.Binary(BinaryOp op, Expr left, Expr right)) || op != BinaryOp.MUL
        || !(left instanceof Expr.Access first) || !(right instanceof Expr.Access second)) {
      return Optional.empty();
    }
    boolean filterFirst = constant.contains(first.tensor());
    Expr.Access filter = filterFirst ? first : second;
    Expr.Access input = filterFirst ? second : first;
    if (!constant.contains(filter.tensor()) || constant.contains(input.tensor()) || filter.outside().isPresent() || !isZero(input.outside())) {
      return Optional.empty();
    }
    List<Window> windows = windows(einsum, sum, filter, input);
    return windows.isEmpty() ? Optional.empty() : Optional.of(new SlidingFilter(einsum, sum, filter, input, windows));
  }

  private static boolean isZero(Optional<Expr> outside) {
    return outside.isEmpty() || outside.get() instanceof Expr.FloatLiteral literal && literal.value() == 0;
  }

  private static List<Window> windows(Einsum einsum, Expr.Reduce sum, Expr.Access filter, Expr.Access input) {
    List<Window> windows = new ArrayList<>();
    for (int dimension = 0; dimension < input.indices().size(); dimension++) {
      Optional<Affine> index = Affine.of(input.indices().get(dimension));
      if (index.isPresent() && index.get().coefficients().size() == 2) {
        for (Rank tap : sum.ranks()) {
          window(einsum, tap, dimension, index.get(), filter, input).ifPresent(windows::add);
        }
      }
    }
    return windows;
  }

  private static Optional<Window> window(
      Einsum einsum, Rank tap, int dimension, Affine index, Expr.Access filter, Expr.Access input) {
    int filterDimension = alone(filter, tap);
    return einsum.ranks().stream()
        .filter(place -> index.coefficient(place) == 1 && index.coefficient(tap) == 1 && filterDimension >= 0)
        .filter(place -> count(input, place) == 1 && count(input, tap) == 1 && count(filter, place) == 0)
        .map(place -> new Window(place, tap, dimension, filterDimension, index.constant())).findFirst();
  }

  /// The index of `access` that is `rank`, if no other depends on it; or else -1.
  private static int alone(Expr.Access access, Rank rank) {
    for (int i = 0; i < access.indices().size(); i++) {
      if (access.indices().get(i) instanceof Expr.Coordinate(Rank other) && other == rank) {
        return count(access, rank) == 1 ? i : -1;
      }
    }
    return -1;
  }

  private static long count(Expr.Access access, Rank rank) {
    return access.indices().stream().filter(index -> Exprs.freeRanks(index).contains(rank)).count();
  }

  /// The ranks that are summed over and not taps.
  List<Rank> summed() {
    return sum.ranks().stream().filter(rank -> windows.stream().noneMatch(window -> window.tap == rank)).toList();
  }

  /// The same filter, seen to slide along `some` of its windows alone.
  SlidingFilter along(List<Window> some) {
    return new SlidingFilter(einsum, sum, filter, input, some);
  }
}
