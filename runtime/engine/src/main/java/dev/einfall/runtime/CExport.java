package dev.einfall.runtime;

import dev.einfall.backends.c.CProgram;
import dev.einfall.ir.CompileException;
import dev.einfall.ir.cascade.Cascade;
import dev.einfall.ir.loop.KernelPlan;
import dev.einfall.passes.Pipeline;
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
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/// Writes a program as C, with its weights in a file beside the source.
final class CExport {
  private static final long FIRST = 0xcbf29ce484222325L;
  private static final long PRIME = 0x100000001b3L;

  private CExport() {}

  /// Writes the files of a program into `directory`, and gives their names.
  ///
  /// @throws CompileException when a file cannot be written
  static List<Path> write(Cascade cascade, Weights weights, Map<String, Long> sizes, Pipeline pipeline, CProgram.Options options, Path directory) {
    KernelPlan plan = pipeline.compile(cascade, new TreeMap<>(sizes));
    List<CProgram.Place> places = CProgram.places(plan);
    CProgram program = CProgram.of(plan, digest(places, weights), options);
    List<Path> written = new ArrayList<>();
    try {
      Files.createDirectories(directory);
      for (Map.Entry<String, String> file : program.files().entrySet()) {
        written.add(Files.writeString(directory.resolve(file.getKey()), file.getValue()));
      }
      if (!places.isEmpty()) {
        written.add(writeWeights(directory.resolve(program.name() + ".weights"), places, weights));
      }
      return written;
    } catch (IOException e) {
      throw CompileException.of("cannot write C into " + directory + ": " + e);
    }
  }

  /// FNV-1a over the words of 64 bits that come after the heading: what is between weights is zero.
  private static long digest(List<CProgram.Place> places, Weights weights) {
    long digest = FIRST;
    for (CProgram.Place place : places) {
      MemorySegment data = weights.get(place.key()).data();
      long whole = data.byteSize() / Long.BYTES * Long.BYTES;
      for (long offset = 0; offset < whole; offset += Long.BYTES) {
        digest = (digest ^ data.get(ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN), offset)) * PRIME;
      }
      digest = tail(digest, data, whole, padding(place));
    }
    return digest;
  }

  /// The last word, which is not whole, and the zeros after it.
  private static long tail(long before, MemorySegment data, long whole, int padding) {
    byte[] rest = new byte[(int) (data.byteSize() - whole) + padding];
    MemorySegment.copy(data, ValueLayout.JAVA_BYTE, whole, rest, 0, (int) (data.byteSize() - whole));
    ByteBuffer words = ByteBuffer.wrap(rest).order(ByteOrder.LITTLE_ENDIAN);
    long digest = before;
    while (words.remaining() >= Long.BYTES) {
      digest = (digest ^ words.getLong()) * PRIME;
    }
    return digest;
  }

  private static int padding(CProgram.Place place) {
    return (int) (Math.ceilDiv(place.bytes(), CProgram.ALIGNMENT) * CProgram.ALIGNMENT - place.bytes());
  }

  private static Path writeWeights(Path file, List<CProgram.Place> places, Weights weights) throws IOException {
    try (OutputStream out = new BufferedOutputStream(Files.newOutputStream(file), 1 << 20)) {
      byte[] heading = new byte[CProgram.HEADING];
      byte[] magic = CProgram.MAGIC.getBytes(StandardCharsets.US_ASCII);
      System.arraycopy(magic, 0, heading, 0, magic.length);
      out.write(heading);
      byte[] block = new byte[1 << 20];
      for (CProgram.Place place : places) {
        MemorySegment data = weights.get(place.key()).data();
        for (long offset = 0; offset < data.byteSize(); offset += block.length) {
          int length = (int) Math.min(block.length, data.byteSize() - offset);
          MemorySegment.copy(data, ValueLayout.JAVA_BYTE, offset, block, 0, length);
          out.write(block, 0, length);
        }
        out.write(new byte[padding(place)]);
      }
    }
    return file;
  }
}
