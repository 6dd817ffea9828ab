package dev.einfall.tests.programs;

import static dev.einfall.tests.programs.FormatCall.bytes;
import static dev.einfall.tests.programs.FormatCall.call;
import static dev.einfall.tests.programs.FormatCall.codes;
import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.einfall.backends.reference.Array;
import dev.einfall.ir.ElementType;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.PriorityQueue;
import java.util.SplittableRandom;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/// Numbers of bf16 whose exponents are in Huffman's codes come back bit by bit.
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
    return lengths;
  }

  private static int bits(float number) {
    return Float.floatToRawIntBits(number) >>> 16;
  }

  private static void check(int[] numbers, int blocks) {
    long[] counts = new long[256];
    Arrays.stream(numbers).forEach(number -> counts[number >> 7 & 255]++);
    int[] lengths = lengths(counts);
    int[] order = IntStream.range(0, 256).filter(symbol -> lengths[symbol] > 0).boxed()
        .sorted(Comparator.comparingInt((Integer symbol) -> lengths[symbol]).thenComparing(symbol -> symbol)).mapToInt(Integer::intValue).toArray();
    long[] count = new long[LENGTHS];
    int[] codes = new int[256];
    int next = 0;
    for (int i = 0; i < order.length; i++) {
      next = i == 0 ? 0 : next + 1 << lengths[order[i]] - lengths[order[i - 1]];
      codes[order[i]] = next;
      count[lengths[order[i]] - 1]++;
    }
    StringBuilder stream = new StringBuilder();
    long[] start = new long[blocks];
    for (int i = 0; i < numbers.length; i++) {
      if (i % (numbers.length / blocks) == 0) {
        start[i / (numbers.length / blocks)] = stream.length();
      }
      int symbol = numbers[i] >> 7 & 255;
      String code = Integer.toBinaryString(codes[symbol]);
      stream.append("0".repeat(lengths[symbol] - code.length())).append(code);
    }
    int[] bytes = new int[stream.length() / 8 + 4];
    for (int i = 0; i < stream.length(); i++) {
      bytes[i / 8] |= stream.charAt(i) == '1' ? 128 >> i % 8 : 0;
    }
    List<Array> stored = List.of(bytes(bytes, bytes.length), Array.of(ElementType.I32, start, blocks),
        bytes(Arrays.stream(numbers).map(number -> number >> 8 & 128 | number & 127).toArray(), blocks, numbers.length / blocks),
        Array.of(ElementType.I32, count, LENGTHS), bytes(order, order.length));
    double[] decoded = call("dfloat11", "f32[" + blocks + ", " + numbers.length / blocks + "]", "decode_dfloat11", stored, "").getFirst().numbers();
    for (int i = 0; i < numbers.length; i++) {
      float expected = Float.intBitsToFloat(numbers[i] << 16);
      assertEquals(Float.isNaN(expected) ? bits(Float.NaN) : numbers[i], bits((float) decoded[i]), "number " + i);
    }
  }

  @Test
  void weights() {
    SplittableRandom random = new SplittableRandom(4);
    check(IntStream.range(0, 4096).map(_ -> bits((float) (random.nextGaussian() * 0.02))).toArray(), 16);
  }

  /// Infinities, NaN, zeros of both signs and the numbers below the least normal one included.
  @Test
  void allNumbersOfBf16() {
    check(IntStream.range(0, 65536).toArray(), 64);
  }
}
