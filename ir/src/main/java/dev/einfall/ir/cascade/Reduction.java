package dev.einfall.ir.cascade;

import dev.einfall.ir.BinaryOp;
import dev.einfall.ir.ElementType;
import java.util.Optional;

/// How the values of a reduced rank become one. The order of combination is the source's under the `strict`
/// contract and free otherwise.
///
/// `ARGMAX` and `ARGMIN` give the first coordinate of an extreme value, as `i32`. The reduction of an empty rank
/// is the identity.
public enum Reduction implements Combination {
  SUM("sum", BinaryOp.ADD),
  PROD("prod", BinaryOp.MUL),
  MAX("max", BinaryOp.MAX),
  MIN("min", BinaryOp.MIN),
  ANY("any", BinaryOp.OR),
  ALL("all", BinaryOp.AND),
  ARGMAX("argmax", BinaryOp.MAX),
  ARGMIN("argmin", BinaryOp.MIN);

  private final String text;
  private final BinaryOp combine;

  Reduction(String text, BinaryOp combine) {
    this.text = text;
    this.combine = combine;
  }

  public String text() {
    return text;
  }

  /// The operation that combines two values; for `ARGMAX` and `ARGMIN`, the one on the values compared.
  public BinaryOp combine() {
    return combine;
  }

  public boolean isPosition() {
    return this == ARGMAX || this == ARGMIN;
  }

  public boolean accepts(ElementType type) {
    return switch (this) {
      case SUM, PROD, MAX, MIN, ARGMAX, ARGMIN -> !type.isBool();
      case ANY, ALL -> type.isBool();
    };
  }

  /// The value that leaves every other unchanged, as a literal of `type`.
  ///
  /// @throws IllegalArgumentException for `ARGMAX` and `ARGMIN`, which have none
  public Expr identity(ElementType type) {
    return switch (this) {
      case SUM, ANY -> Expr.literal(type, 0);
      case PROD, ALL -> Expr.literal(type, 1);
      case MAX -> type.isFloat() ? Expr.literal(type, Double.NEGATIVE_INFINITY) : new Expr.IntLiteral(type, lowest(type));
      case MIN -> type.isFloat() ? Expr.literal(type, Double.POSITIVE_INFINITY) : new Expr.IntLiteral(type, highest(type));
      case ARGMAX, ARGMIN -> throw new IllegalArgumentException(text + " has no identity");
    };
  }

  private static long lowest(ElementType type) {
    return type == ElementType.U8 ? 0 : -1L << (8 * type.bytes() - 1);
  }

  private static long highest(ElementType type) {
    return type == ElementType.U8 ? 255 : ~lowest(type);
  }

  /// The reduction that is written `text`, if there is one.
  public static Optional<Reduction> named(String text) {
    for (Reduction reduction : values()) {
      if (reduction.text.equals(text)) {
        return Optional.of(reduction);
      }
    }
    return Optional.empty();
  }
}
