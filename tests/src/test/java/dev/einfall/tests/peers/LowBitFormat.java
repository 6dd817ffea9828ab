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

/// A format of the standard library, or a type of elements, for a weight `[N, K]`.
///
/// @param name how cases are called
/// @param file that of the library that has it; none for a type of elements
/// @param format its name there
/// @param sizes what it takes, as in `group = 64`
/// @param stored the names and types of what it stores
enum LowBitFormat {
  INT8("int8", "integers", "int8", List.of("group = 64"), "scale f32[N, K / 64]", "code i8[N, K]"),
  INT8_ROWS("int8-rows", "integers", "int8", List.of("group = K"), "scale f32[N, 1]", "code i8[N, K]"),
  INT4("int4", "integers", "int4", List.of("group = 64"), "scale f32[N, K / 64]", "code u8[N, K / 2]"),
  NF4("nf4", "codebooks", "nf4", List.of("group = 64"), "scale f32[N, K / 64]", "code u8[N, K / 2]"),
  MXFP4("mxfp4", "microscaling", "mxfp4", List.of(), "scale u8[N, K / 32]", "code u8[N, K / 2]"),
  INT3("int3", "integers", "symmetric", List.of("bits = 3", "group = 64"), "scale f32[N, K / 64]", "code u8[N, K / 8, 3]"),
  INT2("int2", "integers", "symmetric", List.of("bits = 2", "group = 64"), "scale f32[N, K / 64]", "code u8[N, K / 8, 2]"),
  TERNARY("ternary", "integers", "ternary", List.of("group = 64"), "scale f32[N, K / 64]", "code u8[N, K / 8, 2]"),
  BINARY("binary", "integers", "binary", List.of("group = 64"), "scale f32[N, K / 64]", "code u8[N, K / 8, 1]"),
  INT5("int5", "integers", "symmetric", List.of("bits = 5", "group = 64"), "scale f32[N, K / 64]", "code u8[N, K / 8, 5]"),
  INT6("int6", "integers", "symmetric", List.of("bits = 6", "group = 64"), "scale f32[N, K / 64]", "code u8[N, K / 8, 6]"),
  INT7("int7", "integers", "symmetric", List.of("bits = 7", "group = 64"), "scale f32[N, K / 64]", "code u8[N, K / 8, 7]"),
  ASYMMETRIC4("asymmetric4", "integers", "asymmetric", List.of("bits = 4", "group = 64"), "scale f32[N, K / 64]", "zero u8[N, K / 64]", "code u8[N, K / 8, 4]"),
  ANY4("any4", "codebooks", "any4", List.of("group = 64"), "scale f32[N, K / 64]", "table f32[N, 16]", "code u8[N, K / 8, 4]"),
  ANY3("any3", "codebooks", "any3", List.of("group = 64"), "scale f32[N, K / 64]", "table f32[N, 8]", "code u8[N, K / 8, 3]"),
  DYNAMIC8("dynamic8", "codebooks", "dynamic8", List.of("group = 64"), "scale f32[N, K / 64]", "code u8[N, K]"),
  FP8_E4M3("fp8-e4m3", "minifloats", "fp8_e4m3", List.of(), "code u8[N, K]"),
  FP8_E5M2("fp8-e5m2", "minifloats", "fp8_e5m2", List.of(), "code u8[N, K]"),
  FP6_E2M3("fp6-e2m3", "minifloats", "fp6_e2m3", List.of(), "code u8[N, K / 8, 6]"),
  FP6_E3M2("fp6-e3m2", "minifloats", "fp6_e3m2", List.of(), "code u8[N, K / 8, 6]"),
  MXFP6("mxfp6", "microscaling", "mxfp6_e2m3", List.of(), "scale u8[N, K / 32]", "code u8[N, K / 8, 6]"),
  MXFP8("mxfp8", "microscaling", "mxfp8_e4m3", List.of(), "scale u8[N, K / 32]", "code u8[N, K]"),
  MXINT8("mxint8", "microscaling", "mxint8", List.of(), "scale u8[N, K / 32]", "code i8[N, K]"),
  NVFP4("nvfp4", "microscaling", "nvfp4", List.of(), "rows f32[N]", "scale u8[N, K / 16]", "code u8[N, K / 2]"),
  FIXED("fixed", "block_floats", "fixed", List.of("bits = 16", "fraction = 12"), "code i16[N, K]"),
  BLOCK_FLOAT5("block-float5", "block_floats", "block_float", List.of("bits = 5", "block = 64"), "exponent u8[N, K / 64]", "code u8[N, K / 8, 5]"),
  POWER4("power4", "powers", "power", List.of("bits = 4", "group = 64"), "power f32[N]", "scale f32[N, K / 64]", "code u8[N, K / 8, 4]"),
  SHIFT4("shift4", "powers", "shift", List.of("bits = 4", "group = 64"), "exponent u8[N, K / 64]", "code u8[N, K / 8, 4]"),
  Q4_0("q4_0", "ggml", "q4_0", List.of(), "scale f16[N, K / 32]", "code u8[N, K / 32, 16]"),
  Q4_K("q4_k", "gguf", "gguf_q4_k", List.of(), "blocks u8[N, K / 256, 144]"),
  Q6_K("q6_k", "gguf", "gguf_q6_k", List.of(), "blocks u8[N, K / 256, 210]"),
  F16("f16", "", "f16", List.of(), "code f16[N, K]"),
  BF16("bf16", "", "bf16", List.of(), "code bf16[N, K]");

