package dev.einfall.tests.programs;

import static dev.einfall.tests.programs.FormatCall.bytes;
import static dev.einfall.tests.programs.FormatCall.call;
import static dev.einfall.tests.programs.FormatCall.decoded;
import static dev.einfall.tests.programs.FormatCall.requireNumbers;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.einfall.backends.reference.Array;
import dev.einfall.ir.ElementType;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.PriorityQueue;
import java.util.SplittableRandom;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.parallel.Execution;
import org.junit.jupiter.api.parallel.ExecutionMode;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// Numbers of bf16 whose exponents are in Huffman's codes come back bit by bit.
@Execution(ExecutionMode.CONCURRENT)
class DFloat11Test {
  private static final int LENGTHS = 24;

  /// A Huffman tree, as the symbols below each node and how often they occur.
  private record Node(long weight, int[] symbols) {}

  /// How long the code of each exponent is; of at most 24 bits, since the numbers are few.
  private static int[] lengths(long[] counts) {
    PriorityQueue<Node> nodes = new PriorityQueue<>(Comparator.comparingLong(Node::weight).thenComparing(node -> node.symbols[0]));
    IntStream.range(0, 256).filter(symbol -> counts[symbol] > 0).forEach(symbol -> nodes.add(new Node(counts[symbol], new int[] {symbol})));
    int[] lengths = new int[256];
    while (nodes.size() > 1) {
      Node a = nodes.remove();
      Node b = nodes.remove();
      int[] both = IntStream.concat(Arrays.stream(a.symbols), Arrays.stream(b.symbols)).toArray();
      Arrays.stream(both).forEach(symbol -> lengths[symbol]++);
      nodes.add(new Node(a.weight + b.weight, both));
    }
    int alone = nodes.remove().symbols[0];
    lengths[alone] = Math.max(lengths[alone], 1);
    return lengths;
  }

  /// What is stored of numbers of 16 bits, made here.
  private record Stored(int[] codes, long[] start, int[] rest, long[] count, int[] exponents, int blocks) {

    static Stored of(int[] numbers, int blocks) {
      long[] counts = new long[256];
      Arrays.stream(numbers).forEach(number -> counts[number >> 7 & 255]++);
      int[] lengths = lengths(counts);
      int[] order = IntStream.range(0, 256).filter(symbol -> lengths[symbol] > 0).boxed()
          .sorted(Comparator.comparingInt((Integer symbol) -> lengths[symbol]).thenComparing(symbol -> symbol)).mapToInt(Integer::intValue).toArray();
      long[] count = new long[LENGTHS];
      int[] words = new int[256];
      int next = 0;
      for (int i = 0; i < order.length; i++) {
        next = i == 0 ? 0 : next + 1 << lengths[order[i]] - lengths[order[i - 1]];
        words[order[i]] = next;
        count[lengths[order[i]] - 1]++;
      }
      StringBuilder stream = new StringBuilder();
      long[] start = new long[blocks];
      for (int i = 0; i < numbers.length; i++) {
        if (i % (numbers.length / blocks) == 0) {
          start[i / (numbers.length / blocks)] = stream.length();
        }
        int symbol = numbers[i] >> 7 & 255;
        String code = Integer.toBinaryString(words[symbol]);
        stream.append("0".repeat(lengths[symbol] - code.length())).append(code);
      }
      int[] bytes = new int[(stream.length() + 7) / 8 + 3];
      for (int i = 0; i < stream.length(); i++) {
        bytes[i / 8] |= stream.charAt(i) == '1' ? 128 >> i % 8 : 0;
      }
      return new Stored(bytes, start, Arrays.stream(numbers).map(number -> number >> 8 & 128 | number & 127).toArray(), count, order, blocks);
    }

    long[] decoded() {
      List<Array> stored = List.of(bytes(codes, codes.length), Array.of(ElementType.I32, start, blocks), bytes(rest, blocks, rest.length / blocks),
          Array.of(ElementType.I32, count, LENGTHS), bytes(exponents, exponents.length));
      return call("dfloat11", "i32[" + blocks + ", " + rest.length / blocks + "]", "dfloat11_bits", stored, "").getFirst().integers();
    }
  }

  private static int bits(float number) {
    return Float.floatToRawIntBits(number) >>> 16;
  }

  private static int[] weights(int count) {
    SplittableRandom random = new SplittableRandom(4);
    return IntStream.range(0, count).map(_ -> bits((float) (random.nextGaussian() * 0.02))).toArray();
  }

  private static void requireSame(int[] numbers, int blocks) {
    assertArrayEquals(IntStream.of(numbers).asLongStream().toArray(), Stored.of(numbers, blocks).decoded());
  }

  /// Infinities, each NaN, zeros of both signs and the numbers below the least normal one included.
  @Test
  void allBitsComeBack() {
    requireSame(IntStream.range(0, 65536).toArray(), 64);
    requireSame(weights(4096), 16);
  }

