package dev.einfall.tests.runtime;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;

/// What `einfall explain` says to wrong options, and how options change what it says.
class ExplainTest {
  private static final String SOFTMAX = "../grammar/examples/softmax.ein";

  @Test
  void refusesToFuseWhatIsNotThere() {
    assertError("error: --fuse E,Q: there is no tensor Q; the program defines E, Y", "--fuse", "E,Q");
    assertError("error: --fuse X,Y: X is given, and not computed", "--fuse", "X,Y");
    assertError("error: --fuse E: expected two tensors, such as --fuse S,Z", "--fuse", "E");
  }

  @Test
  void refusesToCompileForNoThread() {
    assertError("error: --threads is 0: expected at least 1", "--threads", "0");
  }

  @Test
  void asksForSizesOnlyToGoOn() {
    CommandLineRun run = CommandLineRun.of("explain", SOFTMAX, "--size", "M=4");
    assertEquals(0, run.exitCode(), run.err());
    assertTrue(run.out().contains("Passes, as written"), run.out());
    assertTrue(run.out().endsWith("Give a number for each of the sizes N, such as --size N=128, to see what the compiler makes of it.\n"), run.out());
  }

  @Test
  void measuresByTheLimitsGiven() {
    CommandLineRun run = CommandLineRun.of("explain", SOFTMAX, "--size", "M=4", "--size", "N=16", "--peak", "100", "--bandwidth", "10");
    assertTrue(run.out().contains("100 G operations/s, 10.0 GB/s from memory: 10.0 a byte balance (as given)"), run.out());
  }

  @Test
  void measuresEachKernelBesideWhatItTakesAtLeast() {
    CommandLineRun run = CommandLineRun.of("explain", SOFTMAX, "--measure", "--in", "X=rand:64x1000", "--threads", "1", "--peak", "100", "--bandwidth", "10");
    assertEquals(0, run.exitCode(), run.err());
    assertTrue(run.out().startsWith("100 G operations/s, 10.0 GB/s from memory: 10.0 a byte balance (as given, as given)\n"), run.out());
    assertTrue(run.out().matches("(?s).*\\n  Y softmax.ein:\\d+:\\d+ +1 +[\\d.]+ M +512 kB +51.2 us +[\\d.]+ [mu]s +\\d+ %.*"), run.out());
  }

  @Test
  void tellsWhatRoundedFactorsChange() {
    CommandLineRun run = CommandLineRun.of("explain", SOFTMAX, "--measure", "--in", "X=rand:64x1000", "--peak", "100", "--bandwidth", "10", "--compute", "bf16");
    assertEquals(0, run.exitCode(), run.err());
    assertTrue(run.out().endsWith("\nWith factors of bf16, on these inputs, outputs differ from those in f32, as parts of the largest magnitude, by\n"
        + "  Y: f32[M, N]: 0.0e+00 at most, 0.0e+00 in the mean, cosine 1.000000\n"), run.out());
  }

  @Test
  void measuresNothingWithoutInputs() {
    assertError("error: --in X=rand: give a number for each size in X: f32[M, N], such as --size M=8", "--measure", "--peak", "1", "--bandwidth", "1");
  }

  @Test
  void tellsTheLoopsOfKernelsAndWhyTheyWereChosen() {
    CommandLineRun run = CommandLineRun.of("explain", SOFTMAX, "--size", "M=64", "--size", "N=256", "--vector-bytes", "32", "--threads", "1");
    assertEquals(0, run.exitCode(), run.err());
    assertTrue(run.out().matches("(?s).*\\nKernels\\n\\n  1\\. [^\\n]*: one kernel over m\\n       keeps [\\d.]+ k?B at a time: .*; vectorize n0\\n.*"), run.out());
    assertTrue(run.out().matches("(?s).*\\nChoices of the cost model\\n.*  choose-mappings Y +n [^\\n]* cycles  of \\d+, next .*"), run.out());
  }

  private static void assertError(String message, String... options) {
    String[] arguments = new String[options.length + 2];
    arguments[0] = "explain";
    arguments[1] = SOFTMAX;
    System.arraycopy(options, 0, arguments, 2, options.length);
    CommandLineRun run = CommandLineRun.of(arguments);
    assertEquals(1, run.exitCode(), run.out());
    assertEquals(message, run.err().strip());
  }
}
