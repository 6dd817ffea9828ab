package dev.einfall.passes.algebra;

import java.math.BigDecimal;
import java.math.BigInteger;
import java.math.MathContext;
import java.util.Optional;

/// An exact number: a quotient in lowest terms with a positive denominator. Every finite `double` is one.
public record Rational(BigInteger numerator, BigInteger denominator) implements Comparable<Rational> {
  /// No program's constants need more; numbers that grow beyond are a proof that is given up.
  private static final int MOST_BITS = 4096;

  public static final Rational ZERO = of(0);
  public static final Rational ONE = of(1);
  public static final Rational MINUS_ONE = of(-1);
  public static final Rational HALF = new Rational(BigInteger.ONE, BigInteger.TWO);

  /// @throws ArithmeticException if the denominator is 0, or the number has too many digits
  public Rational {
    if (denominator.signum() == 0 || numerator.bitLength() + denominator.bitLength() > MOST_BITS) {
      throw new ArithmeticException("a number that is too large");
    }
    if (!denominator.equals(BigInteger.ONE)) {
      BigInteger divisor = numerator.gcd(denominator);
      BigInteger signed = denominator.signum() < 0 ? divisor.negate() : divisor;
      numerator = numerator.divide(signed);
      denominator = denominator.divide(signed);
    }
  }

  public static Rational of(long value) {
    return new Rational(BigInteger.valueOf(value), BigInteger.ONE);
  }

  /// The number that a finite `value` is exactly.
  public static Rational of(double value) {
    BigDecimal decimal = new BigDecimal(value);
    return decimal.scale() <= 0 ? new Rational(decimal.toBigIntegerExact(), BigInteger.ONE)
        : new Rational(decimal.unscaledValue(), BigInteger.TEN.pow(decimal.scale()));
  }

  public Rational plus(Rational other) {
    return new Rational(numerator.multiply(other.denominator).add(other.numerator.multiply(denominator)),
        denominator.multiply(other.denominator));
  }

  public Rational minus(Rational other) {
    return plus(other.negate());
  }

  public Rational times(Rational other) {
    return new Rational(numerator.multiply(other.numerator), denominator.multiply(other.denominator));
  }

  public Rational negate() {
    return new Rational(numerator.negate(), denominator);
  }

  public Rational inverse() {
    return new Rational(denominator, numerator);
  }

  public Rational abs() {
    return signum() < 0 ? negate() : this;
  }

  public int signum() {
    return numerator.signum();
  }

  public boolean isZero() {
    return signum() == 0;
  }

  public boolean isOne() {
    return equals(ONE);
  }

  public boolean isInteger() {
    return denominator.equals(BigInteger.ONE);
  }

  /// Whether it is `1, 2, 3, ...`.
  public boolean isNatural() {
    return isInteger() && signum() > 0;
  }

  /// Whether it is an integer that 2 divides.
  public boolean isEven() {
    return isInteger() && !numerator.testBit(0);
  }

  /// The integer that it is.
  ///
  /// @throws ArithmeticException if it is none, or too large
  public int intValue() {
    if (!isInteger()) {
      throw new ArithmeticException(this + " is no integer");
    }
    return numerator.intValueExact();
  }

  /// This number to an integer power.
  ///
  /// @throws ArithmeticException for 0 to a negative power, and if the result is too large
  public Rational power(int exponent) {
    Rational base = exponent < 0 ? inverse() : this;
    int times = Math.abs(exponent);
    if (!base.isOne() && (long) times * (base.numerator.bitLength() + base.denominator.bitLength()) > 2L * MOST_BITS) {
      throw new ArithmeticException("a power that is too large");
    }
    return new Rational(base.numerator.pow(times), base.denominator.pow(times));
  }

  /// The number whose square this is, if there is a rational one.
  public Optional<Rational> squareRoot() {
    if (signum() < 0) {
      return Optional.empty();
    }
    BigInteger top = numerator.sqrt();
    BigInteger bottom = denominator.sqrt();
    boolean exact = top.multiply(top).equals(numerator) && bottom.multiply(bottom).equals(denominator);
    return exact ? Optional.of(new Rational(top, bottom)) : Optional.empty();
  }

  public double doubleValue() {
    return new BigDecimal(numerator).divide(new BigDecimal(denominator), MathContext.DECIMAL128).doubleValue();
  }

  /// Whether a `double` is exactly this number.
  public boolean isDyadic() {
    return denominator.bitCount() == 1 && numerator.bitLength() <= 53;
  }

  @Override
  public int compareTo(Rational other) {
    return minus(other).signum();
  }

  @Override
  public String toString() {
    return isInteger() ? numerator.toString() : numerator + "/" + denominator;
  }
}
