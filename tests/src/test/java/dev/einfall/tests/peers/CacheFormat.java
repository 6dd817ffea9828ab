package dev.einfall.tests.peers;

import dev.einfall.ir.Source;
import dev.einfall.runtime.Einfall;
import dev.einfall.runtime.Options;
import dev.einfall.runtime.Program;
import dev.einfall.runtime.Tensor;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/// A format of the standard library for a cache `[G, N, D]`, whose rows have D elements.
///
/// @param word how cases are called
/// @param file that of the library that has it
/// @param format its name there
/// @param sizes what its functions take behind tensors
/// @param stored what it stores, as `name: type`
enum CacheFormat {
  INT8_ROWS("int8-rows", "integers", "int8", "D", "scale: f32[G, N, 1]", "code: i8[G, N, D]"),
  INT8("int8", "integers", "int8", "32", "scale: f32[G, N, D / 32]", "code: i8[G, N, D]"),
  INT4("int4", "integers", "int4", "32", "scale: f32[G, N, D / 32]", "code: u8[G, N, D / 2]"),
  ASYMMETRIC("asymmetric", "integers", "asymmetric", "4, 64", "scale: f32[G, N, D / 64]", "zero: u8[G, N, D / 64]", "code: u8[G, N, D / 8, 4]"),
  NF4("nf4", "codebooks", "nf4", "64", "scale: f32[G, N, D / 64]", "code: u8[G, N, D / 2]"),
  MXFP4("mxfp4", "microscaling", "mxfp4", "", "scale: u8[G, N, D / 32]", "code: u8[G, N, D / 2]");

  private final String word;
  private final String file;
  private final String format;
  private final String sizes;
  private final List<String> stored;

  CacheFormat(String word, String file, String format, String sizes, String... stored) {
    this.word = word;
    this.file = file;
    this.format = format;
    this.sizes = sizes;
    this.stored = List.of(stored);
  }

  String word() {
    return word;
  }

  String imported() {
    return "import std.formats." + file + "\n";
  }

  /// The inputs that stand for the cache `name`.
  String parts(String name) {
    return String.join(", ", stored.stream().map(part -> name + "_" + part).toList());
  }

  /// A definition of `name` by what it is decoded to.
  String decoded(String name) {
    return "%s = decode_%s(%s%s)".formatted(name, format, names(name), more());
  }

  private String names(String name) {
    return String.join(", ", stored.stream().map(part -> name + "_" + part.substring(0, part.indexOf(':'))).toList());
  }

  private String more() {
    return sizes.isEmpty() ? "" : ", " + sizes;
  }

  /// What is stored of `cache`, under the names of its parts, and under its own name what that stands for.
  Map<String, Tensor> encode(String name, Tensor cache) {
    String text = """
        %s
        def main(%s: f32[G, N, D]) -> (%2$s: f32[G, N, D], %s) {
          %s = encode_%s(%2$s%s)
          %s
          return %2$s, %4$s
        }
        """.formatted(imported(), name, parts(name), names(name), format, more(), decoded(name)).replace("D", "" + cache.shape().getLast());
    try (Program program = Einfall.compile(new Source("encode.ein", text), Options.defaults())) {
      return new LinkedHashMap<>(program.run(Map.of(name, cache)));
    }
  }
}
