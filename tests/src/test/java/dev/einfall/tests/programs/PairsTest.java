package dev.einfall.tests.programs;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.einfall.backends.c.CTarget;
import dev.einfall.ir.ElementType;
import dev.einfall.ir.Source;
import dev.einfall.runtime.Einfall;
import dev.einfall.runtime.Options;
import dev.einfall.runtime.Program;
import dev.einfall.runtime.Tensor;
import dev.einfall.runtime.nativecode.CCompiler;
import dev.einfall.runtime.nativecode.CTargets;
import dev.einfall.runtime.nativecode.Toolchain;
import dev.einfall.tests.MadeWeights;
import dev.einfall.tests.runtime.CommandLineRun;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SplittableRandom;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.api.parallel.Execution;
import org.junit.jupiter.api.parallel.ExecutionMode;

/// Products of numbers of 16 bits and fewer, by instructions that multiply pairs of them, where the machine at hand has these: each sum wraps around as the language says.
@Execution(ExecutionMode.CONCURRENT)
class PairsTest {
  private static final List<String> TARGETS = List.of("portable", "avx2", "avx2-vnni", "avx512", "avx512-vnni");
  /// Of the two factors.
  private static final List<List<ElementType>> TYPES = List.of(List.of(ElementType.I16, ElementType.I16), List.of(ElementType.I8, ElementType.I8), List.of(ElementType.U8, ElementType.I16),
      List.of(ElementType.I8, ElementType.I16), List.of(ElementType.I16, ElementType.U8), List.of(ElementType.U8, ElementType.U8));
  /// Rows, steps and columns.
  private static final int[][] SHAPES = {{37, 64, 45}, {1, 128, 70}, {16, 98, 64}, {5, 33, 7}};

  @TestFactory
  Stream<DynamicTest> areExact() {
    Optional<CCompiler> compiler = CCompiler.find("cc");
    List<CTarget> here = TARGETS.stream().map(CTargets::named).filter(target -> compiler.filter(found -> found.macros().containsAll(target.needs())).isPresent()).toList();
    return here.stream().flatMap(target -> IntStream.range(0, SHAPES.length * TYPES.size()).filter(i -> (i + i / TYPES.size()) % 2 == 0).mapToObj(i -> {
      int[] shape = SHAPES[i / TYPES.size()];
      List<ElementType> types = TYPES.get(i % TYPES.size());
      return DynamicTest.dynamicTest(target.name() + ", " + shape[0] + " x " + shape[1] + " x " + shape[2] + " " + types, () -> requireExact(target, types.getFirst(), types.getLast(), shape));
    }));
  }

  /// As integers, and as floats that are multiples of them by powers of 2, whose sums are exact where they have few bits.
  private static void requireExact(CTarget target, ElementType left, ElementType right, int[] shape) {
    Source source = new Source("pairs.ein", """
        weights "made"
        def main(X: %1$s[M, %3$d], F: f32[M, %3$d]) -> (i32[M, %4$d], f32[M, %4$d]) {
          weight W: %2$s[%3$d, %4$d] = "W"
          Y[m, n] = sum[k](i32(X[m, k]) * i32(W[k, n]))
          Q[m, k] = f32(i8(min(max(round(F[m, k]), -3), 3))) * 0.5
          Z[m, n] = sum[k](Q[m, k] * (f32(W[k, n]) * 0.25))
          return Y, Z
        }
        """.formatted(left, right, shape[1], shape[2]));
    int[] x = numbers(left, shape[0] * shape[1], 1);
    int[] w = numbers(right, shape[1] * shape[2], 2);
    float[] f = floats(shape[0] * shape[1]);
    Options options = Options.defaults().withThreads(2).withBackend(Options.Backend.C).withToolchain(Toolchain.usual().withTarget(target.name()).withFlags(List.of("-O1")))
        .withWeights(new MadeWeights().with("W", right, MemorySegment.ofArray(stored(right, w)), shape[1], shape[2]));
    try (Program program = Einfall.compile(source, options); Tensor input = Tensor.copyOf(left, MemorySegment.ofArray(stored(left, x)), shape[0], shape[1]);
        Tensor rows = Tensor.of(f, shape[0], shape[1])) {
      Map<String, Tensor> results = program.run(Map.of("X", input, "F", rows));
      int[] y = results.get("Y").data().toArray(ValueLayout.JAVA_INT);
      float[] z = results.get("Z").floats();
      for (int i = 0; i < y.length; i++) {
        int sum = 0;
        int few = 0;
        for (int k = 0; k < shape[1]; k++) {
          int at = i / shape[2] * shape[1] + k;
          int weight = w[k * shape[2] + i % shape[2]];
          sum += x[at] * weight;
          few += (int) Math.rint(Math.clamp(f[at], -3, 3)) * weight;
        }
        assertEquals(sum, y[i], "element " + i);
        assertEquals(few / 8f, z[i], "element " + i + " of floats");
      }
      results.values().forEach(Tensor::close);
    }
  }

  /// The least numbers are among them, whose products are the largest: those of 16 bits leave 32 bits.
  private static int[] numbers(ElementType type, int count, long seed) {
    SplittableRandom random = new SplittableRandom(seed);
    return random.ints(count).map(bits -> switch (type) {
      case I16 -> bits % 3 == 0 ? Short.MIN_VALUE : (short) bits;
      case I8 -> bits % 3 == 0 ? Byte.MIN_VALUE : (byte) bits;
      default -> bits & 255;
    }).toArray();
  }

  private static float[] floats(int count) {
    SplittableRandom random = new SplittableRandom(3);
    float[] floats = new float[count];
    for (int i = 0; i < count; i++) {
      floats[i] = (float) random.nextDouble(-4, 4);
    }
    return floats;
  }

  private static byte[] stored(ElementType type, int[] numbers) {
    byte[] bytes = new byte[numbers.length * type.bytes()];
    for (int i = 0; i < numbers.length; i++) {
      if (type == ElementType.I16) {
        MemorySegment.ofArray(bytes).setAtIndex(ValueLayout.JAVA_SHORT_UNALIGNED, i, (short) numbers[i]);
      } else {
        bytes[i] = (byte) numbers[i];
      }
    }
    return bytes;
  }

  @Test
  void areOneInstruction(@TempDir Path directory) throws IOException {
    Path file = Files.writeString(directory.resolve("pairs.ein"), """
        def main(X: i16[128, 64], A: i8[128, 64], W: i16[64, 64], B: i8[64, 64]) -> (i32[128, 64], i32[128, 64]) {
          Y[m, n] = sum[k](i32(X[m, k]) * i32(W[k, n]))
          Z[m, n] = sum[k](i32(A[m, k]) * i32(B[k, n]))
          return Y, Z
        }
        """);
    Map<String, String> instructions = Map.of("avx2", "_mm256_madd_epi16", "avx2-vnni", "_mm256_dpwssd_avx_epi32", "avx512", "_mm512_madd_epi16", "avx512-vnni", "_mm512_dpwssd_epi32");
    instructions.forEach((target, instruction) -> {
      String text = CommandLineRun.of("emit", file.toString(), "--as", "c", "--target", target).out();
      assertTrue(text.contains(instruction), text);
      assertEquals(2, text.lines().filter(line -> line.matches(".*sum_0 = .*dot_2_i16_i16.*")).count(), text);
    });
  }
}
