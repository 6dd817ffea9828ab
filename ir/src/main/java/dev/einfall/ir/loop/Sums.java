package dev.einfall.ir.loop;

import static dev.einfall.ir.ElementType.BOOL;
import static dev.einfall.ir.ElementType.I64;

import dev.einfall.ir.BinaryOp;
import dev.einfall.ir.ElementType;
import dev.einfall.ir.UnaryOp;

/// Integer expressions as sums of multiples of atoms, by what is known at a place.
record Sums(Ranges ranges) {
  /// A sum that equals `expr` as an integer.
  Linear exact(Expr expr) {
    Linear sum = raw(expr);
    return Interval.of(expr.type().element()).contains(ranges.bounds().of(sum)) ? sum : atom(expr);
  }

  /// A sum that equals `expr` but for multiples of 2 to the number of its type's bits: arithmetic wraps around.
  Linear raw(Expr expr) {
    try {
      return switch (expr) {
        case Expr.IntLiteral(ElementType _, long value) -> Linear.of(value);
        case Expr.Ref(Var var) when ranges.known().definitions().containsKey(var) -> raw(ranges.known().definitions().get(var));
        case Expr.Unary(UnaryOp op, Expr operand) when op == UnaryOp.NEG -> raw(operand).times(-1);
        case Expr.Binary(BinaryOp op, Expr left, Expr right) -> raw(op, left, right, expr);
        case Expr.Cast(ElementType element, Expr operand) -> raw(element, operand, expr);
        case Expr.Broadcast(Expr operand, int _) -> raw(operand);
        case Expr.Ramp(Expr base, int stride, int lanes) ->
            raw(base).plus(Linear.atom(new Expr.Ramp(Expr.index(0), 1, lanes)).times(stride));
        default -> atom(expr);
      };
    } catch (ArithmeticException _) {
      return atom(expr);
    }
  }

  private Linear raw(BinaryOp op, Expr left, Expr right, Expr whole) {
    return switch (op) {
      case ADD -> raw(left).plus(raw(right));
      case SUB -> raw(left).minus(raw(right));
      case MUL -> {
        Linear a = raw(left);
        Linear b = raw(right);
        yield b.isConstant() ? a.times(b.constant()) : a.isConstant() ? b.times(a.constant()) : atom(whole);
      }
      default -> atom(whole);
    };
  }

  /// A cast between integers changes nothing when the value fits.
  private Linear raw(ElementType element, Expr operand, Expr whole) {
    ElementType from = operand.type().element();
    boolean fits = !from.isFloat() && element.isInteger() && from != BOOL
        && (element == I64 || Interval.of(element).contains(ranges.values().of(operand)));
    return fits ? exact(operand) : atom(whole);
  }

  /// The sum of `expr` alone. A variable in it that is a loaded value stands for the load, so that what is known about
  /// `X[i] / 3` is known about `x / 3` as well.
  private Linear atom(Expr expr) {
    return Linear.atom(ranges.known().definitions().isEmpty() ? expr : withLoads(expr));
  }

  private Expr withLoads(Expr expr) {
    return expr instanceof Expr.Ref(Var var) && ranges.known().definitions().get(var) instanceof Expr.Load load
        ? withLoads(load) : expr.mapChildren(this::withLoads);
  }
}
