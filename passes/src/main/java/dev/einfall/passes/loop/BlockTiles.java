package dev.einfall.passes.loop;

import static dev.einfall.passes.loop.Indices.over;
import static dev.einfall.passes.loop.Indices.parts;
import static dev.einfall.passes.loop.Indices.plus;
import static dev.einfall.passes.loop.Indices.times;

import dev.einfall.ir.loop.Buffer;
import dev.einfall.ir.loop.Expr;
import dev.einfall.ir.loop.Stmt;
import dev.einfall.ir.loop.TileShape;
import dev.einfall.ir.loop.Var;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;

/// A product inside of what a block does, whose warps multiply tiles by an instruction. Factors that the threads share already, in whole tiles, are
/// used where they are; others are copied to shared memory, some steps at a time ([StagedFactor]).
///
/// ```
/// for p in 0..64 {                              alloc sum: f32[4, 2, 2, 256] in local { alloc right: bf16[2, 64, 24] in shared {
///   for m in 0..64 {                              warp for w in 0..4 { .. sum[w, i, j, ramp(0, 1, 256)] = 0.0 .. }
///     alloc sum: f32[] in local {                 thread for e in 0..256 { .. right[.., ramp(.., 1, 8)] = K[m0 + .., ramp(.., 1, 8)] }
///       sum[] = 0.0                               warp for w in 0..4 { for k0 in 0..2 {
///       for e in 0..64 {                            let a0: bf16x256 = Q_tile[w / 2 * 32 + .., k0 * 16 + ..]
///         sum[] = sum[] + f32(Q_tile[p, e])  =>     let b0: bf16x256 = right[k0, w % 2 * 32 + .., ..]
///           * f32(K[m0 + m, e])                     sum[w, 0, 0, ..] = tile_product(sum[w, 0, 0, ..], a0, b0, 16, 1)
///       }                                           ..
///       S[p, m] = sum[]                           for i in 0..2 { .. thread for e in 0..2048 { .. S[.., ..] = .. } }
/// ```
final class BlockTiles implements StagedSteps.Part {
  private static final int WARP = 32;
  private static final int WARPS = ThreadReduction.THREADS / WARP;
  /// What a thread has of sums at most, in registers.
  private static final int MOST_REGISTERS = 128;
  /// Where a tile that an instruction reads may begin.
  private static final int ALIGNMENT = 32;

  private final Contraction product;
  private final TileShape shape;
  private final StagedFactor left;
  private final StagedFactor right;
  private final WarpSums sums;

  private BlockTiles(Contraction product, TileFactors factors, TileShape shape, WarpSums sums) {
    this.product = product;
    this.shape = shape;
    this.left = StagedFactor.ofWarps(sums.area(), shape, factors.left(), true);
    this.right = StagedFactor.ofWarps(sums.area(), shape, factors.right(), false);
    this.sums = sums;
  }

  /// The product that `nest` is, if it is one for which one of `shapes` is.
  static Optional<BlockTiles> of(IndependentNest nest, List<TileShape> shapes) {
    return Contraction.of(nest).filter(product -> product.batch().isEmpty()).flatMap(product -> TileFactors.of(product).flatMap(factors ->
        factors.shape(product, shapes).filter(StagedFactor::fits).flatMap(shape -> of(product, factors, shape))));
  }

  private static Optional<BlockTiles> of(Contraction product, TileFactors factors, TileShape shape) {
    boolean isFew = product.rowCount() < shape.rows() || product.columnCount() < shape.columns() || product.stepCount() < shape.steps();
    return isFew ? Optional.empty() : Stream.of(2, 1, WARPS)
        .map(rows -> new WarpSums(TileArea.all(product, rows * shape.rows(), WARPS / rows * shape.columns()), shape, WARPS, rows))
        .filter(sums -> sums.down() * sums.across() * shape.sums().lanes() / WARP * (shape.sum().bytes() / 4) <= MOST_REGISTERS)
        .min(Comparator.comparingInt(sums -> sums.down() * sums.across() * WARPS + sums.down() + sums.across()))
        .map(sums -> new BlockTiles(product, factors, shape, sums));
  }

