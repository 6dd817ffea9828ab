package dev.einfall.passes.cascade;

import dev.einfall.ir.BinaryOp;
import dev.einfall.ir.ElementType;
import dev.einfall.ir.Size;
import dev.einfall.ir.cascade.Einsum;
import dev.einfall.ir.cascade.Expr;
import dev.einfall.ir.cascade.Rank;
import dev.einfall.ir.cascade.Tensor;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.IntFunction;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/// A [SlidingFilter] by the values of polynomials at some points ([MinimalFilter]), window by window: of the filter, of the input in tiles, their
/// products, and what these are the values of.
///
/// @param filters what is made of the constant
/// @param inside what is made of the input, and the products
/// @param result what defines the tensor of the filter then
record FilterPoints(List<Einsum> filters, List<Einsum> inside, Einsum result) {

  /// `filter` in tiles of as many results along the window of each of `minimal`.
  static FilterPoints of(SlidingFilter filter, List<MinimalFilter> minimal) {
    return new Builder(filter, minimal).build();
  }

  /// A dimension of the products, and of what is made of them.
  ///
  /// @param place the rank of the results
  /// @param point the number of the window whose points it holds, or -1
  private record Axis(Rank place, int point) {
    boolean isPoint() {
      return point >= 0;
    }
  }

  private static final class Builder {
    private final SlidingFilter filter;
    private final List<MinimalFilter> minimal;
    private final ElementType type;
    private final List<Einsum> filters = new ArrayList<>();
    private final List<Einsum> inside = new ArrayList<>();

    Builder(SlidingFilter filter, List<MinimalFilter> minimal) {
      this.filter = filter;
      this.minimal = minimal;
      this.type = filter.einsum().tensor().type();
    }

    FilterPoints build() {
      Tensor atPoints = filterAtPoints();
      Tensor inputs = inputAtPoints();
      List<Axis> axes = axes();
      Tensor values = products(atPoints, inputs, axes);
      int last = windows().size() - 1;
      for (int window = 0; window < last; window++) {
        List<Axis> next = without(axes, window);
        values = unfinished(window, values, axes, next);
        axes = next;
      }
      return new FilterPoints(List.copyOf(filters), List.copyOf(inside), result(outputs(last, values, axes, ownPlaces(), Map.of())));
    }

    /// Those of the products: the points of all windows, then the places.
    private List<Axis> axes() {
      Set<Rank> ranks = Exprs.freeRanks(filter.sum());
      return Stream.concat(IntStream.range(0, windows().size()).mapToObj(window -> new Axis(null, window)),
          filter.einsum().ranks().stream().filter(ranks::contains).map(rank -> new Axis(rank, -1))).toList();
    }

    private Map<Rank, Expr> ownPlaces() {
      Map<Rank, Expr> places = new IdentityHashMap<>();
      filter.einsum().ranks().forEach(rank -> places.put(rank, new Expr.Coordinate(rank)));
      return places;
    }

    /// The Einsum of the filter with `value` in the place of its sum.
    private Einsum result(Expr value) {
      return filter.einsum().withValue(Exprs.rewrite(filter.einsum().value(), node -> node.equals(filter.sum()) ? value : node));
    }

    private List<SlidingFilter.Window> windows() {
      return filter.windows();
    }

    private int tiles(int window) {
      return Math.ceilDiv(windows().get(window).place().size().value(), minimal.get(window).outputs());
    }

    /// `F_points[i, c, m] = sum[r](filter[i][r] * F[r, c, m])`, one window after the other, whose points come first.
    private Tensor filterAtPoints() {
      Tensor from = filter.filter().tensor();
      List<Integer> rest = new ArrayList<>(IntStream.range(0, from.shape().size()).boxed().toList());
      for (int window = 0; window < windows().size(); window++) {
        List<Rank> points = pointRanks(window);
        Rank added = points.getLast();
        Map<Integer, Rank> others = new HashMap<>();
        int gone = windows().get(window).filterDimension();
        for (int dimension : rest) {
          if (dimension != gone) {
            others.put(dimension, rankOf(filter.filter(), dimension));
          }
        }
        List<Integer> before = List.copyOf(rest);
        rest.remove((Integer) gone);
        List<Rank> ranks = new ArrayList<>(points);
        rest.forEach(dimension -> ranks.add(others.get(dimension)));
        Tensor source = from;
        Expr value = cases(new Expr.Coordinate(added), minimal.get(window).filter(), tap -> {
          List<Expr> indices = new ArrayList<>(Exprs.coordinates(points.subList(0, points.size() - 1)));
          before.forEach(dimension -> indices.add(dimension == gone ? Expr.index(tap) : new Expr.Coordinate(others.get(dimension))));
          return new Expr.Access(source, indices);
        });
        from = define(filters, filter.filter().tensor().name(), ranks, value);
      }
      return from;
    }

