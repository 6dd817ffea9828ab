package dev.einfall.passes.loop;

import static dev.einfall.passes.loop.Indices.parts;

import dev.einfall.ir.Span;
import dev.einfall.ir.loop.Buffer;
import dev.einfall.ir.loop.Expr;
import dev.einfall.ir.loop.Stmt;
import dev.einfall.ir.loop.TileShape;
import dev.einfall.ir.loop.WarpgroupTile;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// Builds the loops that compute a product in tiles, one a block, whose warps, or groups of these, multiply smaller ones by an instruction: see
/// [TileProducts].
///
/// Each warp has some tiles of sums in its registers ([WarpSums]), and each group of warps has one. What they are made of is shared in the order in which
/// the instruction's operands lie, with a few elements between rows, so that these are in different banks ([StagedFactor]).
final class WarpTiles implements StagedSteps.Part {
  /// Warps stand in so many rows.
  private static final int WARP_ROWS = 2;
  /// How many groups of warps a block has, from the most on.
  private static final List<Integer> GROUPS = List.of(2, 1);

  private final Contraction product;
  private final TileShape shape;
  private final TileGrid grid;
  private final StagedFactor left;
  private final StagedFactor right;
  private final WarpSums sums;

  private WarpTiles(TileGrid grid, StagedFactor left, StagedFactor right, WarpSums sums) {
    this.product = grid.product();
    this.shape = sums.shape();
    this.grid = grid;
    this.left = left;
    this.right = right;
    this.sums = sums;
  }

  /// Tiles for warps.
  ///
  /// @param tile the rows and columns of a block, a multiple of those of two warps
  static WarpTiles ofWarps(Contraction product, TileFactors factors, TileShape shape, int tile) {
    TileGrid grid = new TileGrid(product, tile);
    TileArea area = grid.area();
    return new WarpTiles(grid, StagedFactor.ofWarps(area, shape, factors.left(), true), StagedFactor.ofWarps(area, shape, factors.right(), false),
        new WarpSums(area, shape, warps(tile), WARP_ROWS));
  }

  /// Tiles for groups of warps: those of the largest blocks of which there are `blocks`, or else of the smallest. There are none where most of every block
  /// would lie beyond the product, or no instruction is for such factors.
  static Optional<WarpTiles> ofWarpgroups(Contraction product, TileFactors factors, List<WarpgroupTile> tiles, int blocks) {
    List<WarpTiles> made = tiles.stream().filter(tile -> factors.shape(product, List.of(tile.shape())).isPresent() && tile.shape().packed() == 1)
        .flatMap(tile -> GROUPS.stream().map(groups -> groups * tile.shape().rows())
            .filter(height -> height < 2 * product.rowCount() && tile.shape().columns() < 2 * product.columnCount())
            .map(height -> ofWarpgroups(product, factors, tile, height)))
        .sorted(Comparator.comparingInt((WarpTiles some) -> some.grid.height() * some.grid.width()).reversed()
            .thenComparingInt(some -> some.grid.height() + some.grid.width())).toList();
    return made.stream().filter(some -> some.grid.tiles() >= blocks).findFirst().or(() -> made.reversed().stream().findFirst());
  }

  private static WarpTiles ofWarpgroups(Contraction product, TileFactors factors, WarpgroupTile tile, int height) {
    TileGrid grid = new TileGrid(product, height, tile.shape().columns());
    TileArea area = grid.area();
    return new WarpTiles(grid, StagedFactor.ofWarpgroups(area, tile, factors.left(), true), StagedFactor.ofWarpgroups(area, tile, factors.right(), false),
        WarpSums.ofWarpgroups(area, tile.shape()));
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
    Stmt steps = new StagedSteps(staged, product.stepCount(), left.depth(), this).body(product.steps().getFirst().span());
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
