package dev.einfall.backends.c;

import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/// What functions of a [Vocabulary] do that move lanes: the C in their bodies.
final class LaneMoves {
  private LaneMoves() {}

  /// The lanes of the lower (upper) halves of `a` and `b` in turn.
  static String zip(int lanes, boolean upper) {
    int from = upper ? lanes / 2 : 0;
    String numbers = IntStream.range(0, lanes).mapToObj(lane -> Integer.toString(from + lane / 2 + lane % 2 * lanes)).collect(Collectors.joining(", "));
    return "return __builtin_shufflevector(a, b, " + numbers + ");";
  }

  /// The element for a `lane`: that of `tables`, which have so many lanes each, whose number is `at[lane]`.
  static String permuted(int lanes, List<String> tables) {
    String lane = tables.getLast() + "[at[lane] % " + lanes + "]";
    for (int i = tables.size() - 2; i >= 0; i--) {
      lane = "at[lane] < " + (i + 1) * lanes + " ? " + tables.get(i) + "[at[lane] % " + lanes + "] : " + lane;
    }
    return lane;
  }

  /// For each of the bytes of `at` the one of `tables` whose number its lowest bits are.
  ///
  /// @param vector the type of so many bytes
  static String permuteBytes(int bytes, String vector, List<String> tables) {
    int all = tables.size() * bytes;
    String copies = IntStream.range(0, tables.size())
        .mapToObj(i -> "  memcpy(from + " + i * bytes + ", &" + tables.get(i) + ", " + bytes + ");\n").collect(Collectors.joining());
    return vector + " number;\n  unsigned char from[" + all + "];\n  memcpy(&number, &at, sizeof number);\n" + copies + "  for (int lane = 0; lane < " + bytes
        + "; ++lane) {\n    number[lane] = from[number[lane] % " + all + "];\n  }\n  memcpy(&at, &number, sizeof at);\n  return at;";
  }
}
