package dev.einfall.runtime;

import dev.einfall.backends.c.CProgram;
import dev.einfall.ir.CompileException;
import dev.einfall.ir.loop.KernelPlan;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;

/// A program as C, with its weights in a file beside the source.
record CExport(KernelPlan plan, Weights weights, CProgram.Options form) {
  private static final long FIRST = 0xcbf29ce484222325L;
  private static final long PRIME = 0x100000001b3L;

  CProgram program() {
    return CProgram.of(plan, digest(CProgram.places(plan)), form);
  }

  /// Writes all files into `directory`, and gives their names.
  ///
  /// @throws CompileException when a file cannot be written
  List<Path> write(Path directory) {
    CProgram program = program();
    List<Path> written = new ArrayList<>();
    try {
      Files.createDirectories(directory);
      for (Map.Entry<String, String> file : program.files().entrySet()) {
        written.add(Files.writeString(directory.resolve(file.getKey()), file.getValue()));
      }
      if (!program.weights().isEmpty()) {
        written.add(writeWeights(directory.resolve(program.name() + ".weights"), program.weights()));
      }
      return written;
    } catch (IOException e) {
      throw CompileException.of("cannot write C into " + directory + ": " + e);
    }
  }

  /// FNV-1a over the words of 64 bits that come after the heading: what is between weights is zero.
  private long digest(List<CProgram.Place> places) {
    long digest = FIRST;
    for (CProgram.Place place : places) {
      MemorySegment data = weights.get(place.key()).data();
      long whole = data.byteSize() / Long.BYTES * Long.BYTES;
      for (long offset = 0; offset < whole; offset += Long.BYTES) {
        digest = (digest ^ data.get(ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN), offset)) * PRIME;
      }
      digest = tail(digest, data, whole, WeightsExport.padding(place.bytes(), CProgram.ALIGNMENT));
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

  private Path writeWeights(Path file, List<CProgram.Place> places) throws IOException {
    byte[] heading = Arrays.copyOf(CProgram.MAGIC.getBytes(StandardCharsets.US_ASCII), CProgram.HEADING);
    return new WeightsExport(weights, places.stream().map(CProgram.Place::key).toList(), CProgram.ALIGNMENT).write(file, heading);
  }
}
