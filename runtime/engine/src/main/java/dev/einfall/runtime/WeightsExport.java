package dev.einfall.runtime;

import java.io.BufferedOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/// Weights one after the other in a file, as programs without a JVM read them.
///
/// @param keys which, in order
/// @param alignment the bytes that each takes a multiple of, with zeros at its end
record WeightsExport(Weights weights, List<String> keys, int alignment) {
  private static final int BLOCK = 1 << 20;

  /// Writes `heading` and the weights.
  Path write(Path file, byte[] heading) throws IOException {
    try (OutputStream out = new BufferedOutputStream(Files.newOutputStream(file), BLOCK)) {
      out.write(heading);
      byte[] block = new byte[BLOCK];
      for (String key : keys) {
        MemorySegment data = weights.get(key).data();
        for (long offset = 0; offset < data.byteSize(); offset += block.length) {
          int length = (int) Math.min(block.length, data.byteSize() - offset);
          MemorySegment.copy(data, ValueLayout.JAVA_BYTE, offset, block, 0, length);
          out.write(block, 0, length);
        }
        out.write(new byte[padding(data.byteSize(), alignment)]);
      }
    }
    return file;
  }

  /// The zeros after so many bytes.
  static int padding(long bytes, int alignment) {
    return Math.floorMod(-bytes, alignment);
  }
}
