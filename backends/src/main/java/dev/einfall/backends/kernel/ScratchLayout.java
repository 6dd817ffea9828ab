package dev.einfall.backends.kernel;

import dev.einfall.ir.loop.Buffer;
import dev.einfall.ir.loop.Stmt;
import java.util.IdentityHashMap;
import java.util.Map;

/// Where each local buffer of a kernel lies in the scratch memory, in bytes: buffers that live at different times share.
public record ScratchLayout(Map<Buffer, Long> offsets, long bytes) {
  private static final long ALIGNMENT = 64;

  public static ScratchLayout of(Stmt body) {
    Map<Buffer, Long> offsets = new IdentityHashMap<>();
    return new ScratchLayout(offsets, place(body, 0, offsets));
  }

  /// Places the buffers in `stmt` from `start` on, and returns where the last one ends.
  private static long place(Stmt stmt, long start, Map<Buffer, Long> offsets) {
    long inside = start;
    if (stmt instanceof Stmt.Alloc(Buffer buffer, _) && buffer.space() == Buffer.Space.LOCAL) {
      offsets.put(buffer, start);
      inside = start + Math.ceilDiv(buffer.bytes(), ALIGNMENT) * ALIGNMENT;
    }
    long first = inside;
    return Math.max(inside, stmt.children().mapToLong(child -> place(child, first, offsets)).max().orElse(0));
  }
}
