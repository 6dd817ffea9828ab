package dev.einfall.passes.cascade;

import dev.einfall.ir.cascade.Einsum;
import dev.einfall.ir.cascade.Expr;
import dev.einfall.ir.cascade.Rank;
import dev.einfall.ir.cascade.Tensor;
import dev.einfall.passes.Target;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/// An estimate of the cycles that an Einsum takes with a tiling, on one core with everything in cache.
///
/// A step of a tile takes as long as its arithmetic (two operations a cycle), its loads (two a cycle), or the latency of
/// one accumulation (four cycles), whichever is longest. Rows and vectors beyond the last whole tile are smaller tiles.
///
/// @param constant the tensors whose layout may be changed at no cost to a run
record CostModel(Target target, Set<Tensor> constant) {
  private static final double OPERATIONS_PER_CYCLE = 2;
  private static final double LOADS_PER_CYCLE = 2;
  private static final double ACCUMULATE_LATENCY = 4;
  private static final double TILE_OVERHEAD = 12;
  private static final double HORIZONTAL_REDUCTION = 12;
  private static final double STRIDED_LANE = 1.5;
  private static final double PACK_ELEMENT = 2;

  double cycles(Einsum einsum, Tiling tiling) {
    Optional<Expr.Reduce> reduce = Exprs.reductions(einsum.value()).findFirst();
    List<Rank> reduced = reduce.map(Expr.Reduce::ranks).orElse(List.of());
    if (tiling.vector().filter(reduced::contains).isPresent()) {
      return alongReduction(einsum, reduce.orElseThrow(), tiling);
    }
    long others = 1;
    for (Rank rank : einsum.ranks()) {
      boolean tiled = tiling.vector().filter(v -> v == rank).isPresent() || tiling.row().filter(r -> r == rank).isPresent();
      others *= tiled ? 1 : rank.size().value();
    }
    double tiles = 0;
    for (int[] rows : pieces(tiling.row(), tiling.rows())) {
      for (int[] width : widths(tiling)) {
        tiles += (double) rows[1] * width[2] * tile(einsum, reduce, reduced, tiling, rows[0], width[0], width[1]);
      }
    }
    return others * tiles + packing(einsum, reduced, tiling);
  }

  /// The cycles of one tile of `rows` x `vectors` vectors of `lanes`.
  private double tile(Einsum einsum, Optional<Expr.Reduce> reduce, List<Rank> reduced, Tiling tiling, int rows, int vectors, int lanes) {
    long steps = Exprs.volume(reduced);
    double epilogue = operations(einsum.value(), reduce) * rows * vectors / OPERATIONS_PER_CYCLE + TILE_OVERHEAD;
    if (reduce.isEmpty()) {
      double loads = loads(einsum.value(), List.of(), tiling, rows, vectors, lanes) / LOADS_PER_CYCLE;
      return Math.max(epilogue, loads + stores(einsum, tiling, rows, vectors, lanes));
    }
    double arithmetic = Math.max(1, Exprs.operations(reduce.get().body())) * rows * vectors / OPERATIONS_PER_CYCLE;
    double loads = loads(reduce.get().body(), reduced, tiling, rows, vectors, lanes) / LOADS_PER_CYCLE;
    return steps * Math.max(Math.max(arithmetic, loads), ACCUMULATE_LATENCY) + epilogue
        + stores(einsum, tiling, rows, vectors, lanes);
  }

  /// The cycles of storing a tile: one a vector if its lanes are neighbours in the output.
  private static double stores(Einsum einsum, Tiling tiling, int rows, int vectors, int lanes) {
    boolean contiguous = tiling.vector().isEmpty() || tiling.vector().get() == einsum.ranks().getLast();
    return rows * vectors * (contiguous ? 1 : lanes * STRIDED_LANE);
  }

  private static long operations(Expr value, Optional<Expr.Reduce> reduce) {
    return Exprs.operations(value) - reduce.map(Exprs::operations).orElse(0L) + 1;
  }