  /// As all threads run it, without barriers but those that let loads overlap.
  Stmt body() {
    Map<Expr, Buffer> staged = new LinkedHashMap<>();
    Stream.of(left, right).filter(factor -> !isInPlace(factor)).forEach(factor -> staged.put(factor.factor(), factor.buffer()));
    Stmt steps = staged.isEmpty() ? taken(staged, Expr.index(0), (int) product.stepCount())
        : new StagedSteps(staged, product.stepCount(), left.depth(), this).body(product.steps().getFirst().span());
    return new Stmt.Alloc(sums.sum(), Stmt.block(sums.started(), steps, sums.finished()));
  }

  @Override
  public Stmt loaded(Map<Expr, Buffer> buffers, Expr first, int count) {
    return Stmt.block(Stream.of(left, right).filter(factor -> buffers.containsKey(factor.factor()))
        .map(factor -> factor.loaded(buffers.get(factor.factor()), first, count)).toList());
  }

  @Override
  public Stmt taken(Map<Expr, Buffer> buffers, Expr first, int count) {
    return sums.multiplied(parts(count, shape.steps()), tiles(left, buffers, first), tiles(right, buffers, first));
  }

  private WarpSums.Tiles tiles(StagedFactor factor, Map<Expr, Buffer> buffers, Expr first) {
    Buffer buffer = buffers.get(factor.factor());
    return buffer == null ? inPlace(factor, first) : (tileOfSteps, tileOfLines, step, line) ->
        new Expr.Load(buffer, factor.places(tileOfSteps, tileOfLines, step, line));
  }

  /// Whether the threads share `factor` as a matrix of whole tiles, the rows of which begin where an instruction can read them.
  private boolean isInPlace(StagedFactor factor) {
    List<Stmt.For> lines = lines(factor);
    if (!(factor.factor() instanceof Expr.Load(Buffer buffer, List<Expr> indices)) || buffer.space() != Buffer.Space.SHARED || indices.size() != 2
        || lines.size() != 1 || product.steps().size() != 1) {
      return false;
    }
    int tile = factor.isLeft() ? shape.rows() : shape.columns();
    long count = Contraction.iterations(lines);
    boolean isWhole = count == (factor.isLeft() ? sums.area().height() : sums.area().width()) && product.stepCount() % shape.steps() == 0;
    Expr line = new Expr.Ref(lines.getFirst().var());
    Expr step = new Expr.Ref(product.steps().getFirst().var());
    boolean isAlongSteps = indices.equals(List.of(line, step));
    boolean isMatrix = isAlongSteps || indices.equals(List.of(step, line));
    return isWhole && isMatrix && (isAlongSteps ? shape.steps() : tile) * buffer.type().bytes() % ALIGNMENT == 0
        && buffer.extents().getLast() * buffer.type().bytes() % ALIGNMENT == 0;
  }

  private List<Stmt.For> lines(StagedFactor factor) {
    return factor.isLeft() ? product.rows() : product.columns();
  }

  private WarpSums.Tiles inPlace(StagedFactor factor, Expr first) {
    Expr.Load load = (Expr.Load) factor.factor();
    Var stepVar = product.steps().getFirst().var();
    int tile = factor.isLeft() ? shape.rows() : shape.columns();
    return (tileOfSteps, tileOfLines, step, line) -> {
      Expr steps = lanes(times(plus(tileOfSteps, over(first, shape.steps())), shape.steps()), step);
      Expr lines = lanes(times(tileOfLines, tile), line);
      return new Expr.Load(load.buffer(), load.indices().stream().map(index -> index.equals(new Expr.Ref(stepVar)) ? steps : lines).toList());
    };
  }

  private static Expr lanes(Expr first, Expr lane) {
    return plus(new Expr.Broadcast(first, lane.type().lanes()), lane);
  }
}
