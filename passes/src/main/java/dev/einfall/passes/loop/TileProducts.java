package dev.einfall.passes.loop;

import dev.einfall.ir.Diagnostic;
import dev.einfall.ir.loop.Kernel;
import dev.einfall.ir.loop.Stmt;
import dev.einfall.passes.Pass;
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
/// @param blocks the fewest blocks that keep a GPU busy: tiles are the largest of which there are so many
public record TileProducts(int blocks) implements Pass.OnKernel {
  /// About one for each multiprocessor.
  public static final int BLOCKS = 128;
  private static final long FEWEST = 16;
  private static final List<Integer> TILES = List.of(128, 64, 32);

  public TileProducts() {
    this(BLOCKS);
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
    long rows = Contraction.iterations(product.rows());
    long columns = Contraction.iterations(product.columns());
    long steps = Contraction.iterations(product.steps());
    if (rows < FEWEST || columns < FEWEST || steps < FEWEST || rows * columns * Contraction.iterations(product.batch()) > Integer.MAX_VALUE) {
      remarks.accept(Diagnostic.remark(kernel.span(), "the product of " + rows + " rows, " + columns + " columns and " + steps
          + " steps is not computed in tiles: too few of them"));
      return kernel;
    }
    int tile = TILES.stream().filter(size -> size < 2 * rows && size < 2 * columns && tiles(product, size) >= blocks).findFirst().orElse(TILES.getLast());
    Stmt body = new ProductTiles(product, tile).body(kernel.span());
    return kernel.withBody(body);
  }

  private static long tiles(Contraction product, int size) {
    return Contraction.iterations(product.batch()) * ProductTiles.over(Contraction.iterations(product.rows()), size)
        * ProductTiles.over(Contraction.iterations(product.columns()), size);
  }
}
