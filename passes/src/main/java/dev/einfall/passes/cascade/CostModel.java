package dev.einfall.passes.cascade;

import dev.einfall.ir.BinaryOp;
import dev.einfall.ir.cascade.Einsum;
import dev.einfall.ir.cascade.Expr;
import dev.einfall.ir.cascade.Rank;
import dev.einfall.ir.cascade.Tensor;
import dev.einfall.ir.loop.TileShape;
import dev.einfall.passes.Speeds;
import dev.einfall.passes.Target;
import dev.einfall.passes.loop.DeferScales;
import dev.einfall.passes.loop.UnrollLoops;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.Predicate;

/// An estimate of the cycles that an Einsum takes with a tiling, on one core with everything in cache. Copying constant
/// operands costs nothing: it is done once.
///
/// A step of a tile takes as long as its arithmetic, its loads, or the latency of one accumulation, whichever is longest, and a part of
/// the shorter of the first two, which do not hide each other wholly, at the [Speeds] of the target. Rows and vectors beyond the last whole
/// tile are smaller tiles; entering their loops counts where both operands are in the first-level cache: from further away, a tall
/// first tile computes while what it reads arrives, and the smaller one finds it near.
final class CostModel {
  private static final double TILE_OVERHEAD = 12;
  private static final double LOOP_OVERHEAD = 1;
  /// Entering a loop inside of others, if the JIT does not unroll all of it: it does where the turns have no more operations than this
  /// together. Measured on JDK 25, by the exponentials of a selective scan in tiles of 2, 4 and 8 vectors.
  private static final double LOOP_ENTRY = 24;
  private static final double UNROLLED_OPERATIONS = 48;
  /// The vectors of a row that needs no other unrolling than by the JIT, which finds a better order: of the state of a gated linear
  /// attention, rows of 4 vectors take 1.15 times as long unrolled before.
  private static final int SHORT_ROW = 4;
  /// How much of the shorter of arithmetic and loads the other does not hide: tiles of 2 x 12 vectors take 1.1 times as long as those of
  /// 4 x 6, and tiles of 1 x 24 1.25 times.
  private static final double UNHIDDEN = 0.3;
  /// How many times as long a step takes whose copies are too long to be unrolled, so that its sums are in memory: of 16 rows by 4,096 x 4,096 codes of two bits, whose steps have 14
  /// operations on bits, tiles of 6 rows of 4 vectors take 2.6 times as long as those of 2.
  private static final double IN_MEMORY = 2.6;
  /// The sum of the lanes of a vector.
  private static final double HORIZONTAL_REDUCTION = 12;
  /// How many lines with one place in it the first-level cache keeps, with those of other operands, and how far apart they are.
  private static final int WAYS = 8;
  private static final int SET_STRIDE = 4096;
  private static final double PACK_ELEMENT = 2;
  /// How many times as long as four at once bytes of tables take one by one.
  private static final double BYTE_BY_BYTE = 16;
  /// The same where whole vectors are read, and their lanes stored between each other.
  private static final double INTERLEAVE_ELEMENT = 0.5;

  private final Target target;
  private final Speeds speeds;
  private final Set<Tensor> constant;
  private final Predicate<Expr.Access> isCopied;
  private final double runs;
  private final Einsum einsum;
  private final Optional<Expr.Reduce> reduce;
  private final List<Rank> reduced;
  private final List<Operand> inside;
  private final List<Operand> all;
  private final long insideOperations;
  private final long outsideOperations;
  private final boolean choosesBytes;

  /// An access, the ranks that it depends on, and whether it is read for every coordinate of a reduced rank.
  private record Operand(Expr.Access access, Set<Rank> ranks, boolean isReduced, boolean isPackable) {}

  /// The model of one Einsum.
  ///
  /// @param constant the tensors that weights alone determine
  /// @param fused the tensors that Einsums of the same group define: there is no place to copy them between
  CostModel(Target target, Einsum einsum, Set<Tensor> constant, List<Tensor> fused) {
    this(target, einsum, constant, access -> !fused.contains(access.tensor()), 1);
  }

  /// The model of an Einsum that runs many times.
  ///
  /// @param constant the tensors that weights alone determine
  /// @param isCopied whether what is read can be copied before the first run
  CostModel(Target target, Einsum einsum, Set<Tensor> constant, Predicate<Expr.Access> isCopied, double runs) {
    this.target = target;
    this.speeds = target.speeds();
    this.einsum = einsum;
    this.constant = constant;
    this.isCopied = isCopied;
    this.runs = runs;
    Expr value = Exprs.withoutChoices(einsum.value());
    this.reduce = Exprs.reductions(value).findFirst();
    this.reduced = reduce.map(Expr.Reduce::ranks).orElse(List.of());
    this.all = Exprs.accesses(value).distinct().map(this::operand).toList();
    this.inside = reduce.stream().flatMap(r -> Exprs.accesses(r.body())).distinct().map(this::operand).toList();
    this.insideOperations = reduce.map(r -> Math.max(1, Exprs.operations(r.body()))).orElse(0L);
    this.choosesBytes = ShortRows.choosesBytes(value);
    this.outsideOperations = Exprs.operations(value) - reduce.map(Exprs::operations).orElse(0L) + 1;
  }

