package dev.einfall.backends.reference;

import dev.einfall.backends.KernelFault;
import dev.einfall.ir.BinaryOp;
import dev.einfall.ir.ElementType;
import dev.einfall.ir.UnaryOp;
import java.util.function.LongBinaryOperator;

/// The scalar operations on `long`, and conversions.
final class Arithmetic {
  private Arithmetic() {}

  static long ofInteger(UnaryOp op, ElementType type, long x) {
    return switch (op) {
      case POPCOUNT -> Long.bitCount(x & -1L >>> 64 - 8 * type.bytes());
      case NEG -> -x;
      case NOT -> x == 0 ? 1 : 0;
      case ABS -> Math.abs(x);
      case SIGN -> Long.signum(x);
      case EXP, LOG, SQRT, RSQRT, TANH, ERF, SIN, COS, FLOOR, CEIL, ROUND ->
          throw new IllegalArgumentException(op + " of an integer");
    };
  }

  /// An operation on integers or truth values of `type` that gives one.
  static LongBinaryOperator ofIntegers(BinaryOp op, ElementType type) {
    int shiftMask = 8 * type.bytes() - 1;
    return switch (op) {
      case ADD -> (x, y) -> wrap(type, x + y);
      case SUB -> (x, y) -> wrap(type, x - y);
      case MUL -> (x, y) -> wrap(type, x * y);
      case DIV -> (x, y) -> wrap(type, Math.floorDiv(x, divisor(y)));
      case MOD -> (x, y) -> Math.floorMod(x, divisor(y));
      case MIN -> Math::min;
      case MAX -> Math::max;
      case AND -> (x, y) -> x & y;
      case OR -> (x, y) -> x | y;
      case XOR -> (x, y) -> x ^ y;
      case SHL -> (x, y) -> wrap(type, x << (y & shiftMask));
      case SHR -> (x, y) -> x >> (y & shiftMask);
      case EQ, NE, LT, LE, GT, GE -> (x, y) -> op.holds(Long.compare(x, y), 0) ? 1 : 0;
      case POW -> throw new IllegalArgumentException(op + " of integers");
    };
  }

  private static long divisor(long value) {
    if (value == 0) {
      throw new KernelFault("the divisor of an integer division must not be", "0");
    }
    return value;
  }

  /// The value of `type` that has the low bits of `value`.
  static long wrap(ElementType type, long value) {
    return switch (type) {
      case I64 -> value;
      case I32 -> (int) value;
      case I16 -> (short) value;
      case I8 -> (byte) value;
      case U8 -> value & 0xFF;
      case BOOL -> value != 0 ? 1 : 0;
      case F64, F32, F16, BF16 -> throw new IllegalArgumentException("wrap of " + type);
    };
  }

  /// A number as a value of an integer type, toward zero and saturating, or of `bool`.
  static long truncate(ElementType type, double value) {
    return switch (type) {
      case I64 -> (long) value;
      case I32 -> (int) value;
      case I16 -> Math.clamp((int) value, Short.MIN_VALUE, Short.MAX_VALUE);
      case I8 -> Math.clamp((int) value, Byte.MIN_VALUE, Byte.MAX_VALUE);
      case U8 -> Math.clamp((int) value, 0, 255);
      case BOOL -> value != 0 ? 1 : 0;
      case F64, F32, F16, BF16 -> throw new IllegalArgumentException("truncation to " + type);
    };
  }

  /// `value` rounded to a floating-point type, to nearest.
  static double round(ElementType type, double value) {
    return switch (type) {
      case F32 -> (float) value;
      case F16 -> Float.float16ToFloat(Float.floatToFloat16((float) value));
      case BF16 -> ofBits(type, Array.toBf16((float) value));
      case F64, I64, I32, I16, I8, U8, BOOL -> value;
    };
  }

  /// The bits of `value` rounded to a floating-point type, as the integer of the same size.
  static long bits(ElementType type, double value) {
    return switch (type) {
      case F64 -> Double.doubleToRawLongBits(value);
      case F32 -> Float.floatToRawIntBits((float) value);
      case F16 -> Float.floatToFloat16((float) value);
      case BF16 -> Array.toBf16((float) value);
      case I64, I32, I16, I8, U8, BOOL -> throw new IllegalArgumentException("bits of " + type);
    };
  }

  /// The value of a floating-point type that has these bits.
  static double ofBits(ElementType type, long bits) {
    return switch (type) {
      case F64 -> Double.longBitsToDouble(bits);
      case F32 -> Float.intBitsToFloat((int) bits);
      case F16 -> Float.float16ToFloat((short) bits);
      case BF16 -> Float.intBitsToFloat((int) bits << 16);
      case I64, I32, I16, I8, U8, BOOL -> throw new IllegalArgumentException("number of " + type);
    };
  }
}
