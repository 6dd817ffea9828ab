package dev.einfall.tests.runtime;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.einfall.frontend.weights.Gguf;
import dev.einfall.frontend.weights.GgufValue;
import dev.einfall.frontend.weights.StoredTensor;
import dev.einfall.ir.CompileException;
import dev.einfall.ir.ElementType;
import dev.einfall.runtime.Einfall;
import dev.einfall.runtime.Options;
import dev.einfall.runtime.Program;
import dev.einfall.runtime.Tensor;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.math.BigInteger;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class GgufTest {
  private static final int F32 = 0;
  private static final int Q8_0 = 8;
  private static final int Q4_K = 12;
  private static final int Q5_K = 13;

  @TempDir
  private Path directory;

  /// Writes what a file of this format has, one thing after the other.
  private static final class Bytes {
    private final ByteArrayOutputStream bytes = new ByteArrayOutputStream();

    /// A head of version 3.
    static Bytes head(long tensors, long pairs) {
      return new Bytes().raw("GGUF".getBytes(StandardCharsets.UTF_8)).i32(3).i64(tensors).i64(pairs);
    }

    Bytes raw(byte... more) {
      bytes.writeBytes(more);
      return this;
    }

    Bytes i32(int value) {
      return raw(ByteBuffer.allocate(4).order(ByteOrder.LITTLE_ENDIAN).putInt(value).array());
    }

    Bytes i64(long value) {
      return raw(ByteBuffer.allocate(8).order(ByteOrder.LITTLE_ENDIAN).putLong(value).array());
    }

    Bytes text(String value) {
      byte[] utf = value.getBytes(StandardCharsets.UTF_8);
      return i64(utf.length).raw(utf);
    }

    /// @param extents the innermost first
    Bytes tensor(String name, int type, long offset, long... extents) {
      text(name).i32(extents.length);
      Arrays.stream(extents).forEach(this::i64);
      return i32(type).i64(offset);
    }

    Bytes toMultipleOf(int alignment) {
      return raw(new byte[(alignment - bytes.size() % alignment) % alignment]);
    }
  }

  private Path written(Bytes bytes) throws IOException {
    return Files.write(directory.resolve("w.gguf"), bytes.bytes.toByteArray());
  }

  /// A matrix of 2 rows of 3 floats, and one of 2 rows of 64 numbers in blocks of 32, each of which has the scale 1.
  private static Bytes usual() {
    Bytes bytes = Bytes.head(2, 4).text("general.name").i32(8).text("small").text("general.alignment").i32(4).i32(64)
        .text("a.list").i32(9).i32(5).i64(2).i32(-1).i32(7).text("a.truth").i32(7).raw((byte) 1)
        .tensor("plain", F32, 0, 3, 2).tensor("packed", Q8_0, 64, 64, 2).toMultipleOf(64);
    for (int i = 0; i < 6; i++) {
      bytes.i32(Float.floatToIntBits(i));
    }
    bytes.toMultipleOf(64);
    for (int block = 0; block < 4; block++) {
      bytes.raw((byte) 0, (byte) 0x3C);
      for (int i = 0; i < 32; i++) {
        bytes.raw((byte) (block * 32 + i - 64));
      }
    }
    return bytes;
  }

  @Test
  void findsTensorsAndMetadata() throws IOException {
    try (Gguf file = Gguf.open(written(usual()))) {
      assertEquals(List.of("plain", "packed.blocks"), file.keys());
      StoredTensor plain = file.require("plain");
      assertEquals(List.of(2L, 3L), plain.shape());
      assertEquals(ElementType.F32, plain.type());
      StoredTensor packed = file.require("packed.blocks");
      assertEquals(List.of(2L, 2L, 34L), packed.shape());
      assertEquals(ElementType.U8, packed.type());
      assertEquals(new GgufValue.Text("small"), file.metadata().get("general.name"));
      assertEquals(new GgufValue.Items(List.of(whole(-1), whole(7))), file.metadata().get("a.list"));
      assertEquals(new GgufValue.Truth(true), file.metadata().get("a.truth"));
      var e = assertThrows(CompileException.class, () -> file.require("packed"));
      assertTrue(e.getMessage().contains("holds no tensor 'packed'"), e.getMessage());
    }
  }

  private static GgufValue whole(long value) {
    return new GgufValue.Whole(BigInteger.valueOf(value));
  }

  @Test
  void programsReadBlocksWhereTheyLie() throws IOException {
    written(usual());
    Path file = Files.writeString(directory.resolve("p.ein"), """
        import std.formats.gguf
        weights "w.gguf"
        def main(X: f32[64]) -> (f32[2], f32[2, 3]) {
          weight P: f32[2, 3] = "plain"
          weight W: gguf_q8_0[2, 64] = "packed"
          Y[n] = X[k] * W[n, k]
          return Y, P
        }
        """);
    float[] x = new float[64];
    x[0] = 1;
    x[63] = 2;
    try (Program program = Einfall.compile(file, Options.defaults().withThreads(1).withWarmUp(false)); Tensor input = Tensor.of(x, 64)) {
      Map<String, Tensor> outputs = program.run(Map.of("X", input));
      assertArrayEquals(new float[] {-64 + 2 * -1, 2 * 63}, outputs.get("Y").floats());
      assertArrayEquals(new float[] {0, 1, 2, 3, 4, 5}, outputs.get("P").floats());
      outputs.values().forEach(Tensor::close);
    }
  }

  @Test
  void refusesEveryTruncation() throws IOException {
    byte[] bytes = usual().bytes.toByteArray();
    Path file = directory.resolve("w.gguf");
    for (int length = 0; length < bytes.length; length++) {
      Files.write(file, Arrays.copyOf(bytes, length));
      var e = assertThrows(CompileException.class, () -> Gguf.open(file));
      assertTrue(e.getMessage().contains(file + " is not a GGUF file: "), e.getMessage());
    }
  }

  /// No byte of the head can be damaged so that more than a message comes of it.
  @Test
  void survivesEveryDamagedByte() throws IOException {
    byte[] bytes = usual().bytes.toByteArray();
    Path file = directory.resolve("w.gguf");
    for (int i = 0; i < 320; i++) {
      for (int bits : new int[] {1, 0x80, 0xFF}) {
        byte[] damaged = bytes.clone();
        damaged[i] ^= (byte) bits;
        Files.write(file, damaged);
        try (Gguf opened = Gguf.open(file)) {
          opened.keys().forEach(key -> attempt(opened, key));
        } catch (CompileException e) {
          assertTrue(e.getMessage().contains("w.gguf"), e.getMessage());
        }
      }
    }
  }

  private static void attempt(Gguf file, String key) {
    try {
      file.find(key);
    } catch (CompileException e) {
      assertTrue(e.getMessage().contains("which is not supported"), e.getMessage());
    }
  }

  @Test
  void refusesWhatItDoesNotKnow() throws IOException {
    refused("it does not begin with GGUF", new Bytes().text("something else"));
    refused("it is of version 1", new Bytes().raw("GGUF".getBytes(StandardCharsets.UTF_8)).i32(1));
    refused("big-endian", new Bytes().raw("GGUF".getBytes(StandardCharsets.UTF_8)).i32(3 << 24));
    refused("it would have 9 tensors", Bytes.head(9, 0));
    refused("it would have 18446744073709551615 metadata", Bytes.head(0, -1));
    refused("which is no type of a value", Bytes.head(0, 1).text("key").i32(99));
    refused("nested deeper than 8", nested(Bytes.head(0, 1).text("key").i32(9), 9));
    refused("two values of 'a'", Bytes.head(0, 2).text("a").i32(5).i32(1).text("a").i32(5).i32(2));
    refused("alignment is no power of two", Bytes.head(0, 1).text("general.alignment").i32(4).i32(24));
    refused("two tensors 'a'", Bytes.head(2, 0).tensor("a", F32, 0, 1).tensor("a", F32, 0, 1).raw(new byte[64]));
    refused("would have 4294967295 dimensions", Bytes.head(1, 0).text("a").i32(-1).raw(new byte[64]));
    refused("has a negative size", Bytes.head(1, 0).tensor("a", F32, 0, -4).raw(new byte[64]));
    refused("are no whole blocks of 256, as Q4_K has them", Bytes.head(1, 0).tensor("a", Q4_K, 0, 128, 2).raw(new byte[640]));
    refused("more bytes than can be counted", Bytes.head(1, 0).tensor("a", F32, 0, 1L << 40, 1L << 40).raw(new byte[64]));
    refused("is the file truncated", Bytes.head(1, 0).tensor("a", F32, 1 << 20, 4).raw(new byte[64]));
    refused("is the file truncated", Bytes.head(1, 0).tensor("a", F32, -8, 4).raw(new byte[64]));
  }

  private static Bytes nested(Bytes bytes, int depth) {
    for (int i = 0; i < depth; i++) {
      bytes.i32(9).i64(1);
    }
    return bytes.i32(0).i64(0).raw(new byte[32]);
  }

  private void refused(String message, Bytes bytes) throws IOException {
    Path file = written(bytes);
    var e = assertThrows(CompileException.class, () -> Gguf.open(file));
    assertTrue(e.getMessage().contains(file + " is not a GGUF file: ") && e.getMessage().contains(message), e.getMessage());
  }

  @Test
  void refusesATypeThatIsNotSupportedWhenItIsUsed() throws IOException {
    try (Gguf file = Gguf.open(written(Bytes.head(1, 0).tensor("a", Q5_K, 0, 256).raw(new byte[640])))) {
      var e = assertThrows(CompileException.class, () -> file.find("a"));
      assertTrue(e.getMessage().contains("tensor 'a' has the type 13 of ggml, which is not supported"), e.getMessage());
    }
  }
}
