package dev.einfall.tests.programs;

import dev.einfall.frontend.EinReader;
import dev.einfall.ir.Source;
import dev.einfall.ir.cascade.Cascade;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/// A product of rows with weights in a format of the library.
final class FormatProduct {
  /// For the format's module, how many numbers a row has, how many rows of weights there are, and the format.
  static final String PROGRAM = """
      import std.formats.%s
      def main(X: f32[M, %2$d]) -> f32[M, %3$d] {
        weight W: %4$s[%3$d, %2$d] = "W"
        Y[m, n] = sum[k](X[m, k] * W[n, k])
        return Y
      }
      """;

  private FormatProduct() {}

  static TreeMap<String, Long> sizes(long rows) {
    return new TreeMap<>(Map.of("M", rows));
  }

  static Cascade cascade(String text, long rows) {
    return EinReader.read(new Source("product.ein", text), Optional.empty()).cascade(sizes(rows));
  }
}
