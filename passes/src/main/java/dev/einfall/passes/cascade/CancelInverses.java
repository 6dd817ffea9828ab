package dev.einfall.passes.cascade;

import dev.einfall.ir.BinaryOp;
import dev.einfall.ir.Diagnostic;
import dev.einfall.ir.ElementType;
import dev.einfall.ir.UnaryOp;
import dev.einfall.ir.cascade.Cascade;
import dev.einfall.ir.cascade.Definition;
import dev.einfall.ir.cascade.Einsum;
import dev.einfall.ir.cascade.Expr;
import dev.einfall.ir.cascade.Tensor;
import dev.einfall.passes.Numerics;
import dev.einfall.passes.Pass;
import dev.einfall.passes.Scalars;
import dev.einfall.passes.algebra.Canonical;
import dev.einfall.passes.algebra.SignAnalysis;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Consumer;

/// Drops functions that undo each other, and those that do again what is done, also where the first is stored between them.
///
/// ```
/// L[n] = log(abs(X[n]))
/// Y[n] = exp(L[n]) * 3.0 / 3.0     =>     Y[n] = abs(X[n])
/// ```
///
/// Under every contract: signs, negations and conversions to a wider type and back, and functions that change nothing the second
/// time. Exact over the reals, and so under `reassociate`: logarithms and exponentials, roots and squares, and factors that are
/// numbers. The exponential of a logarithm needs a value that cannot be negative. Views that undo each other are the concern of
/// [IndexForm].
public record CancelInverses(Numerics numerics) implements Pass.OnCascade {

  @Override
  public String name() {
    return "cancel-inverses";
  }

  @Override
  public Numerics needs() {
    return numerics;
  }

  @Override
  public boolean needsSizes() {
    return false;
  }

  @Override
  public Cascade apply(Cascade cascade, Consumer<Diagnostic> remarks) {
    List<Definition> definitions = new ArrayList<>();
    Cancelling cancelling = new Cancelling(numerics, Exprs.definitions(cascade.einsums()), remarks);
    cascade.definitions().forEach(definition -> definitions.add(cancelling.in(definition)));
    Cascade cancelled = cascade.withDefinitions(definitions);
    return cancelled == cascade ? cascade : EliminateCommonEinsums.withoutDead(cancelled);
  }

  private record Cancelling(Numerics numerics, Map<Tensor, Einsum> producers, Consumer<Diagnostic> remarks) {

    Definition in(Definition definition) {
      return definition.mapExprs(expr -> Exprs.rewrite(expr, node -> cancelled(node, definition)));
    }

    /// `node`, whose operands are done, without what cancels in it.
    private Expr cancelled(Expr node, Definition place) {
      Optional<Expr> shorter = switch (node) {
        case Expr.Unary unary -> exact(unary).or(() -> numerics.allows(Numerics.REASSOCIATE) ? real(unary, place) : Optional.empty());
        case Expr.Cast cast -> seen(cast.operand()) instanceof Expr.Cast inner && holds(inner.type(), inner.operand().type())
            ? Optional.of(cast(cast.type(), inner.operand())) : Optional.empty();
        case Expr.Binary binary -> exact(binary).or(() -> numerics.allows(Numerics.REASSOCIATE) ? real(binary) : Optional.empty());
        case Expr _ -> Optional.empty();
      };
      return shorter.filter(result -> Exprs.operations(result) <= Exprs.operations(node)).orElse(node);
    }

    /// The value of `operand` at its place, if that is a tensor's element.
    private Expr seen(Expr operand) {
      boolean isStored = ProductNetwork.isView(operand) && producers.containsKey(((Expr.Access) operand).tensor());
      if (!isStored) {
        return operand;
      }
      Einsum producer = producers.get(((Expr.Access) operand).tensor());
      return Exprs.hasReduction(producer.value()) ? operand : ProductNetwork.inlined((Expr.Access) operand, producer);
    }

    private Optional<Expr> exact(Expr.Unary unary) {
      if (!(seen(unary.operand()) instanceof Expr.Unary(UnaryOp inner, Expr x))) {
        return Optional.empty();
      }
      return switch (unary.op()) {
        case NEG -> inner == UnaryOp.NEG ? Optional.of(x) : Optional.empty();
        case NOT -> inner == UnaryOp.NOT && x.type().isBool() ? Optional.of(x) : Optional.empty();
        // What is less than 0 wraps around where there are no signs.
        case ABS -> inner == UnaryOp.ABS || inner == UnaryOp.NEG && x.type() != ElementType.U8 ? Optional.of(new Expr.Unary(UnaryOp.ABS, x)) : Optional.empty();
        case FLOOR, CEIL, ROUND -> inner == UnaryOp.FLOOR || inner == UnaryOp.CEIL || inner == UnaryOp.ROUND
            ? Optional.of(new Expr.Unary(inner, x)) : Optional.empty();
        case SIGN -> inner == UnaryOp.SIGN ? Optional.of(new Expr.Unary(UnaryOp.SIGN, x)) : Optional.empty();
        case EXP, LOG, SQRT, RSQRT, TANH, ERF, SIN, COS, POPCOUNT -> Optional.empty();
      };
    }

