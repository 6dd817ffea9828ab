package dev.einfall.backends.c;

import dev.einfall.ir.BinaryOp;
import dev.einfall.ir.ElementType;
import dev.einfall.ir.UnaryOp;

/// The bodies of the functions of scalars, whose operands are `a` and `b`: what operations do where C alone would do something else, or leave it
/// open, as with integers that wrap, divisions that round down, and minima of NaN.
final class ScalarBodies {
  private ScalarBodies() {}

  static String of(UnaryOp op, ElementType type) {
    String suffix = type == ElementType.F64 ? "" : "f";
    String value = CTypes.value(type);
    String narrow = type == ElementType.F64 ? "" : "(float) ";
    return switch (op) {
      case NEG -> "return " + (type.isFloat() ? "-a" : "(" + value + ") (0 - (" + CTypes.unsigned(Math.max(4, type.bytes())) + ") a)") + ";";
      case NOT -> "return !a;";
      case ABS -> type.isFloat() ? "return fabs" + suffix + "(a);" : type == ElementType.U8 ? "return a;"
          : "return a < 0 ? (" + value + ") (0 - (" + CTypes.unsigned(Math.max(4, type.bytes())) + ") a) : a;";
      case SIGN -> "return a > 0 ? 1 : a < 0 ? -1 : a;";
      case SQRT -> "return sqrt" + suffix + "(a);";
      case FLOOR -> "return floor" + suffix + "(a);";
      case CEIL -> "return ceil" + suffix + "(a);";
      case ROUND -> "return rint" + suffix + "(a);";
      case RSQRT -> "return " + narrow + "(1.0 / sqrt(a));";
      case EXP -> "return " + narrow + "exp(a);";
      case LOG -> "return " + narrow + "log(a);";
      case TANH -> "return " + narrow + "tanh(a);";
      case ERF -> "return " + narrow + "erf(a);";
      case SIN -> "return " + narrow + "sin(a);";
      case COS -> "return " + narrow + "cos(a);";
      case POPCOUNT -> """
          uint64_t b = (%s) a;
            b -= b >> 1 & UINT64_C(0x5555555555555555);
            b = (b & UINT64_C(0x3333333333333333)) + (b >> 2 & UINT64_C(0x3333333333333333));
            b = (b + (b >> 4)) & UINT64_C(0x0f0f0f0f0f0f0f0f);
            return (%s) (b * UINT64_C(0x0101010101010101) >> 56);""".formatted(CTypes.unsigned(type.bytes()), value);
    };
  }

  /// Counts the ones of 32 bits in each lane: of pairs of bits, of four bits, of bytes, which a product adds up in the highest of four.
  ///
  /// @param type of a vector of `i32`
  /// @param unsigned the same without signs
  static String popcount(String type, String unsigned) {
    return """
        %1$s b = (%1$s) a;
          b -= b >> 1 & 0x55555555u;
          b = (b & 0x33333333u) + (b >> 2 & 0x33333333u);
          b = (b + (b >> 4)) & 0x0f0f0f0fu;
          return (%2$s) (b * 0x01010101u >> 24);""".formatted(unsigned, type);
  }

  /// @param isExact whether zeros have signs that minima and maxima tell apart
  static String of(BinaryOp op, ElementType type, boolean isExact) {
    String value = CTypes.value(type);
    String wide = CTypes.unsigned(Math.max(4, type.bytes()));
    String mask = Integer.toString(8 * type.bytes() - 1);
    return switch (op) {
      case ADD, SUB, MUL -> type.isFloat() ? "return a " + op.text() + " b;"
          : "return (" + value + ") ((" + wide + ") a " + op.text() + " (" + wide + ") b);";
      case DIV -> type.isFloat() ? "return a / b;" : type == ElementType.U8 ? "return b == 0 ? 0 : a / b;" : """
          if (b == 0 || b == -1) {
              return b == 0 ? 0 : (%s) (0 - (%s) a);
            }
            return (%s) (a / b - (a %% b != 0 && (a < 0) != (b < 0)));""".formatted(value, wide, value);
      case MOD -> type.isFloat() ? "return (" + value + ") (a - (double) b * floor((double) a / b));"
          : type == ElementType.U8 ? "return b == 0 ? 0 : a % b;" : """
          if (b == 0 || b == -1) {
              return 0;
            }
            const %s c = (%s) (a %% b);
            return (%s) (c != 0 && (c < 0) != (b < 0) ? c + b : c);""".formatted(value, value, value);
      case MIN -> "return a < b" + ifFloat(type, isExact, "signbit(a)") + " ? a : b;";
      case MAX -> "return a > b" + ifFloat(type, isExact, "!signbit(a)") + " ? a : b;";
      case POW -> "return (" + value + ") pow(a, b);";
      case AND -> "return a & b;";
      case OR -> "return a | b;";
      case XOR -> "return a ^ b;";
      case SHL -> "return (" + value + ") ((" + wide + ") a << (b & " + mask + "));";
      case SHR -> "return (" + value + ") (a >> (b & " + mask + "));";
      case EQ, NE, LT, LE, GT, GE -> "return a " + op.text() + " b;";
    };
  }

  /// When else `a` is a minimum or maximum of floats.
  private static String ifFloat(ElementType type, boolean isExact, String sign) {
    return type.isFloat() ? " || a != a" + (isExact ? " || (a == b && " + sign + ")" : "") : "";
  }
}
