package dev.einfall.ir.loop;

import dev.einfall.ir.Span;
import java.util.List;

/// A loop nest over buffers that the caller provides. `PARALLEL` loops stand at the outside, one directly in the other; a backend
/// sees at most one there, whose iterations are the tasks that threads share.
///
/// Where none is at the outside they may stand inside, such as in the steps of a recurrence, but not in each other. There is one task then,
/// and threads share the iterations of each such loop: all that comes before it is done when it begins, and all of them are when it ends.
///
/// ```
/// for t in 0..T {
///   parallel for m1 in 0..16 { .. S[m1 * 16 + m0] = .. H[k] .. }
///   for m in 0..256 { H[m] = .. S[m] .. }
/// }
/// ```
///
/// A kernel for a GPU is a `BLOCK` loop of constant extent, and its `PARALLEL` loops have become `THREAD` loops or serial ones. All threads
/// of a block run what stands outside of `THREAD` loops, alike: counters, conditions and registers have one value there for all of them, and
/// nothing but registers is stored to. A `THREAD` loop deals its iterations to the threads; between two that use the same elements of a
/// buffer, of which one stores to it, stands a [Stmt.Barrier], unless the elements of each iteration of one are those of the same iteration
/// of the other.
///
/// ```
/// block for m in 0..100 {
///   alloc E: f32[64] in shared {
///     thread for n in 0..64 { E[n] = .. X[m, n] .. }
///     barrier
///     thread for n_1 in 0..64 { Y[m, n_1] = E[n_1] - E[63 - n_1] }
///   }
/// }
/// ```
///
/// A `LOCAL` buffer of a block, outside of its `THREAD` loops, is memory of its threads: it is used in loops of as many iterations as its
/// first extent, and its first index is their counter. What they have is combined by all of them together: `reduce_add(part[ramp(0, 1, 128)])`.
///
/// A `WARP` loop deals its iterations to the warps of the block: the threads of a warp, 32 or as many as a machine has, run one together, and share the
/// lanes of its vectors, such as those of [Expr.TileProduct]. What is said of `THREAD` loops holds for them too; a `LOCAL` buffer of the outside may
/// be the memory of warps instead.
///
/// ```
/// block for m in 0..4 {
///   alloc sum: f32[8, 256] in local {
///     warp for w in 0..8 { sum[w, ramp(0, 1, 256)] = tile_product(sum[w, ramp(0, 1, 256)], X[..], W[..], 16, 1) }
/// ```
///
/// A `WARPGROUP` loop is the same for groups of four warps, which multiply larger tiles together. What they multiply lies in `SHARED` buffers.
///
/// Parameters never overlap in memory, unless both are only read.
public record Kernel(String name, List<Buffer> parameters, Stmt body, Span span) {
  public Kernel {
    parameters = List.copyOf(parameters);
  }

  public Kernel withBody(Stmt newBody) {
    return newBody == body ? this : new Kernel(name, parameters, newBody, span);
  }
}