  private Operand operand(Expr.Access access) {
    Set<Rank> ranks = Exprs.freeRanks(access);
    return new Operand(access, ranks, reduced.stream().anyMatch(ranks::contains),
        isPackable(access) && isCopied.test(access));
  }

  /// Whether what `access` reads can be copied into panels before the loops begin.
  boolean canCopy(Expr.Access access) {
    return constant.contains(access.tensor()) || isCopied.test(access);
  }

  double cycles(Tiling tiling) {
    if (tiling.tile().isPresent()) {
      return byTiles(tiling, tiling.tile().get());
    }
    if (tiling.vector().filter(reduced::contains).isPresent()) {
      return alongReduction(tiling);
    }
    long others = 1;
    for (Rank rank : einsum.ranks()) {
      boolean tiled = tiling.vector().filter(v -> v == rank).isPresent() || tiling.row().filter(r -> r == rank).isPresent();
      others *= tiled ? 1 : rank.size().value();
    }
    if (others > 1 && reduce.isEmpty() && isShortRow(tiling) && isUnrolled(tiling)) {
      return others * unrolled(tiling) + packing(tiling);
    }
    double tiles = 0;
    for (int[] rows : pieces(tiling.row(), tiling.rows())) {
      for (int[] width : widths(tiling)) {
        tiles += (double) rows[1] * width[2] * tile(tiling, rows[0], width[0], width[1]);
        tiles += rows[0] == tiling.rows() || !isWholeRow(tiling) ? 0 : width[2] * speeds.tail();
      }
    }
    return others * (tiles + (others == 1 || isUnrolled(tiling) ? 0 : LOOP_ENTRY)) + packing(tiling);
  }

  /// The cycles by instructions that multiply tiles: those of a product are as many as it has rows, and those of loading a tile half as many. Each sum is
  /// stored, and loaded again for what is done with it.
  private double byTiles(Tiling tiling, TileShape tile) {
    double cycles = 0;
    for (int[] rows : pieces(tiling.row(), tiling.rows())) {
      for (int[] columns : pieces(tiling.vector(), tiling.width())) {
        double across = Math.ceilDiv(columns[0], tile.columns());
        double loaded = (rows[0] + across * tile.rows()) / 2.0;
        double sums = rows[0] * across;
        double outside = (outsideOperations / speeds.operations() + 2) * sums;
        cycles += (double) rows[1] * columns[1] * (Exprs.volume(reduced) / tile.steps() * Math.max(sums, loaded) + outside + TILE_OVERHEAD);
      }
    }
    List<Rank> tiled = List.of(tiling.row().orElseThrow(), tiling.vector().orElseThrow());
    return cycles * Exprs.volume(einsum.ranks().stream().filter(rank -> !tiled.contains(rank)).toList());
  }

  private static boolean isShortRow(Tiling tiling) {
    return tiling.row().isEmpty() && tiling.vector().filter(vector -> vector.size().value() <= SHORT_ROW * tiling.lanes()).isPresent();
  }

  /// The cycles of a row of an elementwise Einsum that the JIT unrolls: as of one tile, whatever is unrolled before.
  private double unrolled(Tiling tiling) {
    int vectors = Math.ceilDiv(tiling.vector().orElseThrow().size().value(), tiling.lanes());
    return tile(tiling, 1, vectors, tiling.lanes());
  }

  /// Whether the loop over the tiles of an elementwise Einsum vanishes. A reduction has its own loop inside.
  private boolean isUnrolled(Tiling tiling) {
    double turns = tiling.vector().map(vector -> (double) vector.size().value() / tiling.width()).orElse(1.0);
    return reduce.isPresent() || turns <= 1 || turns * tiling.vectors() * outsideOperations <= UNROLLED_OPERATIONS;
  }

  /// The cycles of one tile of `rows` x `vectors` vectors of `lanes`.
  private double tile(Tiling tiling, int rows, int vectors, int lanes) {
    double outside = outsideOperations * rows * vectors / speeds.operations();
    double stores = stores(tiling, rows, vectors, lanes);
    if (reduce.isEmpty()) {
      return Math.max(outside, loads(all, tiling, rows, vectors, lanes) / speeds.loads() + stores) + LOOP_OVERHEAD;
    }
    double arithmetic = arithmetic(tiling, rows, vectors) / speeds.operations();
    double loads = loads(inside, tiling, rows, vectors, lanes) / speeds.loads();
    double step = Math.max(Math.max(arithmetic, loads) + UNHIDDEN * Math.min(arithmetic, loads), speeds.latency())
        * (readsPartsOfRows(tiling) ? speeds.partOfRow() : 1) * (isUnrolled(tiling, rows, vectors) ? 1 : IN_MEMORY) * (choosesBytes && CopiedSteps.of(einsum, tiling, reduced).isEmpty() ? BYTE_BY_BYTE : 1);
    return Exprs.volume(reduced) / tiling.terms() * step + outside + stores + TILE_OVERHEAD;
  }