  private final String word;
  private final String file;
  private final String format;
  private final List<String> sizes;
  private final List<String> stored;

  LowBitFormat(String word, String file, String format, List<String> sizes, String... stored) {
    this.word = word;
    this.file = file;
    this.format = format;
    this.sizes = sizes;
    this.stored = List.of(stored);
  }

  /// A matrix in a format.
  ///
  /// @param stored what a file would have of it, by name; of no name if it is all
  /// @param decoded what that means, as `f32`
  record Encoded(Map<String, Tensor> stored, Tensor decoded) implements AutoCloseable {

    /// The bytes of what is stored.
    long bytes() {
      return stored.values().stream().mapToLong(part -> part.data().byteSize()).sum();
    }

    Tensor code() {
      return stored.get("code");
    }

    Tensor scale() {
      return stored.get("scale");
    }

    /// The weights of a program whose weight `W` it is.
    MadeWeights weights() {
      MadeWeights weights = new MadeWeights();
      stored.forEach((name, part) -> weights.with(name.isEmpty() ? "W" : "W." + name, part));
      return weights;
    }

    @Override
    public void close() {
      stored.values().forEach(Tensor::close);
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

  private boolean isElementType() {
    return file.isEmpty();
  }

  private String imported() {
    return isElementType() ? "" : "import std.formats." + file;
  }

  Encoded encode(Tensor weights, int n, int k) {
    String values = String.join("", sizes.stream().map(size -> ", " + size.substring(size.indexOf('=') + 2)).toList());
    List<String> names = stored.stream().map(part -> part.substring(0, part.indexOf(' '))).toList();
    String types = String.join(", ", stored.stream().map(part -> part.substring(part.indexOf(' ') + 1)).toList());
    String rounding = isElementType() ? "code[n, k] = %s(W[n, k])\n  decoded[n, k] = f32(code[n, k])".formatted(format)
        : "%1$s = encode_%2$s(W%3$s)\n  decoded = decode_%2$s(%1$s%3$s)".formatted(String.join(", ", names), format, values);
    String text = """
        %s
        def main(W: f32[N, K]) -> (%s, f32[N, K]) {
          %s
          return %s, decoded
        }
        """.formatted(imported(), types, rounding, String.join(", ", names)).replace("N", "" + n).replace("K", "" + k);
    try (Program program = Einfall.compile(new Source("encode.ein", text), Options.defaults())) {
      List<Tensor> results = List.copyOf(program.run(Map.of("W", weights)).values());
      Map<String, Tensor> parts = new LinkedHashMap<>();
      names.forEach(name -> parts.put(isElementType() ? "" : name, results.get(parts.size())));
      return new Encoded(parts, results.getLast());
    }
  }

  /// `Y = X W'` in Einfall, with weights as they are stored.
  Contestant ours(Encoded weights, Tensor x, int n, int k, Options options) {
    return new EinfallContestant(program(n, k, "  Y[m, n] = sum[k](X[m, k] * f32(W[n, k]))\n"), Map.of("X", x), options.withWeights(weights.weights()));
  }

  /// A program that makes `Y` of `X` and a weight `W` in this format by `definitions`.
  String program(int n, int k, String definitions) {
    return """
        %s
        def main(X: f32[M, %d]) -> f32[M, %d] {
          weight W: %s = "W"
        %s  return Y
        }
        """.formatted(imported(), k, n, type(n, k), definitions);
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
        options.withWeights(weights.weights()));
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
