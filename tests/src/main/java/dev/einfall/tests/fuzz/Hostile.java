package dev.einfall.tests.fuzz;

import java.util.List;
import java.util.Random;

/// Texts that a reader may not be prepared for.
final class Hostile {
  private static final List<String> NUMBERS = List.of("0", "1", "2", "3", "5", "7", "64", "65", "-1", "0.5", "1e-5",
      "127", "128", "255", "256", "20000", "65536", "2147483647", "2147483648", "-2147483648", "4294967296", "1000000007",
      "9223372036854775807", "9223372036854775808", "18446744073709551616", "99999999999999999999999999",
      "1e308", "1e309", "1e-400", "0.0", "00", "007", "1.", ".5", "0x10", "1e", "inf", "nan", "-inf");
  private static final List<String> WORDS = List.of("def", "for", "in", "return", "map", "weight", "weights", "tokenizer",
      "import", "const", "reduce", "if", "else", "where", "while", "update", "from", "size", "function", "true", "false",
      "inf", "nan", "or", "sum", "max", "argmax", "any", "exp", "sqrt", "reshape", "transpose", "concat", "log2",
      "main", "f32", "bool", "i8", "u8", "f16", "flatten", "split", "order", "parallel", "unroll", "vectorize", "fuse", "over",
      "identity", "associative", "commutative", "kernel", "plan", "let", "alloc", "require", "input", "N", "X", "Y", "n", "x");
  private static final List<String> SIGNS = List.of("+", "-", "*", "/", "%", "=", "==", "!=", "<", "<=", ">", ">=", "&&",
      "||", "!", "(", ")", "[", "]", "{", "}", ",", ":", ":=", ";", "..", "...", ".", "->", "\"", "#", "\\", "@");
  private static final List<String> STRANGE = List.of("\0", "\t", "\r", "\r\n", "\f", "\u000B", "\u0085", "\u00A0",
      "\u2028", "\uFEFF", "\u200B", "\u00E9", "\u5909\u6570", "\uD83D\uDE00", "\uD83D", "\uDE00", "\uFFFF",
      "\uFF11", "\u0663", "\u212A", "`", "'", "$", "?", "~", "^", "\"{", "\"{}\"", "\"{1 + }\"", "\"{{1}}\"",
      "\"{l}\"", "\"{99999999999999999999}\"", "\"\\{\"", "\"\\", "\"{\"", "\"}\"", "\"\"", "# ", "/*", "*/", "//");
  private static final int[] DEPTHS = {2, 5, 20, 63, 64, 65, 99, 100, 101, 249, 250, 251, 1000, 5000};

  private final Random random;

  Hostile(Random random) {
    this.random = random;
  }

  String number() {
    return random.nextInt(40) == 0 ? "9".repeat(depth()) : oneOf(NUMBERS);
  }

  String word() {
    return random.nextInt(60) == 0 ? "a".repeat(depth()) : oneOf(WORDS);
  }

  String sign() {
    return oneOf(SIGNS);
  }

  String strange() {
    return oneOf(STRANGE);
  }

  /// Any of the short texts.
  String token() {
    return switch (random.nextInt(4)) {
      case 0 -> number();
      case 1 -> word();
      case 2 -> sign();
      default -> strange();
    };
  }

  /// `part` in something deep, long or wide.
  String grown(String part) {
    int depth = depth();
    return switch (random.nextInt(9)) {
      case 0 -> "(".repeat(depth) + part + ")".repeat(depth);
      case 1 -> "-".repeat(depth) + part;
      case 2 -> "!".repeat(depth) + part;
      case 3 -> (part + " " + sign() + " ").repeat(depth) + part;
      case 4 -> "exp(".repeat(depth) + part + ")".repeat(depth);
      case 5 -> (part + ", ").repeat(depth) + part;
      case 6 -> (part + "[").repeat(depth) + part + "]".repeat(depth);
      case 7 -> "[".repeat(depth) + part;
      default -> part.repeat(depth);
    };
  }

  /// A statement in nested blocks.
  String nested(String statement) {
    int depth = depth();
    String head = oneOf(List.of("for l in 0..2 {\n", "for l in 0..1 {\n", "if 1 > 0 {\n", "if N > 0 { } else if N > 1 {\n"));
    return head.repeat(depth) + statement + "}\n".repeat(depth);
  }

  private int depth() {
    return DEPTHS[random.nextInt(random.nextInt(8) == 0 ? DEPTHS.length : 4)];
  }

  private String oneOf(List<String> texts) {
    return texts.get(random.nextInt(texts.size()));
  }
}
