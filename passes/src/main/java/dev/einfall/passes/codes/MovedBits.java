package dev.einfall.passes.codes;

import dev.einfall.ir.BinaryOp;
import dev.einfall.ir.ElementType;
import dev.einfall.ir.cascade.Expr;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.stream.IntStream;

/// Floats of few bits as `f32`: sign, exponent and mantissa move to their places there, and a power of two makes up for what is added to exponents.
///
/// ```
/// bitcast_f32(shl(c, 20) && -2014314496) * 2^120        4 bits of exponent and 3 of mantissa, c from -128 to 127
/// ```
///
/// Numbers without a leading one are such in `f32`, too, and the product with the power is exact. This power may not be left to what multiplies the number next: that product would be too small.
/// AMD's processors multiply vectors with numbers without a leading one as fast as others, so long as they expect these: the form takes twice as long where one to five of a hundred numbers are
/// such (Zen 5), and as long as ever where one of ten is. Those of Intel take more than a hundred cycles for a vector with one of them. Where the highest exponent has infinities, numbers become so large first that these overflow.
///
/// @param mask of the bits that move, where they are in an `f32`
/// @param shift how far they do
/// @param scales the powers of two that the number is multiplied by, in turn
/// @param areFew whether few codes are numbers without a leading one, so that a processor does not expect them
record MovedBits(int mask, int shift, List<Double> scales, boolean areFew, boolean hasNone) implements ValueTables {
  /// Codes of so many bits have a sign, an exponent and a mantissa.
  private static final int LEAST_BITS = 4;
  private static final int MANTISSA = 23;
  /// One code of so many is few.
  private static final int MANY = 10;
  /// How many operations it takes as long as that numbers are not those expected.
  private static final int SURPRISE = 4;

  /// The form for `values`, one for each code, of which the upper half has the other sign.
  ///
  /// @param areApart whether codes that stand for no number may become one
  static Optional<ValueTables> of(double[] values, boolean areApart) {
    int bits = Integer.numberOfTrailingZeros(values.length);
    for (int mantissa = bits - 2; mantissa >= 1 && bits >= LEAST_BITS; mantissa--) {
      Optional<ValueTables> form = of(values, areApart, mantissa);
      if (form.isPresent()) {
        return form;
      }
    }
    return Optional.empty();
  }

  private static Optional<ValueTables> of(double[] values, boolean areApart, int mantissa) {
    int half = values.length / 2;
    int shift = MANTISSA - mantissa;
    double scale = values[1] / Float.intBitsToFloat(1 << shift);
    int exponent = Math.getExponent(scale);
    if (!(scale > 0) || scale != Math.scalb(1.0, exponent) || exponent > Float.MAX_EXPONENT) {
      return Optional.empty();
    }
    boolean hasNone = areApart && Arrays.stream(values).anyMatch(Double::isNaN);
    int mask = half - 1 << shift | Integer.MIN_VALUE;
    List<Double> scales = Arrays.stream(values).anyMatch(Double::isInfinite) ? overflowing(exponent, half - 1 >> mantissa) : List.of(scale);
    MovedBits form = new MovedBits(mask, shift, scales, MANY << mantissa < half, hasNone);
    boolean isExact = IntStream.range(0, values.length).allMatch(code -> areApart && Double.isNaN(values[code]) || ValueTables.isSame(values[code], form.value(code, half)));
    return isExact ? Optional.of(form) : Optional.empty();
  }

  /// Powers of two with the exponent `sum` in all, of which those before the last make numbers with the highest exponent infinite, and no others.
  private static List<Double> overflowing(int sum, int highest) {
    int up = 2 * Float.MAX_EXPONENT + 1 - highest;
    return List.of(Math.scalb(1.0, Float.MAX_EXPONENT), Math.scalb(1.0, up - Float.MAX_EXPONENT), Math.scalb(1.0, sum - up));
  }

  /// What the form gives.
  private double value(int code, int half) {
    float number = Float.intBitsToFloat((code & half - 1) << shift | (code >= half ? Integer.MIN_VALUE : 0));
    for (double scale : scales) {
      number *= (float) scale;
    }
    return number;
  }

  /// A shift, a mask and products.
  @Override
  public int cost() {
    return 2 + scales.size() + (areFew ? SURPRISE : 0);
  }

  @Override
  public Expr at(Expr place, Tables table) {
    Expr moved = new Expr.Binary(BinaryOp.AND, new Expr.Binary(BinaryOp.SHL, table.signed(), Expr.index(shift)), Expr.index(mask));
    Expr number = new Expr.Bitcast(ElementType.F32, moved);
    for (double scale : scales) {
      number = new Expr.Binary(BinaryOp.MUL, number, Expr.literal(ElementType.F32, scale));
    }
    return number;
  }
}
