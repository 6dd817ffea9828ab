package dev.einfall.backends.cuda;

import dev.einfall.backends.c.ExprText;
import dev.einfall.backends.kernel.LaneOffsets;
import dev.einfall.backends.kernel.Multiples;
import dev.einfall.ir.InternalException;
import dev.einfall.ir.Lines;
import dev.einfall.ir.loop.Buffer;
import dev.einfall.ir.loop.Expr;
import dev.einfall.ir.loop.Stmt;
import java.util.List;
import java.util.Optional;
import java.util.stream.IntStream;

/// Writes copies of one thread from the device's memory to that of its block, of more than what a thread copies by itself: the hardware counts the bytes
/// that have arrived, at a barrier in shared memory (`mbarrier`), where all threads wait for them.
///
/// ```
/// right[ramp(0, 1, 8192)] = W[ramp(k * 8192, 1, 8192)]   =>   bulk_copy(&right[0], &W[k * 8192], 16384, bulk_barrier);
/// ```
final class BulkCopies {
  /// What the barrier takes of shared memory.
  static final long SHARED_BYTES = 16;
  /// What places and sizes are multiples of.
  private static final int UNIT = 16;

  static final String DEFINITIONS = """
      // Prepares the barrier that counts what copies bring.
      static __device__ __forceinline__ void bulk_start(uint64_t *barrier) {
        if (threadIdx.x == 0) {
          PTX("mbarrier.init.shared::cta.b64 [%0], 1;", , PTX_U32((uint32_t) __cvta_generic_to_shared(barrier)));
          PTX("fence.proxy.async.shared::cta;", , );
        }
        __syncthreads();
      }

      // Begins a copy to shared memory; one thread does, once before each wait.
      static __device__ __forceinline__ void bulk_copy(void *to, const void *from, uint32_t bytes, uint64_t *barrier) {
        const uint32_t at = (uint32_t) __cvta_generic_to_shared(barrier);
        PTX("mbarrier.arrive.expect_tx.shared::cta.b64 _, [%0], %1;", , PTX_LIST(PTX_U32(at), PTX_U32(bytes)));
        PTX("cp.async.bulk.shared::cluster.global.mbarrier::complete_tx::bytes [%0], [%1], %2, [%3];", ,
            PTX_LIST(PTX_U32((uint32_t) __cvta_generic_to_shared(to)), PTX_U64((uint64_t) __cvta_generic_to_global(from)), PTX_U32(bytes), PTX_U32(at)));
      }

      // All threads wait for the copy, if one has begun.
      static __device__ __forceinline__ void bulk_wait(uint64_t *barrier, bool &begun, uint32_t &phase) {
        if (begun) {
          uint32_t is_there;
          do {
            PTX("{ .reg .pred done; mbarrier.try_wait.parity.shared::cta.b64 done, [%1], %2; selp.u32 %0, 1, 0, done; }", PTX_SET_U32(is_there),
                PTX_LIST(PTX_U32((uint32_t) __cvta_generic_to_shared(barrier)), PTX_U32(phase)));
          } while (!is_there);
          begun = false;
          phase ^= 1;
        }
      }

      """;

  private final Lines lines;
  private final ExprText exprs;
  private final Multiples multiples;

  BulkCopies(Lines lines, ExprText exprs, Multiples multiples) {
    this.lines = lines;
    this.exprs = exprs;
    this.multiples = multiples;
  }

  /// Whether there are any in what the threads of a block do.
  static boolean areIn(Stmt body) {
    return body.nodes().anyMatch(node -> node instanceof Stmt.For loop && isOne(loop));
  }

  /// Whether `loop` is one.
  static boolean isOne(Stmt.For loop) {
    return loop.kind() == Stmt.For.Kind.THREAD && loop.extent().equals(Expr.index(1))
        && loop.body() instanceof Stmt.Store(Buffer to, List<Expr> indices, Expr.Load load) && isOne(to, indices, load);
  }

  private static boolean isOne(Buffer to, List<Expr> indices, Expr.Load load) {
    long bytes = (long) load.type().lanes() * to.type().bytes();
    return to.space() == Buffer.Space.SHARED && load.buffer().space() == Buffer.Space.GLOBAL && bytes > UNIT && bytes % UNIT == 0
        && neighbours(to, indices).isPresent() && neighbours(load.buffer(), load.indices()).isPresent();
  }

  /// The first of lanes that are neighbours in memory.
  private static Optional<List<Expr>> neighbours(Buffer buffer, List<Expr> indices) {
    return LaneOffsets.of(buffer, indices).filter(access -> IntStream.range(0, access.offsets().size()).allMatch(lane -> access.offsets().get(lane) == lane))
        .map(LaneOffsets::indices);
  }

  /// The variables of a thread.
  void start(String barrier) {
    lines.add("uint64_t *const bulk_barrier = (uint64_t *) (" + barrier + ");");
    lines.add("bool bulk_begun = false;");
    lines.add("uint32_t bulk_phase = 0;");
    lines.add("bulk_start(bulk_barrier);");
  }

  /// The copy that `loop` is, by the first thread.
  void copy(Stmt.For loop) {
    Stmt.Store store = (Stmt.Store) loop.body();
    Expr.Load load = (Expr.Load) store.value();
    List<Expr> to = neighbours(store.buffer(), store.indices()).orElseThrow();
    List<Expr> from = neighbours(load.buffer(), load.indices()).orElseThrow();
    int unit = UNIT / load.buffer().type().bytes();
    if (multiples.of(store.buffer(), to) % unit != 0 || multiples.of(load.buffer(), from) % unit != 0) {
      throw new InternalException("a copy of " + load.buffer() + " begins between multiples of " + UNIT + " bytes");
    }
    lines.block("if (threadIdx.x == 0)", () -> lines.add("bulk_copy(" + exprs.accesses().address(store.buffer(), to) + ", "
        + exprs.accesses().address(load.buffer(), from) + ", " + load.type().lanes() * load.buffer().type().bytes() + ", bulk_barrier);"));
    lines.add("bulk_begun = true;");
  }

  /// Waits for what has begun.
  void finish() {
    lines.add("bulk_wait(bulk_barrier, bulk_begun, bulk_phase);");
  }
}
