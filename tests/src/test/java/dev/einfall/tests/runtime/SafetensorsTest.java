package dev.einfall.tests.runtime;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.einfall.frontend.weights.Safetensors;
import dev.einfall.frontend.weights.StoredTensor;
import dev.einfall.ir.CompileException;
import dev.einfall.ir.ElementType;
import java.io.IOException;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class SafetensorsTest {
  private static final String HEADER = """
      {"__metadata__": {"format": "pt"}, "layer.0.weight": {"dtype": "F32", "shape": [2, 2], "data_offsets": [0, 16]},
       "layer.0.bi\\u0061s": {"dtype": "I64", "shape": [1], "data_offsets": [16, 24]}, "odd": {"dtype": "F8_E4M3", "shape": [1], "data_offsets": [0, 1]}}""";

  @TempDir
  private Path directory;

  @Test
  void findsTensorsByKey() throws IOException {
    try (Safetensors file = Safetensors.open(written(HEADER, 24))) {
      assertEquals(List.of("layer.0.weight", "layer.0.bias", "odd"), file.keys());
      StoredTensor weight = file.require("layer.0.weight");
      assertEquals(ElementType.F32, weight.type());
      assertEquals(List.of(2L, 2L), weight.shape());
      assertEquals(3, weight.data().get(ValueLayout.JAVA_BYTE, 3));
      assertTrue(file.find("none").isEmpty());
    }
  }

  @Test
  void tensorsOutliveTheFile() throws IOException {
    StoredTensor weight;
    Safetensors file = Safetensors.open(written(HEADER, 24));
    weight = file.require("layer.0.weight");
    file.close();
    assertEquals(5, weight.data().get(ValueLayout.JAVA_BYTE, 5));
    assertThrows(IllegalStateException.class, () -> file.find("layer.0.weight"));
  }

  @Test
  void namesNearKeysForOneThatIsMissing() throws IOException {
    try (Safetensors file = Safetensors.open(written(HEADER, 24))) {
      var e = assertThrows(CompileException.class, () -> file.require("layer.0.wieght"));
      assertTrue(e.getMessage().contains("holds no tensor 'layer.0.wieght'; did you mean 'layer.0.weight'"), e.getMessage());
    }
  }

  @Test
  void refusesATypeThatIsNotSupportedWhenItIsUsed() throws IOException {
    try (Safetensors file = Safetensors.open(written(HEADER, 24))) {
      var e = assertThrows(CompileException.class, () -> file.find("odd"));
      assertTrue(e.getMessage().contains("tensor 'odd' has the type F8_E4M3, which is not supported"), e.getMessage());
    }
  }

  @Test
  void refusesEveryTruncation() throws IOException {
    Path file = written(HEADER, 24);
    byte[] bytes = Files.readAllBytes(file);
    for (int length = 0; length < bytes.length; length++) {
      refused(Files.write(file, Arrays.copyOf(bytes, length)), "is not a safetensors file");
    }
  }

  @Test
  void refusesHostileHeaders() throws IOException {
    refused(written("{\"a\": {\"dtype\": \"F32\", \"shape\": [2], \"data_offsets\": [0, 99]}}", 8), "is the file truncated");
    refused(written("{\"a\": {\"dtype\": \"F32\", \"shape\": [2], \"data_offsets\": [8, 0]}}", 8), "lies at [8, 0]");
    refused(written("{\"a\": {\"dtype\": \"F32\", \"shape\": [2], \"data_offsets\": [-1, 7]}}", 8), "not of integers");
    refused(written("{\"a\": 1}", 8), "not described by a JSON object");
    refused(written("[1]", 8), "not a JSON object");
    refused(written("{\"a\": {}, \"a\": {}}", 8), "two members 'a'");
    refused(written("[".repeat(100_000), 8), "nested deeper than 64");
    refused(written("{\"a\": {\"dtype\": \"F32\"", 8), "line 1");
  }

  @Test
  void refusesDataThatDoesNotFillTheShape() throws IOException {
    try (Safetensors file = Safetensors.open(
        written("{\"a\": {\"dtype\": \"F32\", \"shape\": [3], \"data_offsets\": [0, 8]}, "
            + "\"b\": {\"dtype\": \"F32\", \"shape\": [999999999999, 999999999999], \"data_offsets\": [0, 8]}}", 8))) {
      assertThrows(CompileException.class, () -> file.find("a"));
      assertThrows(CompileException.class, () -> file.find("b"));
    }
  }

  @Test
  void refusesAFileThatIsNotThere() {
    refused(directory.resolve("none.safetensors"), "there is no such file");
    refused(directory, "it is a directory");
  }

  private static void refused(Path file, String message) {
    var e = assertThrows(CompileException.class, () -> Safetensors.open(file));
    assertTrue(e.getMessage().contains(message), e.getMessage());
    assertTrue(e.getMessage().contains(file.toString()), e.getMessage());
  }

  private Path written(String header, int dataBytes) throws IOException {
    byte[] text = header.getBytes(StandardCharsets.UTF_8);
    ByteBuffer bytes = ByteBuffer.allocate(8 + text.length + dataBytes).order(ByteOrder.LITTLE_ENDIAN);
    bytes.putLong(text.length).put(text);
    for (int i = 0; i < dataBytes; i++) {
      bytes.put((byte) i);
    }
    return Files.write(directory.resolve("w.safetensors"), bytes.array());
  }
}
