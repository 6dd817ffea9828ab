package dev.einfall.passes.loop;

import dev.einfall.ir.Diagnostic;
import dev.einfall.ir.Span;
import dev.einfall.ir.loop.Kernel;
import dev.einfall.ir.loop.Stmt;
import dev.einfall.ir.loop.TileShape;
import dev.einfall.ir.loop.WarpgroupTile;
import dev.einfall.passes.Numerics;
import dev.einfall.passes.Pass;
import dev.einfall.passes.Target;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;

/// Computes products on a GPU tile by tile: a block loads what a tile of rows and one of columns need into memory that its threads share, some steps
/// of the reduction at a time, and each thread computes a few elements of the tile in its registers.
///
/// ```
/// for m in 0..256 {                          block for task in 0..16 {
///   for n in 0..256 {                          let n1: i32 = task % 4
///     alloc sum: f32[] in local {              let m1: i32 = task / 4
///       sum[] = 0.0                            alloc sum: f32[256, 4, 4] in local {
///       for k in 0..64 {                         alloc left: f32[16, 65] in shared { alloc right: f32[16, 65] in shared {
///         sum[] = sum[] + X[m, k] * W[k, n]        thread for t in 0..256 { .. sum[t, i, j] = 0.0 .. }
///       }                              =>          for k1 in 0..4 {
///       Y[m, n] = sum[]                              thread for e in 0..1024 { .. left[.., ..] = X[m1 * 64 + .., k1 * 16 + ..] }
///     }                                              thread for e in 0..1024 { .. right[.., ..] = W[k1 * 16 + .., n1 * 64 + ..] }
///   }                                                barrier
/// }                                                  thread for t in 0..256 { .. sum[t, i, j] = sum[t, i, j] + left[k0, ..] * right[k0, ..] }
///                                                    barrier
///                                                  }
///                                                  thread for t in 0..256 { .. Y[m1 * 64 + .., n1 * 64 + ..] = sum[t, i, j] }
/// ```
///
/// Of a reduction of 32 steps or more, the next steps are loaded while some are taken, into other buffers, so that they arrive in the meantime.
///
/// Any reduction of what depends on rows and on columns is a product here ([Contraction]), such as a convolution, whose rows are its filters. The
/// order of the steps stays. A product of fewer than 16 rows, columns or steps is left to [MapThreads]: little would be used twice.
///
/// Where the machine has an instruction that multiplies tiles of such factors, and sums may be rounded in another order, the warps of a block have a
/// few tiles of sums each, and hand them on in the end:
///
/// ```
/// sum[] = sum[] + f32(X[m, k]) * f32(W[k, n])     =>
///     alloc left: bf16[2, 64, 24] in shared { .. thread for e in 0..256 { .. left[.., .., ramp(.., 1, 8)] = X[.., ramp(.., 1, 8)] } .. barrier
///       warp for w in 0..4 {
///         for k0 in 0..2 {
///           let a0: bf16x256 = left[k0, .. + ramp(0, 1, 256) / 16, ramp(0, 1, 256) % 16]
///           sum[w, 0, 0, ramp(0, 1, 256)] = tile_product(sum[w, 0, 0, ramp(0, 1, 256)], a0, b0, 16, 1)
///           ..
/// ```
///
/// Where groups of warps multiply larger tiles by an instruction, they do so from the memory that the block shares, where rows of 16 bytes lie below
/// each other:
///
/// ```
/// sum[] = sum[] + f32(X[m, k]) * f32(W[k, n])     =>
///     alloc left: bf16[8, 65, 8] in shared { .. thread for e in 0..512 { .. left[.., .., ramp(0, 1, 8)] = X[.., ramp(.., 1, 8)] } .. barrier
///       warpgroup for w in 0..1 {
///         for k0 in 0..4 {
///           let a0: bf16x1024 = left[k0 * 2 + ramp(0, 1, 1024) % 16 / 8, ramp(0, 1, 1024) / 16, ramp(0, 1, 1024) % 16 % 8]
///           sum[w, 0, 0, ramp(0, 1, 4096)] = tile_product(sum[w, 0, 0, ramp(0, 1, 4096)], a0, b0, 64, 1)
///           ..
/// ```
///
/// @param blocks the fewest blocks that keep a GPU busy: tiles are the largest of which there are so many
/// @param tiles what the machine has instructions for that multiply tiles
/// @param warpgroupTiles what groups of its warps multiply together
/// @param numerics whether sums may be rounded in another order
public record TileProducts(int blocks, List<TileShape> tiles, List<WarpgroupTile> warpgroupTiles, Numerics numerics) implements Pass.OnKernel {
  /// About one for each multiprocessor.
  public static final int BLOCKS = 128;
  /// So many bytes of each row or column are at hand at a time for groups of warps, which multiply faster than others.
  public static final int WARPGROUP_DEPTH_BYTES = 128;
  /// Products of fewer rows, columns or steps are left to [MapThreads].
  public static final int FEWEST = 16;
  private static final List<Integer> TILES = List.of(128, 64, 32);

  public TileProducts {
    tiles = List.copyOf(tiles);
    warpgroupTiles = List.copyOf(warpgroupTiles);
  }

  /// For the GPU that `target` is.
  public static TileProducts on(Target target, Numerics numerics) {
    return new TileProducts(BLOCKS, target.tiles(), target.warpgroupTiles(), numerics);
  }

  @Override
  public String name() {
    return "tile-products";
  }

  @Override
  public Machines machines() {
    return Machines.GPUS;
  }

  @Override
  public Kernel apply(Kernel kernel, Consumer<Diagnostic> remarks) {
    Optional<Contraction> found = Contraction.of(kernel);
    if (found.isEmpty()) {
      return kernel;
    }
    Contraction product = found.get();
    long rows = product.rowCount();
    long columns = product.columnCount();
    long steps = product.stepCount();
    if (rows < FEWEST || columns < FEWEST || steps < FEWEST || rows * columns * Contraction.iterations(product.batch()) > Integer.MAX_VALUE) {
      remarks.accept(Diagnostic.remark(kernel.span(), "the product of " + rows + " rows, " + columns + " columns and " + steps
          + " steps is not computed in tiles: too few of them"));
      return kernel;
    }
    Optional<TileFactors> factors = numerics == Numerics.REASSOCIATE ? TileFactors.of(product) : Optional.empty();
    Optional<WarpTiles> together = factors.flatMap(some -> WarpTiles.ofWarpgroups(product, some, warpgroupTiles, blocks));
    return kernel.withBody(together.map(some -> some.body(kernel.span())).orElseGet(() -> alone(product, factors, kernel.span())));
  }

  /// In tiles of which each thread or warp computes a part by itself.
  private Stmt alone(Contraction product, Optional<TileFactors> factors, Span span) {
    long rows = product.rowCount();
    long columns = product.columnCount();
    int tile = TILES.stream().filter(size -> size < 2 * rows && size < 2 * columns && new TileGrid(product, size).tiles() >= blocks).findFirst().orElse(TILES.getLast());
    Optional<TileShape> shape = factors.flatMap(some -> some.shape(product, tiles)).filter(one -> WarpTiles.fits(one, tile));
    return shape.isPresent() ? WarpTiles.ofWarps(product, factors.orElseThrow(), shape.get(), tile).body(span) : new ProductTiles(product, tile).body(span);
  }
}
