package dev.einfall.backends.c;

import dev.einfall.ir.ElementType;
import dev.einfall.ir.loop.DotShape;
import dev.einfall.ir.loop.TileShape;
import java.util.StringJoiner;

/// What functions of a [Vocabulary] do that multiply and add up, where no instruction of the target does: the C in their bodies. Sums of integers wrap around.
final class ProductBodies {

  /// What gives the C for the number that bits of a type stand for.
  interface Numbers {
    String of(ElementType type, String bits);
  }

  private ProductBodies() {}

  /// The sum of `lane`: `c` and the products of `a` and `b`, in the order of its terms.
  static String lane(DotShape shape, Numbers numbers) {
    boolean isFloat = shape.sum().isFloat();
    StringJoiner terms = new StringJoiner(" + ", isFloat ? "c[lane] + " : "(int32_t) ((uint32_t) c[lane] + ", isFloat ? "" : ")");
    for (int term = 0; term < shape.terms(); term++) {
      String at = "[lane * " + shape.terms() + " + " + term + "]";
      terms.add(isFloat ? numbers.of(shape.left(), "a" + at) + " * " + numbers.of(shape.right(), "b" + at) : "(uint32_t) (a" + at + " * b" + at + ")");
    }
    return terms.toString();
  }

  /// A tile `c`, to which the product of the tiles `a` and `b` is added.
  ///
  /// @param type of `c`
  static String tiles(TileShape shape, String type, Numbers numbers) {
    String sum = shape.sum().isFloat() ? "d[lane] + %1$s * %2$s" : "(int32_t) ((uint32_t) d[lane] + (uint32_t) (%1$s * %2$s))";
    String left = "a[lane / " + shape.columns() + " * " + shape.steps() + " + step]";
    String right = "b[(step / " + shape.packed() + " * " + shape.columns() + " + lane % " + shape.columns() + ") * " + shape.packed() + " + step % " + shape.packed() + "]";
    return """
        %s d = c;
        for (int step = 0; step < %d; step++) {
          for (int lane = 0; lane < %d; lane++) {
            d[lane] = %s;
          }
        }
        return d;""".formatted(type, shape.steps(), shape.sums().lanes(), sum.formatted(numbers.of(shape.left(), left), numbers.of(shape.right(), right)));
  }
}
