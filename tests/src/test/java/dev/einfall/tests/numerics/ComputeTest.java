package dev.einfall.tests.numerics;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ai.djl.huggingface.tokenizers.Encoding;
import ai.djl.huggingface.tokenizers.HuggingFaceTokenizer;
import dev.einfall.frontend.onnx.OnnxFile;
import dev.einfall.ir.ElementType;
import dev.einfall.ir.Source;
import dev.einfall.passes.Compute;
import dev.einfall.runtime.ComputeReport;
import dev.einfall.runtime.Einfall;
import dev.einfall.runtime.Options;
import dev.einfall.runtime.Program;
import dev.einfall.runtime.Tensor;
import dev.einfall.tests.Commands;
import dev.einfall.tests.Cosine;
import dev.einfall.tests.MadeWeights;
import dev.einfall.tests.runtime.MiniLm;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

/// Programs whose products are computed with narrower factors are as near to what they should be as these factors are.
class ComputeTest {

  /// The ways to run a program: bytecode, and C for this machine and for any.
  private static List<Options> ways() {
    List<Options> ways = new ArrayList<>(List.of(Options.defaults().withBackend(Options.Backend.JVM).withWarmUp(false)));
    if (Commands.exists("cc")) {
      Options compiled = Options.defaults().withBackend(Options.Backend.C);
      ways.add(compiled);
      ways.add(compiled.withToolchain(compiled.toolchain().withTarget("portable")));
    }
    return ways;
  }

  @TestFactory
  Stream<DynamicTest> productsAreAsNearAsTheirFactors() {
    return Stream.of(new int[] {37, 64, 45}, new int[] {2, 34, 200}, new int[] {128, 96, 64}, new int[] {5, 130, 7}, new int[] {37, 65, 45}, new int[] {1, 129, 200}).flatMap(shape ->
        ways().stream().map(way -> DynamicTest.dynamicTest(Arrays.toString(shape) + " " + way.backend() + " " + way.toolchain().target().orElse(""),
            () -> requireNear(shape[0], shape[1], shape[2], true, way))));
  }

  @TestFactory
  Stream<DynamicTest> productsOfInputsAreToo() {
    return Stream.of(new int[] {70, 64, 100}, new int[] {64, 33, 90}, new int[] {65, 96, 64}).flatMap(shape ->
        ways().stream().map(way -> DynamicTest.dynamicTest(Arrays.toString(shape) + " " + way.backend() + " " + way.toolchain().target().orElse(""),
            () -> requireNear(shape[0], shape[1], shape[2], false, way))));
  }

  private static void requireNear(int m, int k, int n, boolean isOfWeights, Options way) {
    float[] x = numbers(m * k, 1);
    float[] w = numbers(k * n, 2);
    Source source = new Source("product.ein", (isOfWeights ? """
        weights "made"
        def main(X: f32[M, %1$d]) -> f32[M, %2$d] {
          weight W: f32[%1$d, %2$d] = "W"
        """ : """
        def main(X: f32[M, %1$d], W: f32[%1$d, %2$d]) -> f32[M, %2$d] {
        """).formatted(k, n) + """
          Y[m, n] = max(sum[k](X[m, k] * W[k, n]), -1.0)
          return Y
        }
        """);
    List<String> remarks = new ArrayList<>();
    Options options = way.withWeights(new MadeWeights().with("W", ElementType.F32, MemorySegment.ofArray(w), k, n)).withThreads(2).withCompute(Compute.BF16).withRemarks(remark -> remarks.add(remark.message()));
    try (Program program = Einfall.compile(source, options); Tensor input = Tensor.of(x, m, k); Tensor other = Tensor.of(w, k, n);
        Tensor result = program.run(isOfWeights ? Map.of("X", input) : Map.of("X", input, "W", other)).get("Y")) {
      float[] y = result.floats();
      for (int i = 0; i < m * n; i++) {
        double sum = 0;
        double size = 0;
        for (int j = 0; j < k; j++) {
          double product = (double) x[i / n * k + j] * w[j * n + i % n];
          sum += product;
          size += Math.abs(product);
        }
        double error = Math.abs(y[i] - Math.max(sum, -1));
        assertTrue(error <= size / 128, "element " + i + " is off by " + error + " of " + size);
      }
    }
    assertEquals(1, remarks.stream().filter("the product Y takes its factors in bf16"::equals).count(), remarks.toString());
  }