    private Optional<Expr> real(Expr.Unary unary, Definition place) {
      Expr operand = seen(unary.operand());
      if (unary.op() == UnaryOp.LOG && operand instanceof Expr.Unary(UnaryOp inner, Expr x) && inner == UnaryOp.EXP) {
        return Optional.of(x);
      }
      if (unary.op() == UnaryOp.EXP && operand instanceof Expr.Unary(UnaryOp inner, Expr x) && inner == UnaryOp.LOG) {
        return whereNotNegative(x, place);
      }
      boolean isSquare = operand instanceof Expr.Binary(BinaryOp op, Expr left, Expr right) && op == BinaryOp.MUL && left.equals(right);
      return unary.op() == UnaryOp.SQRT && isSquare
          ? Optional.of(new Expr.Unary(UnaryOp.ABS, ((Expr.Binary) operand).left())) : Optional.empty();
    }

    private Optional<Expr> whereNotNegative(Expr x, Definition place) {
      boolean known = isNotNegative(x);
      if (!known) {
        remarks.accept(Diagnostic.remark(place.span(), "the exponential of a logarithm is computed: its operand might be negative"));
      }
      return known ? Optional.of(x) : Optional.empty();
    }

    private static boolean isNotNegative(Expr x) {
      boolean isMagnitude = x instanceof Expr.Unary(UnaryOp op, _) && op == UnaryOp.ABS;
      return isMagnitude || SignAnalysis.OF_FORMS.isNonNegative(new Canonical(SignAnalysis.OF_FORMS).of(x));
    }

    private Optional<Expr> exact(Expr.Binary binary) {
      Expr left = binary.left();
      Expr right = binary.right();
      return switch (binary.op()) {
        case ADD -> negated(right).map(x -> new Expr.Binary(BinaryOp.SUB, left, x));
        case SUB -> negated(right).map(x -> new Expr.Binary(BinaryOp.ADD, left, x));
        case MIN, MAX -> contains(left, right, binary.op()) ? Optional.of(left) : contains(right, left, binary.op()) ? Optional.of(right)
            : Optional.empty();
        case MUL -> number(right).filter(value -> value == -1).map(_ -> new Expr.Unary(UnaryOp.NEG, left));
        case DIV, MOD, POW, EQ, NE, LT, LE, GT, GE, AND, OR, XOR, SHL, SHR -> Optional.empty();
      };
    }

    private static Optional<Expr> negated(Expr expr) {
      return expr instanceof Expr.Unary(UnaryOp op, Expr x) && op == UnaryOp.NEG ? Optional.of(x) : Optional.empty();
    }

    /// Whether `part` is among the values whose extreme `whole` is.
    private static boolean contains(Expr whole, Expr part, BinaryOp op) {
      return whole.equals(part) || whole instanceof Expr.Binary inner && inner.op() == op
          && (contains(inner.left(), part, op) || contains(inner.right(), part, op));
    }

    /// `x * a / b` and the like with one factor, or none if that is 1; roots that are multiplied with themselves.
    private Optional<Expr> real(Expr.Binary binary) {
      ElementType type = binary.type();
      boolean wide = type == ElementType.F32 || type == ElementType.F64;
      if (wide && binary.op() == BinaryOp.MUL && binary.left().equals(binary.right())
          && seen(binary.left()) instanceof Expr.Unary(UnaryOp op, Expr x) && op == UnaryOp.SQRT) {
        return Optional.of(x).filter(Cancelling::isNotNegative);
      }
      Optional<Scaled> outer = wide ? scaled(binary) : Optional.empty();
      Optional<Scaled> inner = outer.flatMap(scaled -> scaled(seen(scaled.value)));
      return inner.flatMap(scaled -> product(scaled.value, Scalars.round(type, scaled.factor * outer.get().factor)));
    }

    private static Optional<Expr> product(Expr value, double factor) {
      boolean safe = Math.abs(factor) > 1e-30 && Math.abs(factor) < 1e30;
      return !safe ? Optional.empty() : Optional.of(factor == 1 ? value
          : new Expr.Binary(BinaryOp.MUL, value, new Expr.FloatLiteral(value.type(), factor)));
    }

    private record Scaled(Expr value, double factor) {}

    /// `expr` as a number times another value.
    private static Optional<Scaled> scaled(Expr expr) {
      if (!(expr instanceof Expr.Binary(BinaryOp op, Expr left, Expr right))) {
        return Optional.empty();
      }
      return switch (op) {
        case MUL -> number(right).map(value -> new Scaled(left, value)).or(() -> number(left).map(value -> new Scaled(right, value)));
        case DIV -> number(right).filter(value -> value != 0).map(value -> new Scaled(left, 1 / value));
        default -> Optional.empty();
      };
    }

    private static Optional<Double> number(Expr expr) {
      return expr instanceof Expr.FloatLiteral(_, double value) && Double.isFinite(value) ? Optional.of(value) : Optional.empty();
    }

    private static Expr cast(ElementType type, Expr operand) {
      return operand.type() == type ? operand : new Expr.Cast(type, operand);
    }

    /// Whether each value of `from` is one of `type`.
    private static boolean holds(ElementType type, ElementType from) {
      if (type.isBool() || from.isBool()) {
        return false;
      }
      if (type.isInteger()) {
        return from.isInteger() && (from == ElementType.U8 ? type.bytes() > 1 : type != ElementType.U8 && type.bytes() >= from.bytes());
      }
      return from.isInteger() ? bits(type) >= 8 * from.bytes() : type == ElementType.F64
          || type == ElementType.F32 && from != ElementType.F64;
    }

    /// The bits of the integers that a type of floats holds all of.
    private static int bits(ElementType type) {
      return switch (type) {
        case F64 -> 53;
        case F32 -> 24;
        case F16 -> 11;
        case BF16 -> 8;
        case I64, I32, I16, I8, U8, BOOL -> 0;
      };
    }
  }
}
