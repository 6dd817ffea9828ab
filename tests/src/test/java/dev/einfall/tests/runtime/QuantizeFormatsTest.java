package dev.einfall.tests.runtime;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// `einfall quantize` with formats whose parts are not all rows of scales and of codes. What their bits leave of normal numbers is known: 2^-bits and a half of it, about.
class QuantizeFormatsTest {
  @TempDir
  private Path directory;

  /// @param bytes of the three weights, which took 110592
  @ParameterizedTest
  @CsvSource(delimiter = ';', value = {"symmetric_tensor(bits = 8); 0.02; 27660", "bipolar(bits = 4, group = 32); 0.2; 17280", "dint(bits = 4, group = 32); 0.2; 17280",
      "matryoshka4(group = 32); 0.2; 18144", "matryoshka3(group = 32); 0.35; 14688", "e8p; 0.5; 8064", "bit_stack(blocks = 4, rank = 4); 0.35; 32256"})
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
}
