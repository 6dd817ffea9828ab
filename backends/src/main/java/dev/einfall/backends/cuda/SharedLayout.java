package dev.einfall.backends.cuda;

import dev.einfall.ir.loop.Buffer;
import dev.einfall.ir.loop.Expr;
import dev.einfall.ir.loop.Stmt;
import java.util.Comparator;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;

/// Where the `SHARED` buffers of a kernel lie: in the memory of a multiprocessor as far as they fit, the largest in memory of the device that each block
/// has a part of.
///
/// @param offsets in bytes, in one or the other
/// @param outside the buffers in the device's memory
/// @param sharedBytes of the multiprocessor's memory for a block
/// @param scratchBytes of the device's memory for a block
/// @param combiningAt where threads exchange what they combine, if they do
/// @param bulkAt where they wait for [BulkCopies], if there are any
record SharedLayout(Map<Buffer, Long> offsets, Map<Buffer, Boolean> outside, long sharedBytes, long scratchBytes, long combiningAt, long bulkAt) {
  /// What every GPU gives a block that does not ask for more.
  static final long EVERYWHERE = 48 << 10;
  /// What the largest, from sm_90 on, give one that does.
  static final long MOST = 227 << 10;
  /// What the tiles of warps need.
  private static final long ALIGNMENT = 32;

  /// @param most of the multiprocessor's memory
  static SharedLayout of(Stmt body, long most) {
    List<Buffer> buffers = body.nodes().filter(Stmt.Alloc.class::isInstance).map(alloc -> ((Stmt.Alloc) alloc).buffer())
        .filter(buffer -> buffer.space() == Buffer.Space.SHARED).toList();
    Map<Buffer, Boolean> outside = new IdentityHashMap<>();
    boolean combines = body.nodes().flatMap(Stmt::exprs).flatMap(Expr::nodes).anyMatch(Expr.ReduceLanes.class::isInstance);
    long combining = combines ? BlockReductions.SHARED_BYTES : 0;
    long bulk = BulkCopies.areIn(body) ? BulkCopies.SHARED_BYTES : 0;
    long shared = buffers.stream().mapToLong(SharedLayout::bytes).sum() + combining + bulk;
    for (Buffer buffer : buffers.stream().sorted(Comparator.comparingLong(Buffer::bytes).reversed()).toList()) {
      if (shared > most) {
        outside.put(buffer, true);
        shared -= bytes(buffer);
      }
    }
    Map<Buffer, Long> offsets = new IdentityHashMap<>();
    long inside = 0;
    long scratch = 0;
    for (Buffer buffer : buffers) {
      if (outside.containsKey(buffer)) {
        offsets.put(buffer, scratch);
        scratch += bytes(buffer);
      } else {
        offsets.put(buffer, inside);
        inside += bytes(buffer);
      }
    }
    return new SharedLayout(offsets, outside, inside + combining + bulk, scratch, inside, inside + combining);
  }

  /// Whether `buffer` lies in the memory of the multiprocessor.
  boolean isInside(Buffer buffer) {
    return offsets.containsKey(buffer) && !outside.containsKey(buffer);
  }

  /// The address of `buffer` for a thread.
  String place(Buffer buffer) {
    return (outside.containsKey(buffer) ? "scratch" : "einfall_shared") + " + " + offsets.get(buffer);
  }

  private static long bytes(Buffer buffer) {
    return (Math.max(1, buffer.bytes()) + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
  }
}
