package dev.einfall.tests.runtime;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// `einfall quantize` with formats whose parts are not all rows of scales and of codes. What their bits leave of normal numbers is known: 2^-bits and a half of it, about.
class QuantizeFormatsTest {
  @TempDir
  private Path directory;

  /// @param bytes of the three weights, which took 110592
  @ParameterizedTest
  @CsvSource(delimiter = ';', value = {"symmetric_tensor(bits = 8); 0.02; 27660", "e8p; 0.5; 8064", "bit_stack(blocks = 2, rank = 2); 0.8; 11520"})
  void writesAnyFormat(String policy, double most, long bytes) throws IOException {
    QuantizedNet net = QuantizedNet.write(directory, QuantizedNet.ones(24, 1), QuantizedNet.ones(24, 1));
    CommandLineRun run = net.quantize(policy, "out");
    assertEquals(0, run.exitCode(), run.err());
    assertTrue(run.out().contains("of these quantized 110592 before, " + bytes + " after"), run.out());
    String text = Files.readString(net.written("out"));
    assertTrue(text.contains("  weight W: " + policy + "[96, 96] = \"first.weight\"\n"), text);
    double difference = net.difference("out");
    assertTrue(difference < most, "difference " + difference);
  }

  /// How many bytes codes take is found for each weight; numbers of `bf16` are stored without any loss, in less than three quarters of what they took.
  @Test
  void findsTheSizesOfAFormatThatDependOnTheElements() throws IOException {
    float[] values = QuantizedNet.normal(96 * 96, 1);
    for (int i = 0; i < values.length; i++) {
      values[i] = Float.intBitsToFloat(Float.floatToRawIntBits(values[i]) & 0xFFFF0000);
    }
    String program = """
        weights "model.safetensors"

        def main(X: f32[B, 96]) -> f32[B, 96] {
          weight W: f32[96, 96] = "weight"
          Y[b, n] = sum[k](X[b, k] * W[n, k])
          return Y
        }
        """;
    QuantizedNet net = QuantizedNet.of(directory, program, List.of(QuantizedNet.stored("weight", values, 96, 96)), QuantizedNet.normal(96 * 96, 2));
    CommandLineRun run = net.quantize("dfloat11(block = 48)", "out");
    assertEquals(0, run.exitCode(), run.err());
    Matcher type = Pattern.compile("weight W: dfloat11\\(bytes = (\\d+), block = 48\\)\\[96, 96\\] = \"weight\"").matcher(Files.readString(net.written("out")));
    assertTrue(type.find(), Files.readString(net.written("out")));
    int stored = Integer.parseInt(type.group(1)) + 192 * Integer.BYTES + 96 * 96 + 24 * Integer.BYTES + 256;
    assertTrue(run.out().contains("of these quantized 36864 before, " + stored + " after"), run.out());
    assertTrue(stored < 0.75 * 96 * 96 * Short.BYTES, stored + " bytes");
    assertTrue(run.err().contains("error 0.0000"), run.err());
    assertEquals(0, net.difference("out"), 1e-7);
  }

  @ParameterizedTest
  @CsvSource(delimiter = ';', value = {"low-rank=4,dfloat11(block = 32); expected neither awq nor low-rank beside it", "w8,cache=dfloat11(block = 32); only weights have such",
      "dfloat11; takes block: write dfloat11(block = 64)"})
  void saysWhereSuchAFormatDoesNotFit(String policy, String message) throws IOException {
    QuantizedNet net = QuantizedNet.write(directory, QuantizedNet.ones(24, 1), QuantizedNet.ones(24, 1));
    CommandLineRun run = net.calibrated(policy, "out");
    assertEquals(1, run.exitCode());
    assertTrue(run.err().contains(message), run.err());
  }
}