  @Test
  void theNumberOfAllBits() {
    Array bits = Array.of(ElementType.I32, IntStream.range(0, 65536).asLongStream().toArray(), 65536);
    requireNumbers(i -> Float.intBitsToFloat(i << 16), call("dfloat11", "f32[65536]", "bf16_values", List.of(bits), "").getFirst().numbers(), "bf16");
  }

  /// As many bits as Huffman's codes take at least, and the numbers that there were, those of `f32` rounded to `bf16`.
  private static void requireEncoded(float[] numbers, int rows, int block) {
    Array given = Array.of(ElementType.F32, IntStream.range(0, numbers.length).mapToDouble(i -> numbers[i]).toArray(), rows, numbers.length / rows);
    int bytes = (int) call("dfloat11", "i32[]", "measure_dfloat11", List.of(given), ", " + block).getFirst().integers()[0];
    int[] halves = IntStream.range(0, numbers.length).map(i -> Float.isNaN(numbers[i]) ? 0x7FC0 : rounded(numbers[i])).toArray();
    assertEquals(Stored.of(halves, 1).codes.length, bytes);
    int length = numbers.length / rows;
    String types = "(u8[%d], i32[%d, %d], u8[%2$d, %d], i32[24], u8[256])".formatted(bytes, rows, length / block, length);
    List<Array> stored = call("dfloat11", types, "encode_dfloat11", List.of(given), ", " + bytes + ", " + block);
    double[] decoded = decoded("dfloat11", "dfloat11", ", " + bytes + ", " + block, new int[] {rows, length}, stored.toArray(Array[]::new));
    requireNumbers(i -> Float.intBitsToFloat(halves[i] << 16), decoded, "numbers");
  }

  /// To the nearest number of bf16, ties to even.
  private static int rounded(float number) {
    int bits = Float.floatToRawIntBits(number);
    return bits + 0x7FFF + (bits >>> 16 & 1) >>> 16;
  }

  @Test
  void numbersAreEncoded() {
    float[] many = new float[1024];
    for (int i = 0; i < many.length; i++) {
      // Of all signs and exponents, and between two numbers of bf16; infinities, NaN and zeros are among them.
      many[i] = Float.intBitsToFloat(i << 22 | i % 5 * 0x4000);
    }
    requireEncoded(many, 8, 32);
    float[] ones = new float[64];
    Arrays.fill(ones, -1.5f);
    requireEncoded(ones, 4, 16);
  }

  /// Fibonacci's numbers make the longest of Huffman's codes.
  @Test
  void codesHaveUpTo24Bits() {
    long[] counts = new long[256];
    for (int i = 0; i < 42; i++) {
      counts[i * 5] = i < 2 ? 1 : counts[i * 5 - 5] + counts[i * 5 - 10];
    }
    long[] lengths = call("dfloat11", "i32[256]", "code_lengths", List.of(Array.of(ElementType.I32, counts, 256)), "").getFirst().integers();
    assertTrue(Arrays.stream(lengths(counts)).max().orElseThrow() > 24, Arrays.toString(lengths(counts)));
    assertTrue(Arrays.stream(lengths).allMatch(length -> length <= 24), Arrays.toString(lengths));
    assertEquals(1, IntStream.range(0, 256).filter(i -> lengths[i] > 0).mapToDouble(i -> Math.scalb(1.0, (int) -lengths[i])).sum());
    IntStream.range(0, 256).forEach(i -> assertEquals(counts[i] > 0, lengths[i] > 0, "symbol " + i));
  }

  /// What lies outside of what is stored is not read: damaged parts are an error of the run, or other numbers.
  @ParameterizedTest
  @CsvSource(delimiter = ';', value = {"starts; index 1 of a0 must be in 0..", "codes; index 1 of a0 must be in 0..", "counts; index 1 of shorter must be in 0..23 but is 24",
      "exponents; index 1 of a4 must be in 0..0 but is 1"})
  void damagedStreamsAreErrors(String part, String message) {
    Stored whole = Stored.of(weights(1024), 8);
    long[] start = whole.start.clone();
    long[] count = whole.count.clone();
    int[] codes = whole.codes;
    int[] exponents = whole.exponents;
    switch (part) {
      case "starts" -> start[5] = 1 << 30;
      case "codes" -> codes = Arrays.copyOf(codes, codes.length / 2);
      case "counts" -> Arrays.fill(count, 0);
      default -> exponents = Arrays.copyOf(exponents, 1);
    }
    Stored damaged = new Stored(codes, start, whole.rest, count, exponents, whole.blocks);
    String said = assertThrows(IllegalArgumentException.class, damaged::decoded).getMessage();
    assertTrue(said.contains("dfloat11.ein:") && said.contains(message), said);
  }

  /// Any bits of a stream are codes.
  @Test
  void damagedBitsAreOtherNumbers() {
    Stored stored = Stored.of(weights(1024), 8);
    long[] before = stored.decoded();
    stored.codes[20] ^= 8;
    long[] after = stored.decoded();
    long same = IntStream.range(0, 1024).filter(i -> before[i] == after[i]).count();
    assertTrue(same < 1024 && same >= 896, same + " are the same");
  }
}