    /// `X_points[i, p, c] = sum[a](input[i][a] * (X[outputs * p + a + offset, c] or 0.0))`, one window after the other, whose points come
    /// first.
    private Tensor inputAtPoints() {
      Tensor from = filter.input().tensor();
      for (int window = 0; window < windows().size(); window++) {
        int along = windows().get(window).dimension();
        long offset = windows().get(window).offset();
        int outputs = minimal.get(window).outputs();
        List<Rank> points = pointRanks(window);
        int outer = points.size() - 1;
        List<Rank> ranks = new ArrayList<>(points);
        for (int dimension = 0; dimension < filter.input().indices().size(); dimension++) {
          Size size = dimension == along ? Size.of(tiles(window)) : from.shape().get(outer + dimension);
          ranks.add(new Rank(dimension == along ? windows().get(window).place().name() : rankOf(filter.input(), dimension).name(), size));
        }
        Tensor source = from;
        Expr value = cases(new Expr.Coordinate(points.getLast()), minimal.get(window).input(), place -> {
          List<Expr> indices = new ArrayList<>(Exprs.coordinates(points.subList(0, outer)));
          for (int dimension = 0; dimension < filter.input().indices().size(); dimension++) {
            Rank rank = ranks.get(points.size() + dimension);
            indices.add(dimension == along ? Affine.constant(place + offset).plusCoordinate(rank, outputs).expr() : new Expr.Coordinate(rank));
          }
          return new Expr.Access(source, indices, Optional.of(Expr.literal(type, 0)));
        });
        from = define(inside, filter.input().tensor().name(), ranks, value);
      }
      return from;
    }

    /// `Y_points[i, p, m] = sum[c](F_points[i, c, m] * X_points[i, p, c])`.
    private Tensor products(Tensor atPoints, Tensor inputs, List<Axis> axes) {
      List<Rank> ranks = axes.stream().map(axis -> rank(axis, true)).toList();
      List<Expr> points = Exprs.coordinates(ranks.subList(0, windows().size()));
      Map<Rank, Expr> places = new IdentityHashMap<>();
      for (int i = 0; i < axes.size(); i++) {
        if (!axes.get(i).isPoint()) {
          places.put(axes.get(i).place(), new Expr.Coordinate(ranks.get(i)));
        }
      }
      List<Expr> ofFilter = new ArrayList<>(points);
      for (int i = 0; i < filter.filter().indices().size(); i++) {
        int dimension = i;
        if (windows().stream().noneMatch(window -> window.filterDimension() == dimension)) {
          ofFilter.add(Exprs.substitute(filter.filter().indices().get(i), places));
        }
      }
      List<Expr> ofInput = new ArrayList<>(points);
      for (int i = 0; i < filter.input().indices().size(); i++) {
        int dimension = i;
        Optional<SlidingFilter.Window> window = windows().stream().filter(one -> one.dimension() == dimension).findFirst();
        ofInput.add(window.map(one -> places.get(one.place())).orElseGet(() -> Exprs.substitute(filter.input().indices().get(dimension), places)));
      }
      Expr left = new Expr.Access(atPoints, ofFilter);
      Expr right = new Expr.Access(inputs, ofInput, isReadOutside() ? Optional.of(Expr.literal(type, 0)) : Optional.empty());
      Expr sum = new Expr.Reduce(filter.sum().reduction(), filter.summed(), new Expr.Binary(BinaryOp.MUL, left, right));
      return define(inside, filter.einsum().tensor().name(), ranks, Exprs.freshRanks(sum));
    }

    /// Whether a dimension along which nothing slides is read outside of its bounds.
    private boolean isReadOutside() {
      return filter.input().outside().isPresent() && IntStream.range(0, filter.input().indices().size())
          .filter(dimension -> windows().stream().noneMatch(window -> window.dimension() == dimension))
          .anyMatch(dimension -> Affine.of(filter.input().indices().get(dimension))
              .filter(index -> index.isWithin(filter.input().tensor().shape().get(dimension).value())).isEmpty());
    }

