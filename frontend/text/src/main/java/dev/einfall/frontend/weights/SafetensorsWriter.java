package dev.einfall.frontend.weights;

import dev.einfall.ir.Lines;
import java.io.BufferedOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.stream.Collectors;

/// Writes files in the safetensors format, as [Safetensors] reads them. Tensors of larger elements come first, so that each lies at a multiple of its elements' size.
public final class SafetensorsWriter {
  private static final int ALIGNMENT = 64;
  private static final int BLOCK = 1 << 20;

  private SafetensorsWriter() {}

  /// Writes `tensors` to `file`, all of it or nothing.
  ///
  /// @throws IOException when the file cannot be written
  public static void write(Path file, List<StoredTensor> tensors) throws IOException {
    List<StoredTensor> ordered = tensors.stream().sorted(Comparator.comparing(tensor -> -tensor.type().bytes())).toList();
    Path part = file.resolveSibling(file.getFileName() + ".part");
    try (OutputStream out = new BufferedOutputStream(Files.newOutputStream(part), BLOCK)) {
      byte[] header = header(ordered);
      out.write(ByteBuffer.allocate(Long.BYTES).order(ByteOrder.LITTLE_ENDIAN).putLong(header.length).array());
      out.write(header);
      for (StoredTensor tensor : ordered) {
        write(tensor.data(), out);
      }
    }
    Files.move(part, file, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
  }

  private static void write(MemorySegment data, OutputStream out) throws IOException {
    byte[] block = new byte[(int) Math.min(BLOCK, data.byteSize())];
    for (long offset = 0; offset < data.byteSize(); offset += block.length) {
      int length = (int) Math.min(block.length, data.byteSize() - offset);
      MemorySegment.copy(data, ValueLayout.JAVA_BYTE, offset, block, 0, length);
      out.write(block, 0, length);
    }
  }

  private static byte[] header(List<StoredTensor> tensors) {
    StringBuilder text = new StringBuilder("{");
    long offset = 0;
    for (StoredTensor tensor : tensors) {
      long end = offset + tensor.data().byteSize();
      String shape = tensor.shape().stream().map(String::valueOf).collect(Collectors.joining(","));
      text.append(offset == 0 && text.length() == 1 ? "" : ",").append(Lines.quoted(tensor.key())).append(":{\"dtype\":\"").append(tensor.type().name())
          .append("\",\"shape\":[").append(shape).append("],\"data_offsets\":[").append(offset).append(',').append(end).append("]}");
      offset = end;
    }
    byte[] bytes = text.append('}').toString().getBytes(StandardCharsets.UTF_8);
    int padded = (bytes.length + Long.BYTES + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT - Long.BYTES;
    byte[] header = Arrays.copyOf(bytes, padded);
    Arrays.fill(header, bytes.length, padded, (byte) ' ');
    return header;
  }
}