  /// The load instructions of one step. Operands with a rank of `reduced` count as packed if they can be.
  private double loads(Expr expr, List<Rank> reduced, Tiling tiling, int rows, int vectors, int lanes) {
    return Exprs.accesses(expr).distinct().mapToDouble(access -> {
      Set<Rank> ranks = Exprs.freeRanks(access);
      double count = tiling.row().filter(ranks::contains).isPresent() ? rows : 1;
      if (tiling.vector().filter(ranks::contains).isEmpty()) {
        return count;
      }
      boolean contiguous = isContiguous(access, tiling.vector().get())
          || reduced.stream().anyMatch(ranks::contains) && isPackable(access);
      return count * vectors * (contiguous || lanes == 1 ? 1 : lanes * STRIDED_LANE);
    }).sum();
  }

  /// The cycles of a dot product for each output: the vector rank is reduced.
  private double alongReduction(Einsum einsum, Expr.Reduce reduce, Tiling tiling) {
    Rank vector = tiling.vector().orElseThrow();
    long outer = Exprs.volume(reduce.ranks()) / Math.max(1, vector.size().value());
    double steps = outer * (vector.size().value() / tiling.lanes() + 2.0 * (vector.size().value() % tiling.lanes()));
    double arithmetic = Math.max(1, Exprs.operations(reduce.body())) / OPERATIONS_PER_CYCLE;
    double loads = loads(reduce.body(), List.of(), tiling, 1, 1, tiling.lanes()) / LOADS_PER_CYCLE;
    double latency = ACCUMULATE_LATENCY / tiling.vectors();
    double point = steps * Math.max(Math.max(arithmetic, loads), latency) + HORIZONTAL_REDUCTION + TILE_OVERHEAD;
    return Exprs.volume(einsum.ranks()) * point;
  }

  /// The cycles that copying operands into panels takes in every run.
  private double packing(Einsum einsum, List<Rank> reduced, Tiling tiling) {
    if (tiling.vector().isEmpty() || reduced.isEmpty()) {
      return 0;
    }
    return Exprs.accesses(einsum.value()).distinct()
        .filter(access -> reduced.stream().anyMatch(Exprs.freeRanks(access)::contains))
        .filter(access -> isPackable(access) && !isContiguous(access, tiling.vector().get()))
        .filter(access -> !constant.contains(access.tensor()))
        .mapToDouble(access -> PACK_ELEMENT * Exprs.volume(List.copyOf(Exprs.freeRanks(access))))
        .sum();
  }

  /// Whether neighbouring lanes of `access` are neighbours in memory, or the same element.
  static boolean isContiguous(Expr.Access access, Rank vector) {
    return Affine.stride(access, vector).filter(stride -> stride == 0 || stride == 1).isPresent();
  }

  /// Whether `PackOperands` would copy the operand into panels if its lanes were not neighbours.
  static boolean isPackable(Expr.Access access) {
    return access.outside().isEmpty()
        && access.indices().stream().allMatch(index -> Affine.of(index).isPresent());
  }

  /// `{rows, count}` of the tiles of a rank.
  private static List<int[]> pieces(Optional<Rank> rank, int size) {
    if (rank.isEmpty()) {
      return List.of(new int[] {1, 1});
    }
    int extent = rank.get().size().value();
    return extent % size == 0 ? List.of(new int[] {size, extent / size})
        : List.of(new int[] {size, extent / size}, new int[] {extent % size, 1});
  }

  /// `{vectors, lanes, count}` of the tiles of the vector rank: whole ones, then ever smaller powers of two.
  private static List<int[]> widths(Tiling tiling) {
    if (tiling.vector().isEmpty()) {
      return List.of(new int[] {1, 1, 1});
    }
    List<int[]> widths = new java.util.ArrayList<>();
    int rest = tiling.vector().get().size().value();
    widths.add(new int[] {tiling.vectors(), tiling.lanes(), rest / tiling.width()});
    rest %= tiling.width();
    for (int lanes = tiling.lanes(); lanes >= 1 && rest > 0; lanes /= 2) {
      widths.add(new int[] {1, lanes, rest / lanes});
      rest %= lanes;
    }
    return widths;
  }
}
