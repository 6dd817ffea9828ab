package dev.einfall.tests.runtime;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.einfall.ir.CompileException;
import dev.einfall.runtime.Einfall;
import dev.einfall.runtime.Options;
import dev.einfall.runtime.Program;
import dev.einfall.runtime.Tensor;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// A program and its weights file.
class WeightsTest {
  @TempDir
  private Path directory;

  private Path program(String weight) throws IOException {
    return Files.writeString(directory.resolve("scale.ein"), """
        weights "scale.safetensors"
        def scale(X: f32[M, N]) -> f32[M, N] {
          weight %s
          Y[m, n] = X[m, n] * W[n]
          return Y
        }
        """.formatted(weight));
  }

  private Path weights(int bytes) throws IOException {
    byte[] header = "{\"layer.scale\":{\"dtype\":\"F32\",\"shape\":[3],\"data_offsets\":[0,12]}}".getBytes(StandardCharsets.UTF_8);
    ByteBuffer file = ByteBuffer.allocate(8 + header.length + 12).order(ByteOrder.LITTLE_ENDIAN);
    file.putLong(header.length).put(header).putFloat(1).putFloat(10).putFloat(100);
    return Files.write(directory.resolve("scale.safetensors"), Arrays.copyOf(file.array(), file.capacity() - 12 + bytes));
  }

  @Test
  void areReadFromTheFileThatTheProgramNames() throws IOException {
    weights(12);
    try (Program program = Einfall.compile(program("W: f32[N] = \"layer.scale\""), Options.defaults());
        Tensor x = Tensor.of(new float[] {1, 2, 3, 4, 5, 6}, 2, 3);
        Tensor y = program.run(Map.of("X", x)).get("Y")) {
      assertArrayEquals(new float[] {1, 20, 300, 4, 50, 600}, y.floats());
    }
  }

  @Test
  void areThoseOfAProgramThatIsReadForEachSize() throws IOException {
    weights(12);
    Path program = Files.writeString(directory.resolve("scale.ein"), """
        weights "scale.safetensors"
        def scale(X: f32[M, N]) -> f32[M, N] {
          weight W: f32[N] = "layer.scale"
          for m in 0..M {
            X[m, n] = X[m, n] * W[n]
          }
          return X
        }
        """.replace("X[m, n] = X[m, n] * W[n]", "X[i, n] = where(i == m, X[i, n] * W[n], X[i, n])"));
    try (Program compiled = Einfall.compile(program, Options.defaults());
        Tensor x = Tensor.of(new float[] {1, 2, 3, 4, 5, 6}, 2, 3);
        Tensor y = compiled.run(Map.of("X", x)).get("X");
        Tensor narrow = Tensor.of(new float[4], 2, 2)) {
      assertArrayEquals(new float[] {1, 20, 300, 4, 50, 600}, y.floats());
      var e = assertThrows(CompileException.class, () -> compiled.run(Map.of("X", narrow)));
      assertTrue(e.getMessage().contains("'layer.scale'"), e.getMessage());
    }
  }

  @Test
  void bindSizesThatInputsMustFit() throws IOException {
    weights(12);
    try (Program program = Einfall.compile(program("W: f32[N] = \"layer.scale\""), Options.defaults());
        Tensor x = Tensor.of(new float[4], 2, 2)) {
      var e = assertThrows(IllegalArgumentException.class, () -> program.run(Map.of("X", x)));
      assertTrue(e.getMessage().contains("N is 3 by"), e.getMessage());
    }
  }

  @Test
  void thatAreMissingAreNamed() throws IOException {
    weights(12);
    refused("W: f32[N] = \"layer.scales\"", "holds no tensor 'layer.scales'; did you mean 'layer.scale'?");
  }

  @Test
  void thatAreTruncatedAreNamed() throws IOException {
    weights(5);
    refused("W: f32[N] = \"layer.scale\"", "scale.safetensors is not a safetensors file", "truncated");
  }

  @Test
  void ofAnotherTypeAreNamed() throws IOException {
    weights(12);
    refused("W: i32[N] = \"layer.scale\"", "has the type f32, declared i32");
  }

  @Test
  void ofAnotherShapeAreNamed() throws IOException {
    weights(12);
    refused("W: f32[N + 4] = \"layer.scale\"", "has 3 at dimension 0, which is declared N + 4: no numbers for N make it so");
    refused("W: f32[N, 1] = \"layer.scale\"", "has the shape [3], but 2 ranks are declared: [N, 1]");
  }

  private void refused(String weight, String... messages) throws IOException {
    Path program = program(weight);
    String text = Files.readString(program).replace("W[n]", weight.contains("i32") ? "f32(W[n])" : weight.contains(",") ? "W[n, 0]" : "W[n + 0]");
    var e = assertThrows(CompileException.class, () -> Einfall.compile(Files.writeString(program, text), Options.defaults()));
    for (String message : messages) {
      assertTrue(e.getMessage().contains(message), e.getMessage());
    }
  }
}
