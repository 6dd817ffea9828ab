package dev.einfall.passes.cascade;

import dev.einfall.ir.ElementType;
import dev.einfall.ir.cascade.Definition;
import dev.einfall.ir.cascade.Einsum;
import dev.einfall.ir.cascade.Expr;
import dev.einfall.ir.cascade.Tensor;
import java.util.List;

/// Where elements are decoded that bytes of data stand for: in the product that uses them, or once before it.
public final class Decoding {
  /// With more rows, decoding once and writing the elements costs less than decoding them for each tile of rows.
  private static final int MOST_ROWS = 8;

  private Decoding() {}

  /// Whether `tensor` has bytes, which may be codes.
  public static boolean isByte(Tensor tensor) {
    return tensor.type() == ElementType.I8 || tensor.type() == ElementType.U8;
  }

  /// Whether `einsum` gives for each element what a byte that it reads stands for.
  public static boolean isDecoded(Einsum einsum) {
    return !Exprs.hasReduction(einsum.value()) && !Exprs.hasFold(einsum.value()) && !isByte(einsum.tensor()) && einsum.reads().anyMatch(Decoding::isByte);
  }

  /// Whether what is evaluated at `points` uses each element of `tensor` so rarely that it decodes them itself.
  public static boolean isInPlace(Tensor tensor, long points) {
    return points <= MOST_ROWS * tensor.shape().stream().mapToLong(size -> size.value()).reduce(1, Math::multiplyExact);
  }

  /// Whether the elements of `einsum` are decoded before `readers` use them, each many times.
  public static boolean isAhead(Einsum einsum, List<Definition> readers) {
    return isDecoded(einsum) && readers.stream().anyMatch(reader -> reader instanceof Einsum user && !isInPlace(einsum.tensor(), points(user)));
  }

  private static long points(Einsum einsum) {
    return Exprs.reductions(einsum.value()).map(Expr.Reduce::ranks).mapToLong(Exprs::volume).max().orElse(1) * Exprs.volume(einsum.ranks());
  }
}
