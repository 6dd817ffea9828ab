package dev.einfall.ir.loop;

import dev.einfall.ir.ElementType;

/// The integers from `low` to `high`, both included. `Long.MIN_VALUE` and `Long.MAX_VALUE` stand for "no bound known",
/// and stay so in all arithmetic.
public record Interval(long low, long high) {
  public static final Interval ALL = new Interval(Long.MIN_VALUE, Long.MAX_VALUE);

  public Interval {
    if (low > high) {
      throw new IllegalArgumentException("interval from " + low + " to " + high);
    }
  }

  public static Interval of(long value) {
    return new Interval(value, value);
  }

  /// The values that an integer type, or `bool` as 0 and 1, can hold.
  ///
  /// @throws IllegalArgumentException for a floating-point type
  public static Interval of(ElementType type) {
    return switch (type) {
      case I64 -> ALL;
      case I32 -> new Interval(Integer.MIN_VALUE, Integer.MAX_VALUE);
      case I16 -> new Interval(Short.MIN_VALUE, Short.MAX_VALUE);
      case I8 -> new Interval(Byte.MIN_VALUE, Byte.MAX_VALUE);
      case U8 -> new Interval(0, 255);
      case BOOL -> new Interval(0, 1);
      case F64, F32, F16, BF16 -> throw new IllegalArgumentException("interval of " + type);
    };
  }

  /// The values `0 <= value < extent`; just 0 for an extent below 1.
  public static Interval below(long extent) {
    return new Interval(0, Math.max(0, extent - 1));
  }

  public boolean isPoint() {
    return low == high;
  }

  public boolean contains(long value) {
    return low <= value && value <= high;
  }

  public boolean contains(Interval other) {
    return low <= other.low && other.high <= high;
  }

  public boolean meets(Interval other) {
    return low <= other.high && other.low <= high;
  }

  /// The values in both; they must meet.
  public Interval intersect(Interval other) {
    return new Interval(Math.max(low, other.low), Math.min(high, other.high));
  }

  /// The smallest interval that holds both.
  public Interval union(Interval other) {
    return new Interval(Math.min(low, other.low), Math.max(high, other.high));
  }

  public Interval plus(Interval other) {
    return new Interval(add(low, other.low, Long.MIN_VALUE), add(high, other.high, Long.MAX_VALUE));
  }

  public Interval plus(long constant) {
    return plus(of(constant));
  }

  public Interval negate() {
    return new Interval(negate(high), negate(low));
  }

  public Interval times(long factor) {
    return times(of(factor));
  }

  public Interval times(Interval other) {
    long[] corners = {
        multiply(low, other.low), multiply(low, other.high), multiply(high, other.low), multiply(high, other.high)};
    return hull(corners);
  }

  /// The quotients, rounded down, by divisors that are not 0; every value if one may be 0.
  public Interval floorDivide(Interval divisor) {
    if (divisor.contains(0)) {
      return ALL;
    }
    long[] corners = {
        divide(low, divisor.low), divide(low, divisor.high), divide(high, divisor.low), divide(high, divisor.high)};
    return hull(corners);
  }

  /// The remainders of the division that rounds down.
  public Interval floorRemainder(Interval divisor) {
    if (divisor.low <= 0) {
      return divisor.high < 0 ? new Interval(add(divisor.low, 1, Long.MIN_VALUE), 0) : ALL;
    }
    if (divisor.isPoint() && isBounded() && Math.floorDiv(low, divisor.low) == Math.floorDiv(high, divisor.low)) {
      return new Interval(Math.floorMod(low, divisor.low), Math.floorMod(high, divisor.low));
    }
    return new Interval(0, low >= 0 ? Math.min(high, divisor.high - 1) : divisor.high - 1);
  }

  public Interval minimum(Interval other) {
    return new Interval(Math.min(low, other.low), Math.min(high, other.high));
  }

  public Interval maximum(Interval other) {
    return new Interval(Math.max(low, other.low), Math.max(high, other.high));
  }

  /// Whether both ends are known.
  public boolean isBounded() {
    return low != Long.MIN_VALUE && high != Long.MAX_VALUE;
  }

  private static Interval hull(long[] values) {
    long low = values[0];
    long high = values[0];
    for (long value : values) {
      low = Math.min(low, value);
      high = Math.max(high, value);
    }
    return new Interval(low, high);
  }

  private static boolean isInfinite(long value) {
    return value == Long.MIN_VALUE || value == Long.MAX_VALUE;
  }

  private static long add(long a, long b, long unbounded) {
    if (isInfinite(a) || isInfinite(b)) {
      return unbounded;
    }
    long sum = a + b;
    boolean overflow = ((a ^ sum) & (b ^ sum)) < 0;
    return overflow ? unbounded : sum;
  }

  private static long negate(long value) {
    return value == Long.MIN_VALUE ? Long.MAX_VALUE : value == Long.MAX_VALUE ? Long.MIN_VALUE : -value;
  }

  private static long multiply(long a, long b) {
    if (a == 0 || b == 0) {
      return 0;
    }
    long infinity = (a < 0) == (b < 0) ? Long.MAX_VALUE : Long.MIN_VALUE;
    boolean overflow = isInfinite(a) || isInfinite(b) || Math.multiplyHigh(a, b) != (a * b) >> 63;
    return overflow ? infinity : a * b;
  }

  private static long divide(long dividend, long divisor) {
    if (isInfinite(divisor)) {
      return isInfinite(dividend) ? dividend : (dividend < 0) == (divisor < 0) ? 0 : -1;
    }
    return isInfinite(dividend) ? (divisor > 0 ? dividend : negate(dividend)) : Math.floorDiv(dividend, divisor);
  }

  /// `low..high`, with the ends included.
  @Override
  public String toString() {
    return (low == Long.MIN_VALUE ? "-inf" : low) + ".." + (high == Long.MAX_VALUE ? "inf" : high);
  }
}
