package dev.einfall.tests.programs;

import static dev.einfall.tests.programs.FormatCall.call;
import static dev.einfall.tests.programs.FormatCall.decoded;
import static dev.einfall.tests.programs.FormatCall.packed;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.einfall.backends.reference.Array;
import dev.einfall.ir.ElementType;
import java.util.List;
import java.util.SplittableRandom;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/// Matrices as sums of signs times thin products.
class BitStackTest {
  private static final int M = 12;
  private static final int N = 16;

  private static double[] numbers(long seed, int count) {
    SplittableRandom random = new SplittableRandom(seed);
    return IntStream.range(0, count).mapToDouble(_ -> Float.float16ToFloat(Float.floatToFloat16((float) random.nextGaussian()))).toArray();
  }

  @Test
  void sumsOfBlocks() {
    double[] up = numbers(1, 3 * M * 2);
    double[] down = numbers(2, 3 * 2 * N);
    int[] signs = new SplittableRandom(3).ints(3 * M * N, 0, 2).toArray();
    Array sign = Array.of(ElementType.U8, packed(signs, 1, 0).integers(), 3, M, N / 8, 1);
    double[] decoded = decoded("bit_stack", "bit_stack", ", 3, 2", new int[] {M, N}, Array.of(ElementType.F16, up, 3, M, 2), Array.of(ElementType.F16, down, 3, 2, N), sign);
    for (int i = 0; i < M * N; i++) {
      double expected = 0;
      for (int b = 0; b < 3; b++) {
        double size = 0;
        for (int r = 0; r < 2; r++) {
          size += up[(b * M + i / N) * 2 + r] * down[(b * 2 + r) * N + i % N];
        }
        expected += signs[b * M * N + i] == 1 ? size : -size;
      }
      assertEquals(expected, decoded[i], 1e-5, "element " + i);
    }
  }

  private static double[] roundTripped(Array given, int blocks, int rank) {
    String sizes = ", " + blocks + ", " + rank;
    String types = "(f16[%1$d, 12, %2$d], f16[%1$d, %2$d, 16], u8[%1$d, 12, 2, 1])".formatted(blocks, rank);
    List<Array> stored = call("bit_stack", types, "encode_bit_stack", List.of(given), sizes);
    return decoded("bit_stack", "bit_stack", sizes, new int[] {M, N}, stored.toArray(Array[]::new));
  }

  /// Signs times the product of two vectors are one block.
  @Test
  void oneBlockSaysSignsTimesAProduct() {
    double[] left = numbers(4, M);
    double[] right = numbers(5, N);
    double[] exact = IntStream.range(0, M * N).mapToDouble(i -> (float) (left[i / N] * right[i % N] * (i % 3 == 0 ? -1 : 1))).toArray();
    assertArrayEquals(exact, roundTripped(Array.of(ElementType.F32, exact, M, N), 1, 1), 0.004);
  }

  /// Each block takes a part of what those before leave; zeros stay.
  @Test
  void moreBlocksAreNearer() {
    double[] given = numbers(6, M * N);
    double last = 1;
    for (int blocks = 1; blocks <= 3; blocks++) {
      double[] decoded = roundTripped(Array.of(ElementType.F32, given, M, N), blocks, 2);
      double error = Math.sqrt(IntStream.range(0, M * N).mapToDouble(i -> Math.pow(decoded[i] - given[i], 2)).sum() / IntStream.range(0, M * N).mapToDouble(i -> given[i] * given[i]).sum());
      assertTrue(error < 0.75 * last, blocks + " blocks: " + error + " after " + last);
      last = error;
    }
    assertArrayEquals(new double[M * N], roundTripped(Array.of(ElementType.F32, new double[M * N], M, N), 2, 2));
  }
}
