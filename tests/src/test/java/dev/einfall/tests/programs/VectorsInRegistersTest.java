package dev.einfall.tests.programs;

import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.einfall.ir.Source;
import dev.einfall.runtime.Einfall;
import dev.einfall.runtime.Options;
import dev.einfall.runtime.Program;
import dev.einfall.runtime.Tensor;
import java.lang.management.ManagementFactory;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.parallel.Isolated;

/// Products with weights of few bits keep vectors in registers, whatever ran in the JVM before: C2 inlines less in code that is long, or that it takes for rare, and makes objects
/// of vectors then, which is 10 to 100 times slower, and nothing else is wrong.
@Isolated("waits for the just-in-time compiler")
class VectorsInRegistersTest {
  private static final int ROWS = 16;
  private static final int COLUMNS = 768;
  private static final int STEPS = 1024;
  /// Rows that a program rounds to bits, so that products count these.
  private static final String BITS = """
      import std.formats.%1$s
      def main(X: f32[M, %2$d]) -> f32[M, %3$d] {
        weight W: %4$s[%3$d, %2$d] = "W"
        scale, code = encode_ternary(X, %2$d)
        Q = decode_ternary(scale, code, %2$d)
        Y[m, n] = sum[k](Q[m, k] * W[n, k])
        return Y
      }
      """;
  private static final int RUNS = 10;
  /// Results and the like of some runs; vectors in objects are a hundred times as many bytes.
  private static final long FEW_BYTES = RUNS * 40_000;
  /// How many runs there are at most until code that met something new is compiled again: a number and no time, so that other load does not count.
  private static final int MOST_RUNS = 1_000;

  @Test
  void productsOneAfterTheOtherMakeNoObjectsOfVectors() {
    List<String> objects = new ArrayList<>();
    for (String format : List.of("codebooks nf4(group = 64)", "codebooks any4(group = 64)", "codebooks dynamic8(group = 64)", "integers symmetric(bits = 3, group = 64)",
        "integers ternary(group = 64)", "microscaling nvfp4", "gguf gguf_q4_k")) {
      see(FormatProduct.PROGRAM, format, 1, objects);
    }
    see(BITS, "integers binary(group = 64)", ROWS, objects);
    see(BITS, "integers ternary(group = 64)", ROWS, objects);
    assertTrue(objects.isEmpty(), () -> "vectors in objects: " + String.join(", ", objects));
  }

  private static void see(String program, String format, int rows, List<String> objects) {
    String[] words = format.split(" ", 2);
    String text = program.formatted(words[0], STEPS, COLUMNS, words[1]);
    Options options = Options.defaults().withThreads(1).withWeights(RandomCodes.of(words[1], FormatProduct.cascade(text, rows)));
    Map<String, Tensor> inputs = Map.of("X", Tensor.of(numbers(rows * STEPS), rows, STEPS));
    try (Program product = Einfall.compile(new Source("product.ein", text), options)) {
      product.prepareFor(inputs);
      long bytes = allocated(product, inputs);
      for (int runs = RUNS; bytes > FEW_BYTES && runs < MOST_RUNS; runs += RUNS) {
        bytes = allocated(product, inputs);
      }
      if (bytes > FEW_BYTES) {
        objects.add("%s with %d rows (%d bytes a run)".formatted(format, rows, bytes / RUNS));
      }
    }
    inputs.values().forEach(Tensor::close);
  }

  private static float[] numbers(int count) {
    SplittableRandom random = new SplittableRandom(count);
    float[] numbers = new float[count];
    for (int i = 0; i < count; i++) {
      numbers[i] = (float) random.nextDouble(-1, 1);
    }
    return numbers;
  }

  private static long allocated(Program program, Map<String, Tensor> inputs) {
    var threads = (com.sun.management.ThreadMXBean) ManagementFactory.getThreadMXBean();
    long before = threads.getCurrentThreadAllocatedBytes();
    for (int i = 0; i < RUNS; i++) {
      program.run(inputs).values().forEach(Tensor::close);
    }
    return threads.getCurrentThreadAllocatedBytes() - before;
  }
}
