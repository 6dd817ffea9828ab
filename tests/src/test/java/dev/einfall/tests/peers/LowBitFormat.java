package dev.einfall.tests.peers;

import dev.einfall.ir.Source;
import dev.einfall.runtime.Einfall;
import dev.einfall.runtime.Options;
import dev.einfall.runtime.Program;
import dev.einfall.runtime.Tensor;
import dev.einfall.tests.MadeWeights;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/// A format of the standard library for a weight `[N, K]`.
///
/// @param name how cases are called
/// @param file that of the library that has it
/// @param format its name there
/// @param sizes what it takes, as in `group = 64`
/// @param stored the types of what it stores, by name
enum LowBitFormat {
  INT8("int8", "integers", "int8", List.of("group = 64"), Map.of("scale", "f32[N, K / 64]", "code", "i8[N, K]")),
  INT8_ROWS("int8-rows", "integers", "int8", List.of("group = K"), Map.of("scale", "f32[N, 1]", "code", "i8[N, K]")),
  INT4("int4", "integers", "int4", List.of("group = 64"), Map.of("scale", "f32[N, K / 64]", "code", "u8[N, K / 2]")),
  NF4("nf4", "codebooks", "nf4", List.of("group = 64"), Map.of("scale", "f32[N, K / 64]", "code", "u8[N, K / 2]")),
  MXFP4("mxfp4", "microscaling", "mxfp4", List.of(), Map.of("scale", "u8[N, K / 32]", "code", "u8[N, K / 2]")),
  INT3("int3", "integers", "symmetric", List.of("bits = 3", "group = 64"), Map.of("scale", "f32[N, K / 64]", "code", "u8[N, K / 8, 3]")),
  INT2("int2", "integers", "symmetric", List.of("bits = 2", "group = 64"), Map.of("scale", "f32[N, K / 64]", "code", "u8[N, K / 8, 2]")),
  TERNARY("ternary", "integers", "ternary", List.of("group = 64"), Map.of("scale", "f32[N, K / 64]", "code", "u8[N, K / 8, 2]")),
  BINARY("binary", "integers", "binary", List.of("group = 64"), Map.of("scale", "f32[N, K / 64]", "code", "u8[N, K / 8, 1]"));

  private static final List<String> RESULTS = List.of("scale", "code");

  private final String word;
  private final String file;
  private final String format;
  private final List<String> sizes;
  private final Map<String, String> stored;

  LowBitFormat(String word, String file, String format, List<String> sizes, Map<String, String> stored) {
    this.word = word;
    this.file = file;
    this.format = format;
    this.sizes = sizes;
    this.stored = stored;
  }

  /// A matrix in a format.
  ///
  /// @param scale stored
  /// @param code stored
  /// @param decoded what these mean, as `f32`
  record Encoded(Tensor scale, Tensor code, Tensor decoded) implements AutoCloseable {

    /// The bytes of what is stored.
    long bytes() {
      return scale.data().byteSize() + code.data().byteSize();
    }

    @Override
    public void close() {
      scale.close();
      code.close();
      decoded.close();
    }
  }

  String word() {
    return word;
  }

  /// The type of a weight of `n` x `k` elements.
  private String type(int n, int k) {
    String arguments = sizes.isEmpty() ? "" : "(" + String.join(", ", sizes) + ")";
    return (format + arguments).replace("K", "" + k) + "[" + n + ", " + k + "]";
  }

  Encoded encode(Tensor weights, int n, int k) {
    String values = String.join("", sizes.stream().map(size -> ", " + size.substring(size.indexOf('=') + 2)).toList());
    String text = """
        import std.formats.%s
        def main(W: f32[N, K]) -> (%s, %s, f32[N, K]) {
          scale, code = encode_%s(W%s)
          decoded = decode_%4$s(scale, code%5$s)
          return scale, code, decoded
        }
        """.formatted(file, stored.get(RESULTS.get(0)), stored.get(RESULTS.get(1)), format, values).replace("N", "" + n).replace("K", "" + k);
    try (Program program = Einfall.compile(new Source("encode.ein", text), Options.defaults())) {
      List<Tensor> results = List.copyOf(new LinkedHashMap<>(program.run(Map.of("W", weights))).values());
      return new Encoded(results.get(0), results.get(1), results.get(2));
    }
  }

  /// `Y = X W'` in Einfall, with weights as they are stored.
  Contestant ours(Encoded weights, Tensor x, int n, int k, Options options) {
    String text = """
        import std.formats.%s
        def main(X: f32[M, %d]) -> f32[M, %d] {
          weight W: %s = "W"
          Y[m, n] = sum[k](X[m, k] * W[n, k])
          return Y
        }
        """.formatted(file, k, n, type(n, k));
    return new EinfallContestant(text, Map.of("X", x),
        options.withWeights(new MadeWeights().with("W.scale", weights.scale).with("W.code", weights.code)));
  }

  /// The same with rows that the program rounds to this format, one scale a row, by weights in another.
  Contestant oursOfRows(LowBitFormat weight, Encoded weights, Tensor x, int n, int k, Options options) {
    String text = """
        import std.formats.%s
        def main(X: f32[M, %d]) -> f32[M, %d] {
          weight W: %s = "W"
          %s
          Y[m, n] = sum[k](Q[m, k] * W[n, k])
          return Y
        }
        """.formatted(file, k, n, weight.type(n, k), rounding(k));
    return new EinfallContestant(text, Map.of("X", x),
        options.withWeights(new MadeWeights().with("W.scale", weights.scale).with("W.code", weights.code)));
  }

  /// What makes `Q` of `X`, rounded to this format with one scale a row.
  private String rounding(int k) {
    String arguments = String.join(", ", sizes.stream().map(size -> size.startsWith("group") ? "" + k : size.substring(size.indexOf('=') + 2)).toList());
    return "scale, code = encode_%1$s(X, %2$s)\n  Q = decode_%1$s(scale, code, %2$s)".formatted(format, arguments);
  }

  /// The numbers that `m` rows of `k` stand for when they are rounded so.
  float[] rounded(Tensor x, int m, int k) {
    String text = "import std.formats.%s\ndef main(X: f32[%d, %d]) -> f32[%2$d, %3$d] {\n  %s\n  return Q\n}\n".formatted(file, m, k, rounding(k));
    try (Program program = Einfall.compile(new Source("rounded.ein", text), Options.defaults()); Tensor result = program.run(Map.of("X", x)).values().iterator().next()) {
      return result.floats();
    }
  }
}
