package dev.einfall.backends.jvm;

import dev.einfall.backends.KernelFault;

/// What generated code calls for scalar operations that are not single instructions.
public final class Arithmetic {
  static final int LAST_PLACE = 4;

  private Arithmetic() {}

  /// The nearest `f16`, as a `float`.
  public static float roundToF16(float value) {
    return Float.float16ToFloat(Float.floatToFloat16(value));
  }

  /// The nearest `bf16`, as a `float`.
  public static float roundToBf16(float value) {
    return bf16ToFloat(floatToBf16(value));
  }

  public static float bf16ToFloat(short bits) {
    return Float.intBitsToFloat(bits << 16);
  }

  /// The bits of the `bf16` nearest to `value`, ties to even.
  public static short floatToBf16(float value) {
    int bits = Float.floatToRawIntBits(value);
    if (Float.isNaN(value)) {
      return (short) (bits >> 16 | 0x40);
    }
    return (short) (bits + 0x7fff + (bits >>> 16 & 1) >>> 16);
  }

  public static int truth(int value) {
    return value != 0 ? 1 : 0;
  }

  public static int truth(long value) {
    return value != 0 ? 1 : 0;
  }

  public static int truth(float value) {
    return value != 0 ? 1 : 0;
  }

  public static int truth(double value) {
    return value != 0 ? 1 : 0;
  }

  /// 1 if `a < b`, else 0, without a branch.
  public static int less(int a, int b) {
    return (int) ((long) a - b >>> 63);
  }

  /// 1 if `a == b`, else 0, without a branch.
  public static int equal(int a, int b) {
    long difference = (long) a - b;
    return (int) ((difference | -difference) >>> 63) ^ 1;
  }

  /// `a` if `condition` is 1, `b` if it is 0, without a branch.
  public static int select(int condition, int a, int b) {
    return b ^ (a ^ b) & -condition;
  }

  public static long select(int condition, long a, long b) {
    return b ^ (a ^ b) & -(long) condition;
  }

  public static float select(int condition, float a, float b) {
    return Float.intBitsToFloat(select(condition, Float.floatToRawIntBits(a), Float.floatToRawIntBits(b)));
  }

  public static double select(int condition, double a, double b) {
    return Double.longBitsToDouble(select(condition, Double.doubleToRawLongBits(a), Double.doubleToRawLongBits(b)));
  }

  public static int sign(int value) {
    return Integer.signum(value);
  }

  public static long sign(long value) {
    return Long.signum(value);
  }

  public static float sign(float value) {
    return Math.signum(value);
  }

  public static double sign(double value) {
    return Math.signum(value);
  }

  public static double rsqrt(double value) {
    return 1 / Math.sqrt(value);
  }

  public static float pow(float base, float exponent) {
    return (float) Math.pow(base, exponent);
  }

  public static int floorDiv(int a, int b) {
    return Math.floorDiv(a, (int) divisor(b));
  }

  public static long floorDiv(long a, long b) {
    return Math.floorDiv(a, divisor(b));
  }

  public static int floorMod(int a, int b) {
    return Math.floorMod(a, (int) divisor(b));
  }

  public static long floorMod(long a, long b) {
    return Math.floorMod(a, divisor(b));
  }

  public static float floorMod(float a, float b) {
    return (float) floorMod((double) a, (double) b);
  }

  public static double floorMod(double a, double b) {
    return a - b * Math.floor(a / b);
  }

  private static long divisor(long value) {
    if (value == 0) {
      throw new KernelFault("the divisor of an integer division must not be", "0");
    }
    return value;
  }

  /// Where `cap` iterations of a loop start: at 0 for `place` 0, so that they are the last ones for [#LAST_PLACE].
  public static int first(int extent, int cap, int place) {
    return place == 0 ? 0 : (int) ((long) Math.max(0, extent - cap) * place / LAST_PLACE);
  }

  public static KernelFault fault(String requirement, double value) {
    return new KernelFault(requirement, Double.toString(value));
  }

  public static KernelFault fault(String requirement, long value) {
    return new KernelFault(requirement, Long.toString(value));
  }
}