    /// What is left of `values` when the points of `window` are results.
    private Tensor unfinished(int window, Tensor values, List<Axis> axes, List<Axis> next) {
      Map<Rank, Expr> places = new IdentityHashMap<>();
      Map<Integer, Expr> points = new HashMap<>();
      List<Rank> ranks = new ArrayList<>();
      for (Axis axis : next) {
        boolean isTile = !axis.isPoint() && IntStream.range(window + 1, windows().size()).anyMatch(other -> windows().get(other).place() == axis.place());
        Rank rank = rank(axis, isTile);
        ranks.add(rank);
        if (axis.isPoint()) {
          points.put(axis.point(), new Expr.Coordinate(rank));
        } else {
          places.put(axis.place(), new Expr.Coordinate(rank));
        }
      }
      return define(inside, filter.einsum().tensor().name(), ranks, outputs(window, values, axes, places, points));
    }

    /// `sum[i](output[p % outputs][i] * values[.. i .. p / outputs ..])`.
    private Expr outputs(int window, Tensor values, List<Axis> axes, Map<Rank, Expr> places, Map<Integer, Expr> points) {
      Rank along = windows().get(window).place();
      Expr outputs = Expr.index(minimal.get(window).outputs());
      Expr which = new Expr.Binary(BinaryOp.MOD, places.get(along), outputs);
      Expr tile = new Expr.Binary(BinaryOp.DIV, places.get(along), outputs);
      return cases(which, minimal.get(window).output(), point -> new Expr.Access(values, axes.stream().map(axis ->
          axis.isPoint() ? (axis.point() == window ? Expr.index(point) : points.get(axis.point()))
              : axis.place() == along ? tile : places.get(axis.place())).toList()));
    }

    /// The axes without the points of `window`; those that are left stand inside of the places that they belong to.
    private List<Axis> without(List<Axis> axes, int window) {
      List<Axis> next = new ArrayList<>();
      for (Axis axis : axes) {
        if (!axis.isPoint()) {
          next.add(axis);
          IntStream.range(window + 1, windows().size()).filter(other -> windows().get(other).place() == axis.place())
              .forEach(other -> next.add(new Axis(null, other)));
        }
      }
      return next;
    }

    private Rank rank(Axis axis, boolean isTile) {
      if (axis.isPoint()) {
        return new Rank(windows().get(axis.point()).tap().name(), Size.of(MinimalFilter.POINTS));
      }
      int window = IntStream.range(0, windows().size()).filter(i -> windows().get(i).place() == axis.place()).findFirst().orElse(-1);
      return new Rank(axis.place().name(), isTile && window >= 0 ? Size.of(tiles(window)) : axis.place().size());
    }

    /// New ranks for the points of all windows up to `last`.
    private List<Rank> pointRanks(int last) {
      return IntStream.rangeClosed(0, last).mapToObj(window -> rank(new Axis(null, window), false)).toList();
    }

    /// A new rank along a dimension of `access`, named as the one that is its index.
    private static Rank rankOf(Expr.Access access, int dimension) {
      String name = access.indices().get(dimension) instanceof Expr.Coordinate(Rank rank) ? rank.name() : "x";
      return new Rank(name, access.tensor().shape().get(dimension));
    }

    private Tensor define(List<Einsum> list, String name, List<Rank> ranks, Expr value) {
      Tensor tensor = new Tensor(name + "_points", type, ranks.stream().map(Rank::size).toList(), filter.einsum().span());
      list.add(new Einsum(tensor, ranks, value, filter.einsum().span()));
      return tensor;
    }

    /// `where(which == 0, .., where(which == 1, .., ..))`, each a sum of `term`s weighted by a row.
    private Expr cases(Expr which, double[][] rows, IntFunction<Expr> term) {
      Expr value = combination(rows[rows.length - 1], term);
      for (int row = rows.length - 2; row >= 0; row--) {
        value = new Expr.Select(new Expr.Binary(BinaryOp.EQ, which, Expr.index(row)), combination(rows[row], term), value);
      }
      return value;
    }

    /// The sum of the terms that have a weight, one with a positive one first.
    private Expr combination(double[] weights, IntFunction<Expr> term) {
      List<Integer> order = new ArrayList<>(IntStream.range(0, weights.length).filter(i -> weights[i] > 0).boxed().toList());
      IntStream.range(0, weights.length).filter(i -> weights[i] < 0).forEach(order::add);
      Expr sum = null;
      for (int i : order) {
        double weight = Math.abs(weights[i]);
        Expr product = weight == 1 ? term.apply(i) : new Expr.Binary(BinaryOp.MUL, term.apply(i), Expr.literal(type, weight));
        sum = sum == null ? product : new Expr.Binary(weights[i] < 0 ? BinaryOp.SUB : BinaryOp.ADD, sum, product);
      }
      return sum;
    }
  }
}
