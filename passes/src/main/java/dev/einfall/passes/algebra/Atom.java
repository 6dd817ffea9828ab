package dev.einfall.passes.algebra;

import dev.einfall.ir.BinaryOp;
import dev.einfall.ir.UnaryOp;
import dev.einfall.ir.cascade.Expr;
import java.util.Collections;
import java.util.LinkedHashSet;
import java.util.Set;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;

/// A factor of a [Monomial] that is no number and no exponential. Atoms are equal if they are built in the same way of equal parts.
public sealed interface Atom {

  /// An element of a tensor, a coordinate, a size, an operand of a combiner, a conversion: what the algebra does not look into.
  record Leaf(Expr expr) implements Atom {}

  /// A function that the algebra knows no law of, such as `tanh`.
  record Apply(UnaryOp op, Polynomial operand) implements Atom {}

  /// A remainder, or a power with a variable exponent.
  record Pair(BinaryOp op, Polynomial left, Polynomial right) implements Atom {}

  /// The largest (`MAX`) or smallest (`MIN`) of several values.
  record Extreme(BinaryOp op, Set<Polynomial> values) implements Atom {
    public Extreme {
      values = Collections.unmodifiableSet(new LinkedHashSet<>(values));
    }
  }

  /// One value where a condition holds, another elsewhere.
  record Choice(Condition condition, Polynomial whenTrue, Polynomial whenFalse) implements Atom {}

  /// A sum in parentheses: a factor that is not multiplied out, or that stands under a root or below a fraction line.
  record Base(Polynomial sum) implements Atom {}

  /// A sum that is computed as it is written: its terms are not moved among others, which may be much larger or smaller.
  record Whole(Expr expr, Polynomial sum) implements Atom {}

  /// Infinity: it absorbs what is added to it, as no other value is infinite where the algebra is asked.
  record Infinity() implements Atom {}

  /// The polynomials that it is made of.
  default Stream<Polynomial> operands() {
    return switch (this) {
      case Leaf _, Infinity _ -> Stream.empty();
      case Apply(UnaryOp _, Polynomial operand) -> Stream.of(operand);
      case Pair(BinaryOp _, Polynomial left, Polynomial right) -> Stream.of(left, right);
      case Extreme(BinaryOp _, Set<Polynomial> values) -> values.stream();
      case Choice(Condition condition, Polynomial whenTrue, Polynomial whenFalse) ->
          Stream.concat(condition.operands(), Stream.of(whenTrue, whenFalse));
      case Base(Polynomial sum) -> Stream.of(sum);
      case Whole(Expr _, Polynomial sum) -> Stream.of(sum);
    };
  }

  /// The expressions at the leaves.
  default Stream<Expr> leaves() {
    Stream<Expr> own = switch (this) {
      case Leaf(Expr expr) -> Stream.of(expr);
      case Choice(Condition condition, Polynomial _, Polynomial _) -> condition.plain();
      case Apply _, Pair _, Extreme _, Base _, Whole _, Infinity _ -> Stream.empty();
    };
    return Stream.concat(own, operands().flatMap(Polynomial::leaves));
  }

  /// The value of this atom with `change` applied to its operands and `leaf` to the expressions of its conditions.
  default Polynomial map(UnaryOperator<Polynomial> change, UnaryOperator<Expr> leaf, Canonical canonical) {
    return switch (this) {
      case Leaf _, Infinity _ -> Polynomial.of(this);
      case Apply(UnaryOp op, Polynomial operand) -> canonical.apply(op, change.apply(operand));
      case Pair(BinaryOp op, Polynomial left, Polynomial right) ->
          Polynomial.of(new Pair(op, change.apply(left), change.apply(right)));
      case Extreme(BinaryOp op, Set<Polynomial> values) -> canonical.extreme(op, values.stream().map(change).toList());
      case Choice(Condition condition, Polynomial whenTrue, Polynomial whenFalse) ->
          canonical.choice(condition.map(change, leaf, canonical), change.apply(whenTrue), change.apply(whenFalse));
      case Base(Polynomial sum) -> change.apply(sum);
      case Whole(Expr _, Polynomial sum) -> {
        Polynomial changed = change.apply(sum);
        yield changed.equals(sum) ? Polynomial.of(this) : changed;
      }
    };
  }
}
