package dev.einfall.passes.codes;

import dev.einfall.ir.BinaryOp;
import dev.einfall.ir.ElementType;
import dev.einfall.ir.cascade.Expr;
import dev.einfall.ir.loop.DotShape;
import dev.einfall.ir.loop.TileShape;
import dev.einfall.passes.Compute;
import dev.einfall.passes.Target;
import dev.einfall.passes.cascade.Exprs;
import dev.einfall.passes.loop.PermuteRows;
import java.util.OptionalInt;
import java.util.stream.DoubleStream;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/// How many operations on vectors a [BitProduct] takes for a word of steps, for as many columns as a vector has lanes.
///
/// @param compute what factors may be rounded to otherwise
record BitCosts(BitProduct product, Target target, Compute compute) {
  /// What a count is made of beside the instructions that count: what words have in common, and the sum.
  private static final int AROUND_COUNT = 2;
  /// The conversion and the product with the scale of a group.
  private static final int SCALING = 2;
  /// What a plane of a word of a row is packed by: loads, shifts and masks of two vectors of codes, and the sum of their lanes.
  private static final int PACKING = 16;
  /// A shift, a mask and a look-up or a conversion, where codes are decoded.
  private static final double DECODING = 3;
  /// The shift and the mask that cut a field of bytes.
  private static final double CUTTING = 2;
  /// A shift, a mask, a choice and a sum, where sums for several steps are looked up.
  private static final double LOOKING = 4;
  /// How many times as fast look-ups are where tables are of bytes.
  private static final double BYTES_OF_TABLES = 2;

  /// The operations of counting bits.
  double counting() {
    int left = product.left().bits();
    int right = product.right().bits();
    double packing = Stream.of(product.left(), product.right()).filter(factor -> !product.isConstant(factor)).mapToDouble(this::packing).sum();
    return left * right * (target.bitCount() + AROUND_COUNT) + left + right - 2 + (isScaled() ? SCALING : 0) + packing;
  }

  private boolean isScaled() {
    return Stream.of(product.left(), product.right()).flatMap(FewBits::ofGroups).flatMap(shared -> Exprs.freeRanks(shared).stream()).anyMatch(product.sum().ranks()::contains);
  }

  private double packing(FewBits factor) {
    return (double) PACKING * factor.bits() * target.lanes(Float.BYTES) / product.served(factor);
  }

  /// The fewest operations of what else computes the product.
  double otherwise() {
    return DoubleStream.of(floats(), tables(), bytes()).min().orElseThrow();
  }

  /// How many rows share what is decoded.
  private double rows() {
    return Math.max(1, product.served(weight()));
  }

  /// Multiply-adds by decoded numbers.
  private double floats() {
    return BitProduct.WORD * (1 + (isDecoded() ? DECODING / rows() : 0));
  }

  private boolean isDecoded() {
    return product.isConstant(product.left()) || product.isConstant(product.right());
  }

  /// Look-ups of sums for several steps, as [TabulateSteps] makes them.
  private double tables() {
    int row = PermuteRows.MOST * target.lanes(Float.BYTES);
    int terms = 1;
    while (2 * terms * weight().bits() < Integer.SIZE && 1L << 2 * terms * weight().bits() <= row) {
      terms *= 2;
    }
    boolean isMade = isDecoded() && terms > 1 && (terms > 2 || rows() <= TabulatedProduct.MOST_ROWS_OF_PAIRS);
    boolean areBytes = RoundTables.isFor(target, compute) && rows() <= RoundTables.MOST_ROWS;
    return isMade ? LOOKING * BitProduct.WORD / terms / (areBytes ? BYTES_OF_TABLES : 1) : Double.POSITIVE_INFINITY;
  }

  /// Instructions for bytes, where the other factor is of these or may be rounded to them.
  private double bytes() {
    boolean areThere = compute == Compute.I8 || Stream.of(product.left(), product.right()).anyMatch(factor -> !product.isConstant(factor) && isByte(factor.code()));
    IntStream dots = target.dots().stream().filter(dot -> dot.sum().isInteger()).mapToInt(DotShape::terms);
    IntStream tiles = target.tiles().stream().filter(tile -> tile.sum().isInteger() && rows() >= tile.rows()).mapToInt(TileShape::steps);
    OptionalInt terms = IntStream.concat(dots, tiles).max();
    return areThere && terms.isPresent() ? BitProduct.WORD / (double) terms.getAsInt() * (1 + CUTTING / rows()) : Double.POSITIVE_INFINITY;
  }

  /// Whether what a program computes is a byte.
  private static boolean isByte(Expr code) {
    return switch (code) {
      case Expr.Cast(ElementType _, Expr operand) -> operand.type() == ElementType.I8 || operand.type() == ElementType.U8;
      case Expr.Binary(BinaryOp op, Expr above, Expr.IntLiteral _) when op == BinaryOp.ADD -> isByte(above);
      case Expr _ -> false;
    };
  }

  private FewBits weight() {
    return product.isConstant(product.left()) ? product.left() : product.right();
  }

  @Override
  public String toString() {
    return "a word of steps takes %.1f operations on vectors, and %.1f otherwise".formatted(counting(), otherwise());
  }
}
