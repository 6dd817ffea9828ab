package dev.einfall.passes.codes;

import dev.einfall.ir.BinaryOp;
import dev.einfall.ir.ElementType;
import dev.einfall.ir.Size;
import dev.einfall.ir.cascade.Expr;
import dev.einfall.ir.cascade.Rank;
import dev.einfall.ir.cascade.Reduction;
import dev.einfall.passes.cascade.Exprs;
import dev.einfall.passes.cascade.Factors;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/// The codes that stand for no number: those of which certain bits are at least `least`. Where they are factors of all that a sum adds, the sum is no number if one of them is there: what
/// neighbours share says so, and what a code stands for is found without asking.
///
/// ```
/// where(C[n, k] == 255, nan, v) * S[n, k / 64]     =>     v * where(any[j in 0..64](C[n, k / 64 * 64 + j] >= 255), nan, S[n, k / 64])
/// ```
///
/// @param mask of the bits
record NoNumbers(int mask, int least) {

  /// What stands for no number among `values`, one for each code, if anything does and it is so simple.
  static Optional<NoNumbers> of(double[] values) {
    return Stream.of(values.length - 1, values.length / 2 - 1).flatMap(mask -> of(values, mask).stream()).findFirst();
  }

  private static Optional<NoNumbers> of(double[] values, int mask) {
    int[] places = IntStream.range(0, values.length).filter(place -> Double.isNaN(values[place])).map(place -> place & mask).toArray();
    int least = IntStream.of(places).min().orElse(values.length);
    long all = IntStream.range(0, values.length).filter(place -> (place & mask) >= least).count();
    return places.length > 0 && places.length == all ? Optional.of(new NoNumbers(mask, least)) : Optional.empty();
  }

  /// Factors one of which being no number makes a sum of products `body` none.
  static Set<Expr> factors(Expr body, Codes codes) {
    return Factors.of(body).flatMap(factor -> in(SharedFactors.apart(factor, codes), codes)).collect(Collectors.toSet());
  }

  /// The factors of `product`, of which one is all that neighbours share, if it is written so.
  static Stream<Expr> in(Expr product, Codes codes) {
    return codes.isFine(product) && product instanceof Expr.Binary(BinaryOp op, Expr left, Expr right) && op == BinaryOp.MUL ? Stream.concat(in(left, codes), in(right, codes)) : Stream.of(product);
  }

  /// `product` with another one of its factors.
  static Expr with(Expr product, Expr factor, Expr other, Codes codes) {
    return product.equals(factor) ? other : codes.isFine(product) && product instanceof Expr.Binary(BinaryOp op, Expr _, Expr _) && op == BinaryOp.MUL ? product.mapChildren(child -> with(child, factor, other, codes)) : product;
  }

  /// `factor`, or what is no number where one of a group's codes stands for none.
  ///
  /// @param code in the product
  Expr unless(Expr factor, Expr code, Codes codes, int group) {
    Rank place = new Rank(codes.rank().name(), Size.of(group));
    Expr within = new Expr.Coordinate(place);
    Expr first = new Expr.Binary(BinaryOp.MUL, new Expr.Binary(BinaryOp.DIV, new Expr.Coordinate(codes.rank()), Expr.index(group)), Expr.index(group));
    Expr other = group == codes.rank().size().value() ? within : new Expr.Binary(BinaryOp.ADD, first, within);
    Expr isNone = new Expr.Reduce(Reduction.ANY, List.of(place), isNone(Exprs.substitute(code, Map.of(codes.rank(), other))));
    return new Expr.Select(isNone, Expr.literal(ElementType.F32, Double.NaN), factor);
  }

  private Expr isNone(Expr code) {
    Expr place = CodeFields.cast(ElementType.I32, CodeFields.plus(code, -Codes.range(code).low()));
    return new Expr.Binary(BinaryOp.GE, new Expr.Binary(BinaryOp.AND, place, Expr.index(mask)), Expr.index(least));
  }
}
