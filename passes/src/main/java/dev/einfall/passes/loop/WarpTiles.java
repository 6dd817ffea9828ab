package dev.einfall.passes.loop;

import static dev.einfall.passes.loop.Indices.parts;

import dev.einfall.ir.Span;
import dev.einfall.ir.loop.Buffer;
import dev.einfall.ir.loop.Expr;
import dev.einfall.ir.loop.Stmt;
import dev.einfall.ir.loop.TileShape;
import java.util.LinkedHashMap;
import java.util.Map;

/// Builds the loops that compute a product in square tiles, one a block, whose warps multiply smaller ones by an instruction: see [TileProducts].
///
/// Each warp has some tiles of sums in its registers ([WarpSums]). What they are made of is shared in the order in which the instruction's operands
/// lie, with a few elements between rows, so that these are in different banks ([StagedFactor]).
final class WarpTiles implements StagedSteps.Part {
  /// Warps stand in so many rows.
  private static final int WARP_ROWS = 2;

  private final Contraction product;
  private final TileShape shape;
  private final TileGrid grid;
  private final StagedFactor left;
  private final StagedFactor right;
  private final WarpSums sums;

  /// @param tile the rows and columns of a block, a multiple of those of two warps
  WarpTiles(Contraction product, TileFactors factors, TileShape shape, int tile) {
    this.product = product;
    this.shape = shape;
    this.grid = new TileGrid(product, tile);
    TileArea area = grid.area();
    this.left = new StagedFactor(area, shape, factors.left(), true);
    this.right = new StagedFactor(area, shape, factors.right(), false);
    this.sums = new WarpSums(area, shape, warps(tile), WARP_ROWS);
  }

  private static int warps(int tile) {
    return tile >= 128 ? 8 : 4;
  }

  /// Whether tiles of `tile` rows and columns can be shared by warps that have tiles of `shape`.
  static boolean fits(TileShape shape, int tile) {
    return StagedFactor.fits(shape) && tile % (WARP_ROWS * shape.rows()) == 0 && tile % (warps(tile) / WARP_ROWS * shape.columns()) == 0;
  }

  Stmt body(Span span) {
    Map<Expr, Buffer> staged = new LinkedHashMap<>();
    staged.put(left.factor(), left.buffer());
    staged.put(right.factor(), right.buffer());
    Stmt steps = new StagedSteps(staged, product.stepCount(), StagedFactor.depth(shape), this).body(product.steps().getFirst().span());
    return grid.tasks(new Stmt.Alloc(sums.sum(), Barriers.place(Stmt.block(sums.started(), steps, sums.finished()))), span);
  }

  @Override
  public Stmt loaded(Map<Expr, Buffer> buffers, Expr first, int count) {
    return Stmt.block(left.loaded(buffers.get(left.factor()), first, count), right.loaded(buffers.get(right.factor()), first, count));
  }

  @Override
  public Stmt taken(Map<Expr, Buffer> buffers, Expr first, int count) {
    return sums.multiplied(parts(count, shape.steps()), tiles(left, buffers), tiles(right, buffers));
  }

  private static WarpSums.Tiles tiles(StagedFactor factor, Map<Expr, Buffer> buffers) {
    return (tileOfSteps, tileOfLines, step, line) ->
        new Expr.Load(buffers.get(factor.factor()), factor.places(tileOfSteps, tileOfLines, step, line));
  }
}