  @Test
  void whatRoundingChangesIsReported() {
    Source source = new Source("product.ein", """
        weights "made"
        def main(X: f32[M, 96]) -> (Y: f32[M, 40], S: f32[M]) {
          weight W: f32[96, 40] = "W"
          Y[m, n] = sum[k](X[m, k] * W[k, n])
          S[m] = max[k](X[m, k])
          return Y, S
        }
        """);
    Options options = ways().getFirst().withWeights(new MadeWeights().with("W", ElementType.F32, MemorySegment.ofArray(numbers(96 * 40, 2)), 96, 40)).withCompute(Compute.BF16);
    try (Tensor input = Tensor.of(numbers(20 * 96, 1), 20, 96)) {
      ComputeReport report = ComputeReport.of(choice -> Einfall.compile(source, choice), options, Map.of("X", input));
      ComputeReport.Difference products = report.outputs().getFirst();
      assertTrue(products.mean() > 1e-5 && products.mean() < products.largest() && products.largest() < 1e-2, report.text());
      assertTrue(products.cosine() > 0.9999 && products.cosine() < 1, report.text());
      assertEquals(new ComputeReport.Difference(report.outputs().getLast().output(), 0, 0, 1), report.outputs().getLast());
      assertTrue(report.text().contains("\n  Y: f32[M, 40]: " + String.format("%.1e at most, ", products.largest())), report.text());
    }
  }

  @TestFactory
  Stream<DynamicTest> productsOfBytesAreExact() {
    return Stream.of(new int[] {37, 64, 45}, new int[] {128, 96, 64}, new int[] {5, 130, 7}).flatMap(shape ->
        ways().stream().map(way -> DynamicTest.dynamicTest(Arrays.toString(shape) + " " + way.backend() + " " + way.toolchain().target().orElse(""),
            () -> requireExact(shape[0], shape[1], shape[2], way))));
  }

  private static void requireExact(int m, int k, int n, Options way) {
    byte[] x = bytes(m * k, 1);
    byte[] w = bytes(k * n, 2);
    Source source = new Source("product.ein", """
        weights "made"
        def main(X: u8[M, %1$d]) -> i32[M, %2$d] {
          weight W: i8[%1$d, %2$d] = "W"
          Y[m, n] = sum[k](i32(X[m, k]) * i32(W[k, n]))
          return Y
        }
        """.formatted(k, n));
    Options options = way.withWeights(new MadeWeights().with("W", ElementType.I8, MemorySegment.ofArray(w), k, n)).withThreads(2);
    try (Program program = Einfall.compile(source, options); Tensor input = Tensor.copyOf(ElementType.U8, MemorySegment.ofArray(x), m, k);
        Tensor result = program.run(Map.of("X", input)).get("Y")) {
      int[] y = result.data().toArray(ValueLayout.JAVA_INT);
      for (int i = 0; i < m * n; i++) {
        int sum = 0;
        for (int j = 0; j < k; j++) {
          sum += (x[i / n * k + j] & 0xff) * w[j * n + i % n];
        }
        assertEquals(sum, y[i], "element " + i);
      }
    }
  }

  private static byte[] bytes(int count, long seed) {
    byte[] bytes = new byte[count];
    new SplittableRandom(seed).nextBytes(bytes);
    return bytes;
  }

  private static float[] numbers(int count, long seed) {
    SplittableRandom random = new SplittableRandom(seed);
    float[] numbers = new float[count];
    for (int i = 0; i < count; i++) {
      numbers[i] = (float) random.nextGaussian();
    }
    return numbers;
  }

  @Test
  void embeddingsPointWhereTheyShould() throws IOException {
    try (HuggingFaceTokenizer tokenizer = HuggingFaceTokenizer.newInstance(MiniLm.tokenizer()); OnnxFile weights = OnnxFile.open(MiniLm.weights())) {
      Encoding encoding = tokenizer.encode("What a compiler cannot prove, it must check; what it can prove, it need not.");
      for (Options way : ways()) {
        float[] wide = MiniLm.embedding(encoding.getIds(), encoding.getAttentionMask(), encoding.getTypeIds(), way.withWeights(weights));
        float[] narrow = MiniLm.embedding(encoding.getIds(), encoding.getAttentionMask(), encoding.getTypeIds(), way.withWeights(weights).withCompute(Compute.BF16));
        double cosine = Cosine.of(wide, narrow);
        assertTrue(cosine >= 0.999 && cosine < 1 - 1e-9, way.backend() + ": cosine " + cosine);
      }
    }
  }
}
