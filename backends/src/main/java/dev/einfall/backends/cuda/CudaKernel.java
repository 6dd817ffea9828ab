package dev.einfall.backends.cuda;

import dev.einfall.backends.c.CNames;
import dev.einfall.backends.c.CTypes;
import dev.einfall.backends.c.SourceLines;
import dev.einfall.backends.c.Vocabulary;
import dev.einfall.backends.kernel.FreeNames;
import dev.einfall.backends.kernel.RequireDivisors;
import dev.einfall.ir.InternalException;
import dev.einfall.ir.Lines;
import dev.einfall.ir.loop.Buffer;
import dev.einfall.ir.loop.Expr;
import dev.einfall.ir.loop.Kernel;
import dev.einfall.ir.loop.Ranges;
import dev.einfall.ir.loop.Stmt.For.Kind;
import dev.einfall.ir.loop.Stmt;
import java.util.Optional;
import java.util.Set;
import java.util.function.ToIntFunction;
import java.util.stream.Collectors;

/// A kernel as CUDA C++.
///
/// ```
/// kernel Y(X: f32[99, 9], Y: f32[99])   =>   static __global__ void __launch_bounds__(128) Y(const float *__restrict__ X, float *__restrict__ v_Y, ..) {
///   block for task in 0..99 {                  const int32_t task = (int32_t) blockIdx.x;
///     thread for i in 0..9 {                   for (int32_t i = (int32_t) threadIdx.x; i < 9; i += 128) {
///       ...                                      ...
/// ```
///
/// @param name that of its function
/// @param text its definition
/// @param blocks how many there are
/// @param threads those of a block
/// @param sharedBytes the memory that a block's threads share
/// @param scratchBytes more of it, in the device's memory, for each block
/// @param fallback does the same on a device that has no `sharedBytes` for a block; none where every device has
public record CudaKernel(String name, String text, long blocks, int threads, long sharedBytes, long scratchBytes, Optional<CudaKernel> fallback) {
  static final int WARP = 32;
  /// More threads have fewer registers each.
  private static final int MOST_THREADS = 256;

  /// @param linkage who may call its function, such as `static`
  /// @param requirements takes what may be found not to hold, and gives its number
  static CudaKernel of(Kernel kernel, String name, Vocabulary vocabulary, BlockReductions reductions, TileInstructions tiles, String linkage, boolean hasLines,
      ToIntFunction<Stmt.Require> requirements) {
    if (!(kernel.body() instanceof Stmt.For loop) || loop.kind() != Kind.BLOCK) {
      throw new InternalException("kernel " + kernel.name() + " is not mapped to blocks");
    }
    Writer writer = new Writer(kernel, loop, RequireDivisors.in(loop.body()), vocabulary, reductions, tiles, linkage, hasLines, requirements);
    CudaKernel large = writer.written(name, SharedLayout.MOST, Optional.empty());
    // What groups of warps multiply lies in no other memory, and their GPUs have enough of it.
    boolean isFixed = loop.body().nodes().anyMatch(node -> node instanceof Stmt.For inner && inner.kind() == Kind.WARPGROUP);
    return large.sharedBytes <= SharedLayout.EVERYWHERE || isFixed ? large
        : writer.written(name, SharedLayout.MOST, Optional.of(writer.written(name + "_small", SharedLayout.EVERYWHERE, Optional.empty())));
  }

  /// This one, or the one for a device whose blocks may share `most` bytes only.
  public CudaKernel on(long most) {
    return sharedBytes <= most ? this : fallback.orElse(this);
  }

  /// The definition of the function, and of the one that it falls back to.
  String texts() {
    return text + fallback.map(other -> "\n" + other.text).orElse("");
  }

  /// Writes a kernel for devices of one size of shared memory.
  private record Writer(Kernel kernel, Stmt.For loop, Stmt mapped, Vocabulary vocabulary, BlockReductions reductions, TileInstructions tiles, String linkage,
      boolean hasLines, ToIntFunction<Stmt.Require> requirements) {

    CudaKernel written(String name, long mostShared, Optional<CudaKernel> fallback) {
      int threads = ThreadMemory.threads(mapped).orElseGet(() -> threads(mapped));
      ThreadMemory memory = ThreadMemory.of(mapped);
      Stmt body = memory.body();
      SharedLayout layout = SharedLayout.of(body, mostShared);
      Lines lines = new Lines();
      CNames names = new CNames();
      SourceLines source = new SourceLines(hasLines);
      FreeNames free = FreeNames.of(body);
      Set<Buffer> stored = body.nodes().filter(Stmt.Store.class::isInstance).map(store -> ((Stmt.Store) store).buffer()).collect(Collectors.toSet());
      String parameters = kernel.parameters().stream()
          .map(buffer -> (stored.contains(buffer) ? "" : "const ") + CTypes.memory(buffer.type()) + " *" + vocabulary.dialect().restricted()
              + " " + names.of(buffer) + ", ")
          .collect(Collectors.joining());
      source.at(kernel.span(), lines);
      lines.block(linkage + " __global__ void __launch_bounds__(" + threads + ") " + name + "(" + parameters
          + "unsigned char *__restrict__ scratch, Fault *__restrict__ fault)", () -> {
        if (layout.scratchBytes() > 0) {
          lines.add("scratch += blockIdx.x * UINT64_C(" + layout.scratchBytes() + ");");
        }
        if (free.variables().contains(loop.var())) {
          lines.add("const int32_t " + names.of(loop.var()) + " = (int32_t) blockIdx.x;");
        }
        new BlockText(lines, vocabulary, names, layout, source, threads,
            Ranges.of(kernel).loop(loop.var(), loop.extent()), memory, reductions, tiles, requirements).writeAll(body);
      });
      long blocks = ((Expr.IntLiteral) loop.extent()).value();
      return new CudaKernel(name, lines.toString(), blocks, threads, layout.sharedBytes(), layout.scratchBytes(), fallback);
    }
  }

  /// How many threads run an iteration of a loop that is dealt to them.
  static int threadsOf(Kind kind) {
    return switch (kind) {
      case WARP -> WARP;
      case WARPGROUP -> WarpgroupTiles.THREADS;
      case SERIAL, PARALLEL, VECTORIZED, UNROLLED, BLOCK, THREAD -> 1;
    };
  }

  /// As many as the widest loop has iterations, in whole warps.
  private static int threads(Stmt body) {
    long widest = body.nodes().filter(node -> node instanceof Stmt.For loop && loop.isDealt()).map(Stmt.For.class::cast)
        .mapToLong(loop -> loop.extent() instanceof Expr.IntLiteral extent ? extent.value() * threadsOf(loop.kind()) : MOST_THREADS)
        .max().orElse(1);
    return (int) Math.min(MOST_THREADS, (widest + WARP - 1) / WARP * WARP);
  }
}
