package dev.einfall.tests.runtime;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Bits go to the weights by which the program's result changes most, and no more than the budget has.
class QuantizeBudgetTest {
  private static final float[] ONES = QuantizedNet.ones(1, 1);

  @TempDir
  private Path directory;

  private static int bits(String text, String key) {
    Matcher matcher = Pattern.compile("symmetric\\(bits = (\\d), group = 32\\)\\[96, 96\\] = \"" + key).matcher(text);
    assertTrue(matcher.find(), text);
    return Integer.parseInt(matcher.group(1));
  }

  @Test
  void weightsThatMatterHaveMoreBits() throws IOException {
    // The gate's weights are all much smaller than those of the first layer, and their products with them.
    QuantizedNet net = QuantizedNet.write(directory, ONES, ONES, 0.02f);
    // 4 bits and a scale of 32 for each group of 32.
    long budget = 3 * 96 * 96 * 5 / 8;
    CommandLineRun run = net.calibrated("symmetric(bits = 4, group = 32),budget=" + budget, "mixed", "--threads", "1");
    assertEquals(0, run.exitCode(), run.err());
    String text = Files.readString(net.written("mixed"));
    assertTrue(text.contains(", budget " + budget + " bytes, method nearest"), text);
    assertTrue(bits(text, "gate.weight") < 4 && bits(text, "second.weight") > 4, text);
    Matcher taken = Pattern.compile("of these quantized 110592 before, (\\d+) after").matcher(run.out());
    assertTrue(taken.find() && Long.parseLong(taken.group(1)) <= budget, run.out());
    assertEquals(0, net.calibrated("symmetric(bits = 4, group = 32)", "same").exitCode());
    assertTrue(net.difference("mixed") < 0.85 * net.difference("same"), net.difference("mixed") + " and with as many bits for all " + net.difference("same"));
    assertEquals(0, net.calibrated("symmetric(bits = 4, group = 32),budget=" + budget, "again", "--threads", "2").exitCode());
    assertArrayEquals(Files.readAllBytes(net.written("mixed").resolveSibling("model.safetensors")),
        Files.readAllBytes(net.written("again").resolveSibling("model.safetensors")));
  }

  @Test
  void refusesWhatCannotBe() throws IOException {
    QuantizedNet net = QuantizedNet.write(directory, ONES, ONES, 1);
    assertError("the budget is 1105 bytes, and with the fewest bits the weights take 10368: expected no less",
        net.calibrated("symmetric(bits = 4, group = 32),budget=1%", "out"));
    assertError("the policy has a budget 13%, and the format int4(group = 64) no bits to choose: expected such as asymmetric(bits = 4, group = 64)",
        net.calibrated("w4,budget=13%", "out"));
    assertError("the policy has 'budget=much': expected bytes, such as budget=2000000, or a part, such as budget=13%", net.calibrated("w4,budget=much", "out"));
    assertError("a budget needs calibration data: give some by --calibrate", net.quantize("symmetric(bits = 4, group = 32),budget=13%", "out"));
  }

  private static void assertError(String expected, CommandLineRun run) {
    assertTrue(run.err().contains(expected), run.err());
    assertEquals(1, run.exitCode(), run.err());
  }
}
