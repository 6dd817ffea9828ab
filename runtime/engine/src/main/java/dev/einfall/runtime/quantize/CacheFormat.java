package dev.einfall.runtime.quantize;

import dev.einfall.ir.CompileException;
import dev.einfall.ir.ElementType;
import dev.einfall.ir.Size;
import dev.einfall.ir.cascade.Tensor;
import dev.einfall.runtime.Options;
import java.util.ArrayList;
import java.util.List;

/// What a format stores of a row of a cache.
///
/// @param length of a row
record CacheFormat(Encoding encoding, int length, List<Part> parts) {
  /// So many that no format stores something of this size for all rows together.
  private static final int ROWS = 7;

  /// One of the stored tensors.
  ///
  /// @param shape behind the dimensions that count rows
  record Part(String name, ElementType type, List<Size> shape) {

    long bytes() {
      return shape.stream().mapToLong(Size::value).reduce(type.bytes(), Math::multiplyExact);
    }
  }

  /// @param dimension of `cache` along which rows have their elements
  /// @throws CompileException when the format does not fit rows of this length, or stores something for all rows together
  static CacheFormat of(Tensor cache, int dimension, Encoding encoding, Options options) {
    Size size = cache.shape().get(dimension);
    if (size.constant().isEmpty()) {
      throw CompileException.of("the rows of the cache '" + cache.name() + "' have " + size + " elements, of which the program does not say how many"
          + " they are: expected a number in its type. To leave the cache as it is: --keep '" + cache.name() + "'");
    }
    new Fit("cache", cache.name(), ROWS, size.value(), encoding).require(options);
    try (EncodingProgram program = new EncodingProgram(encoding, ROWS, size.value(), options)) {
      List<Part> parts = new ArrayList<>();
      for (int i = 0; i < program.count(); i++) {
        List<Size> shape = program.sizes(i);
        if (shape.isEmpty() || !shape.getFirst().equals(Size.of(ROWS))) {
          throw CompileException.of("the format " + encoding + " stores a " + encoding.format().stored().get(i)
              + " for all rows together, which changes when rows are added to the cache '" + cache.name() + "': expected one that stores each row by itself");
        }
        parts.add(new Part(encoding.format().stored().get(i), program.type(i), shape.subList(1, shape.size())));
      }
      return new CacheFormat(encoding, size.value(), parts);
    }
  }

  /// What a row takes.
  long bytes() {
    return parts.stream().mapToLong(Part::bytes).sum();
  }
}