  /// The operations on vectors of a step of a tile. Those on integers, and conversions of these, have units of their own, which are idle as long as there are no
  /// more of them than of those on floats.
  private double arithmetic(Tiling tiling, int rows, int vectors) {
    Expr body = reduce.orElseThrow().body();
    Optional<Expr> integers = DotSteps.ofGroups(reduce.get());
    Expr step = integers.orElseGet(() -> Factors.of(body).filter(factor -> !isDeferred(factor, (long) rows * vectors))
        .reduce((left, right) -> new Expr.Binary(BinaryOp.MUL, left, right)).orElse(body));
    double floats = Math.max(rows * vectors, operations(step, false, tiling, rows, vectors));
    return Math.max(floats, (floats + operations(step, true, tiling, rows, vectors)) / 2);
  }

  /// Whether the copies of a step of a tile are few enough operations for its sums to stay in registers.
  private boolean isUnrolled(Tiling tiling, int rows, int vectors) {
    Expr body = reduce.orElseThrow().body();
    double computed = operations(body, false, tiling, rows, vectors) + operations(body, true, tiling, rows, vectors);
    double loaded = inside.stream().mapToDouble(operand ->
        rows(operand, tiling, rows) * (tiling.vector().filter(operand.ranks::contains).isPresent() ? (double) vectors : 1)).sum();
    return computed + loaded <= UnrollLoops.OPERATIONS;
  }

  /// Whether `factor` is the same for so many steps of the innermost loops that it is applied behind these to all of a tile's `copies`.
  private boolean isDeferred(Expr factor, long copies) {
    Set<Rank> ranks = Exprs.freeRanks(factor);
    List<Rank> inner = reduced.reversed().stream().takeWhile(rank -> !ranks.contains(rank)).toList();
    return factor.type().isFloat() && Exprs.accesses(factor).findAny().isPresent() && DeferScales.isWorth(copies, Exprs.volume(inner), DeferScales.most(target));
  }

  /// What is the same for all rows, such as an element that is decoded, is computed once for them.
  private double operations(Expr expr, boolean ofIntegers, Tiling tiling, int rows, int vectors) {
    long conversion = expr instanceof Expr.Cast cast ? Conversions.operations(cast, target) : 0;
    long own = (conversion > 0 || expr.type().isInteger()) != ofIntegers ? 0 : conversion > 0 ? conversion : Exprs.ownOperations(expr);
    Set<Rank> ranks = own == 0 ? Set.of() : Exprs.freeRanks(expr);
    double times = (tiling.row().filter(ranks::contains).isPresent() ? rows : 1) * (tiling.vector().filter(ranks::contains).isPresent() ? vectors : 1);
    return own * times + (expr instanceof Expr.Access ? 0 : expr.children().mapToDouble(child -> operations(child, ofIntegers, tiling, rows, vectors)).sum());
  }

  /// Whether a tile is as wide as the rank of its lanes.
  private static boolean isWholeRow(Tiling tiling) {
    return tiling.vector().filter(vector -> vector.size().value() <= tiling.width()).isPresent();
  }

  /// Whether the reduction reads rows along the lanes that are longer than the tile is wide. Panels are as wide as tiles.
  private boolean readsPartsOfRows(Tiling tiling) {
    return tiling.vector().filter(vector -> vector.size().value() > tiling.width() && inside.stream().anyMatch(operand ->
        operand.ranks.contains(vector) && operand.isReduced && isContiguous(operand.access, vector))).isPresent();
  }

  /// The cycles of storing a tile: one a vector if its lanes are neighbours in the output, or as many more as it takes to turn
  /// a square tile in registers, half of each vector at a time.
  private double stores(Tiling tiling, int rows, int vectors, int lanes) {
    Optional<Rank> last = einsum.ranks().isEmpty() ? Optional.empty() : Optional.of(einsum.ranks().getLast());
    boolean contiguous = tiling.vector().isEmpty() || last.isEmpty() || tiling.vector().get() == last.get();
    boolean isTurned = rows == lanes && tiling.row().isPresent() && tiling.row().equals(last);
    return rows * vectors * (contiguous ? 1 : isTurned ? 1 + Integer.numberOfTrailingZeros(lanes) : lanes * speeds.gathered());
  }

