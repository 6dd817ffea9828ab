package dev.einfall.ir.loop;

import dev.einfall.ir.ElementType;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// The types of an [Expr.TileProduct]: what an instruction that multiplies tiles is for.
///
/// @param sum the element of the sums
/// @param left the elements of the left tile, no wider than the sums
/// @param right those of the right tile
/// @param rows how many rows the sums and the left tile have
/// @param columns how many columns the sums have
/// @param steps how many products are added to each sum
/// @param packed how many steps lie next to each other in the right tile, before those of the next column come
public record TileShape(ElementType sum, ElementType left, ElementType right, int rows, int columns, int steps, int packed)
    implements InstructionShape {
  private static final Pattern TEXT = Pattern.compile("(\\w+)\\[(\\d+)x(\\d+)]\\+(\\w+)\\[(\\d+)x(\\d+)]\\*(\\w+)\\[(\\d+)x(\\d+)]/(\\d+)");

  public TileShape {
    boolean fits = switch (sum) {
      case F64 -> left == ElementType.F64 && right == ElementType.F64;
      case F32 -> isFactor(left) && isFactor(right);
      case I32 -> isByte(left) && isByte(right);
      case F16, BF16, I64, I16, I8, U8, BOOL -> false;
    };
    if (!fits || rows < 1 || columns < 1 || rows * columns < 2 || packed < 1 || steps < packed || steps % packed != 0) {
      throw new IllegalArgumentException("product of tiles: " + rows + " x " + columns + " sums of " + sum + " and " + steps + " products of " + left
          + " and " + right + ", " + packed + " side by side");
    }
  }

  /// The shape that [#toString] writes as `text`.
  ///
  /// @throws IllegalArgumentException when there is none
  public static TileShape of(String text) {
    Matcher parts = TEXT.matcher(text);
    if (!parts.matches() || !parts.group(2).equals(parts.group(5)) || !parts.group(3).equals(parts.group(9)) || !parts.group(6).equals(parts.group(8))) {
      throw new IllegalArgumentException("no product of tiles is written " + text);
    }
    return new TileShape(element(parts.group(1)), element(parts.group(4)), element(parts.group(7)), Integer.parseInt(parts.group(2)),
        Integer.parseInt(parts.group(3)), Integer.parseInt(parts.group(6)), Integer.parseInt(parts.group(10)));
  }

  private static ElementType element(String name) {
    return ElementType.named(name).orElseThrow(() -> new IllegalArgumentException("no type is called " + name));
  }

  private static boolean isFactor(ElementType type) {
    return type == ElementType.F32 || type == ElementType.F16 || type == ElementType.BF16;
  }

  private static boolean isByte(ElementType type) {
    return type == ElementType.I8 || type == ElementType.U8;
  }

  /// The type of the sums, lane `row * columns + column`.
  public ValueType sums() {
    return new ValueType(sum, rows * columns);
  }

  /// The type of the left tile, lane `row * steps + step`.
  public ValueType lefts() {
    return new ValueType(left, rows * steps);
  }

  /// The type of the right tile, lane `(step / packed * columns + column) * packed + step % packed`.
  public ValueType rights() {
    return new ValueType(right, steps * columns);
  }

  /// Such as `f32[16x16]+bf16[16x32]*bf16[32x16]/2`: 16 rows and columns of sums, 32 products for each, two steps side by side.
  @Override
  public String toString() {
    return sum + "[" + rows + "x" + columns + "]+" + left + "[" + rows + "x" + steps + "]*" + right + "[" + steps + "x" + columns + "]/" + packed;
  }
}
