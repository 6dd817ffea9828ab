package dev.einfall.passes;

import dev.einfall.ir.BinaryOp;
import dev.einfall.ir.ElementType;
import dev.einfall.ir.UnaryOp;
import java.util.OptionalDouble;

/// The value of an operation on constants. Numbers travel as `double`, which holds every value of the types up to 32
/// bits and the integers up to 2^53.
public final class Scalars {
  private Scalars() {}

  /// `value` rounded to `type` as a cast would: floats to nearest, integers toward zero with saturation of NaN to 0,
  /// wrapped to the width of the type, `bool` to 0 or 1.
  public static double round(ElementType type, double value) {
    return switch (type) {
      case F64 -> value;
      case F32 -> (float) value;
      case F16 -> Float.float16ToFloat(Float.floatToFloat16((float) value));
      case BF16 -> bfloat16((float) value);
      case I64 -> (long) value;
      case I32 -> (int) (long) value;
      case I16 -> (short) (long) value;
      case I8 -> (byte) (long) value;
      case U8 -> (long) value & 0xff;
      case BOOL -> value != 0 ? 1 : 0;
    };
  }

  private static float bfloat16(float value) {
    if (Float.isNaN(value)) {
      return value;
    }
    int bits = Float.floatToRawIntBits(value);
    int rounded = bits + 0x7fff + (bits >>> 16 & 1);
    return Float.intBitsToFloat(rounded & 0xffff0000);
  }

  /// `op` of `operand`, rounded to `type`.
  public static double apply(UnaryOp op, ElementType type, double operand) {
    double exact = switch (op) {
      case NOT -> operand == 0 ? 1 : 0;
      case POPCOUNT -> Long.bitCount((long) operand & -1L >>> 64 - 8 * type.bytes());
      case NEG, ABS, SIGN, EXP, LOG, SQRT, RSQRT, TANH, ERF, SIN, COS, FLOOR, CEIL, ROUND -> op.onNumbers().applyAsDouble(operand);
    };
    return round(type, exact);
  }

  /// `op` of two operands of type `type`, rounded to the result's type; empty where it is an error (an integer
  /// division by zero) or a bit operation on more bits than a `double` holds.
  public static OptionalDouble apply(BinaryOp op, ElementType type, double left, double right) {
    if (!type.isFloat() && right == 0 && (op == BinaryOp.DIV || op == BinaryOp.MOD)) {
      return OptionalDouble.empty();
    }
    double exact = switch (op) {
      case DIV, MOD -> type.isFloat() ? op.onNumbers().applyAsDouble(left, right) : wholeDivision(op, (long) left, (long) right);
      case ADD, SUB, MUL, MIN, MAX, POW -> op.onNumbers().applyAsDouble(left, right);
      case EQ, NE, LT, LE, GT, GE -> op.holds(left, right) ? 1 : 0;
      case AND -> (long) left & (long) right;
      case OR -> (long) left | (long) right;
      case XOR -> (long) left ^ (long) right;
      case SHL -> (long) left << distance(type, right);
      case SHR -> (long) left >> distance(type, right);
    };
    boolean exactInDouble = type.isFloat() || Math.abs(exact) < 1L << 53;
    return exactInDouble ? OptionalDouble.of(round(op.result(type), exact)) : OptionalDouble.empty();
  }

  private static long wholeDivision(BinaryOp op, long left, long right) {
    return op == BinaryOp.DIV ? Math.floorDiv(left, right) : Math.floorMod(left, right);
  }

  /// A shift is by as many bits as the low bits of its operand say.
  private static int distance(ElementType type, double right) {
    return (int) right & 8 * type.bytes() - 1;
  }

  /// `value`, of the type `from`, converted: a number becomes an integer toward zero, saturating.
  public static double cast(ElementType from, ElementType to, double value) {
    return round(to, from.isFloat() && to.isInteger() ? saturated(to, value) : value);
  }

  /// The bits of `value`, of the type `from`, as a number of the type `to`; empty where a `double` holds only some of what these are.
  public static OptionalDouble bitcast(ElementType from, ElementType to, double value) {
    boolean isHeld = from.bytes() == Float.BYTES && (from == ElementType.I32 || !Double.isNaN(value));
    if (from == to || !isHeld) {
      return from == to ? OptionalDouble.of(value) : OptionalDouble.empty();
    }
    return OptionalDouble.of(from == ElementType.I32 ? Float.intBitsToFloat((int) value) : Float.floatToRawIntBits((float) value));
  }

  private static double saturated(ElementType type, double value) {
    double lowest = type == ElementType.U8 ? 0 : -Math.scalb(1.0, 8 * type.bytes() - 1);
    double highest = type == ElementType.U8 ? 255 : -lowest - 1;
    return Double.isNaN(value) ? 0 : Math.max(lowest, Math.min(highest, value));
  }
}
