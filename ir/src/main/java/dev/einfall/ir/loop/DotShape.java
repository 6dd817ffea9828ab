package dev.einfall.ir.loop;

import dev.einfall.ir.ElementType;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// The types of an [Expr.Dot]: what an instruction that computes one is for.
///
/// @param sum the element of the sums, `f32` or `i32`
/// @param left the elements of one operand, narrower than the sums
/// @param right those of the other
/// @param lanes the number of sums
/// @param terms how many products are added to each
public record DotShape(ElementType sum, ElementType left, ElementType right, int lanes, int terms) implements InstructionShape {
  private static final Pattern TEXT = Pattern.compile("(\\w+)x(\\d+)\\+(\\w+)\\*(\\w+)x(\\d+)");

  public DotShape {
    boolean fits = switch (sum) {
      case F32 -> isNarrowFloat(left) && isNarrowFloat(right);
      case I32 -> isNarrowInteger(left) && isNarrowInteger(right);
      case F64, F16, BF16, I64, I16, I8, U8, BOOL -> false;
    };
    if (!fits || lanes < 2 || terms < 2) {
      throw new IllegalArgumentException("dot of " + lanes + " sums " + sum + " and " + terms + " products of " + left + " and " + right);
    }
  }

  /// Whether the product of two such numbers is exact as an `f32`, unless it is too large or too small for one.
  private static boolean isNarrowFloat(ElementType type) {
    return type == ElementType.F16 || type == ElementType.BF16;
  }

  private static boolean isNarrowInteger(ElementType type) {
    return type == ElementType.I8 || type == ElementType.U8 || type == ElementType.I16;
  }

  /// Whether these are the types of both operands, in any order.
  public boolean multiplies(ElementType one, ElementType other) {
    return left == one && right == other || left == other && right == one;
  }

  /// Whether both operands have these types, in any order, once they are made as wide as the dot's.
  public boolean multipliesWidened(ElementType one, ElementType other) {
    return isIn(one, left) && isIn(other, right) || isIn(other, left) && isIn(one, right);
  }

  /// Whether all numbers of `type` are ones of `wide`.
  public static boolean isIn(ElementType type, ElementType wide) {
    return type == wide || wide == ElementType.I16 && isNarrowInteger(type);
  }

  /// The shape that [#toString] writes as `text`.
  ///
  /// @throws IllegalArgumentException when there is none
  public static DotShape of(String text) {
    Matcher parts = TEXT.matcher(text);
    if (!parts.matches()) {
      throw new IllegalArgumentException("no dot is written " + text);
    }
    return new DotShape(element(parts.group(1)), element(parts.group(3)), element(parts.group(4)), Integer.parseInt(parts.group(2)),
        Integer.parseInt(parts.group(5)));
  }

  private static ElementType element(String name) {
    return ElementType.named(name).orElseThrow(() -> new IllegalArgumentException("no type is called " + name));
  }

  /// Such as `f32x16+bf16*bf16x2`: 16 sums, and two products for each.
  @Override
  public String toString() {
    return sum + "x" + lanes + "+" + left + "*" + right + "x" + terms;
  }
}