  /// The load instructions of one step; what copies of several steps share counts once. Operands of the reduction count as packed if they can be.
  private double loads(List<Operand> operands, Tiling tiling, int rows, int vectors, int lanes) {
    double loads = 0;
    Optional<CopiedSteps> copied = CopiedSteps.of(einsum, tiling, reduced);
    for (Operand operand : operands) {
      double count = copied.filter(_ -> rows > 1 || tiling.row().isEmpty()).map(steps -> steps.loaded(operand.access, tiling.row(), rows(operand, tiling, rows)))
          .orElse((double) rows(operand, tiling, rows));
      boolean vector = tiling.vector().filter(operand.ranks::contains).isPresent();
      boolean neighbours = !vector || lanes == 1 || operand.isReduced && operand.isPackable
          || isOneLoad(operand.access, tiling.vector().get(), lanes);
      loads += count * (vector ? vectors : 1) * (neighbours ? 1 : lanes * speeds.gathered()) * (rows >= WAYS && collide(operand, tiling) ? 2 : 1);
    }
    return loads;
  }

  /// Whether the rows of a tile lie so far apart that all have their place in one set of the first-level cache.
  private static boolean collide(Operand operand, Tiling tiling) {
    return tiling.row().flatMap(row -> Affine.stride(operand.access, row))
        .filter(stride -> stride != 0 && stride * operand.access.tensor().type().bytes() % SET_STRIDE == 0).isPresent();
  }

  /// The cycles of a dot product for each output: the vector rank is reduced. The lanes of each are summed on their own.
  private double alongReduction(Tiling tiling) {
    Rank vector = tiling.vector().orElseThrow();
    long outer = Exprs.volume(reduced) / Math.max(1, vector.size().value());
    double steps = outer * (vector.size().value() / tiling.lanes() + 2.0 * (vector.size().value() % tiling.lanes()));
    double cycles = 0;
    for (int[] rows : pieces(tiling.row(), tiling.rows())) {
      double loads = inside.stream().filter(operand -> !isHeld(operand, tiling, rows(operand, tiling, rows[0]) * steps))
          .mapToDouble(operand -> rows(operand, tiling, rows[0])
              * (isOneLoad(operand.access, vector, tiling.lanes()) ? 1 : tiling.lanes() * speeds.gathered())).sum() / speeds.loads();
      double latency = speeds.latency() / tiling.vectors();
      double step = Math.max(Math.max(rows[0] * insideOperations / speeds.operations(), loads), latency);
      cycles += rows[1] * (steps * step + rows[0] * HORIZONTAL_REDUCTION + LOOP_OVERHEAD);
    }
    long others = Exprs.volume(einsum.ranks().stream().filter(rank -> tiling.row().filter(row -> row == rank).isEmpty()).toList());
    return others * cycles;
  }

  /// Whether registers hold what a tile of dot products reads of `operand`, `vectors` at most, for the next tile, which reads the same.
  private boolean isHeld(Operand operand, Tiling tiling, double vectors) {
    boolean isSame = nextTile(tiling).filter(operand.ranks::contains).isEmpty();
    return isSame && vectors + tiling.rows() * tiling.vectors() <= target.registers() / 2.0;
  }

  /// The rank along which the next tile of dot products lies: that of the rows if there are more, or else the last other one.
  private Optional<Rank> nextTile(Tiling tiling) {
    return tiling.row().filter(row -> row.size().value() > tiling.rows()).or(() -> einsum.ranks().reversed().stream()
        .filter(rank -> rank.size().value() > 1 && tiling.row().filter(row -> row == rank).isEmpty()).findFirst());
  }

  private static int rows(Operand operand, Tiling tiling, int rows) {
    return tiling.row().filter(operand.ranks::contains).isPresent() ? rows : 1;
  }

  /// The share of a run in the cycles that copying operands into panels takes.
  private double packing(Tiling tiling) {
    if (tiling.vector().isEmpty() || reduced.isEmpty()) {
      return 0;
    }
    return all.stream()
        .filter(operand -> operand.isReduced && operand.isPackable && !constant.contains(operand.access.tensor()))
        .filter(operand -> !isContiguous(operand.access, tiling.vector().get()) || tiling.terms() > 1 && operand.ranks.contains(tiling.vector().get()))
        .mapToDouble(operand -> (isContiguous(operand.access, tiling.vector().get()) ? INTERLEAVE_ELEMENT : PACK_ELEMENT) * Exprs.volume(List.copyOf(operand.ranks)) / runs)
        .sum();
  }

  /// Whether one instruction loads what a vector of `lanes` along `vector` reads.
  private static boolean isOneLoad(Expr.Access access, Rank vector, int lanes) {
    return isContiguous(access, vector) || SharedLanes.isShared(access, vector, lanes) || ShortRows.isChosen(access, vector, lanes);
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
