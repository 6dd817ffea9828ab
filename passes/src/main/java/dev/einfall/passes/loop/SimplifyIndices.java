package dev.einfall.passes.loop;

import static dev.einfall.ir.ElementType.BOOL;
import static dev.einfall.ir.ElementType.I32;

import dev.einfall.ir.BinaryOp;
import dev.einfall.ir.Diagnostic;
import dev.einfall.ir.UnaryOp;
import dev.einfall.ir.loop.Expr;
import dev.einfall.ir.loop.Interval;
import dev.einfall.ir.loop.Kernel;
import dev.einfall.ir.loop.Ranges;
import dev.einfall.ir.loop.Stmt;
import dev.einfall.passes.Pass;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import java.util.function.UnaryOperator;

/// Simplifies integer arithmetic and conditions by the ranges of the counters, and removes loops of at most one iteration
/// (a parallel one of one iteration stays), branches that are never taken, and checks that always hold.
///
/// ```
/// for n1 in 0..4 {
///   for n0 in 0..8 {
///     A[(n1 * 8 + n0) / 8, (n1 * 8 + n0) % 8] = 0.0     =>     A[n1, n0] = 0.0
/// ```
public record SimplifyIndices() implements Pass.OnKernel {

  @Override
  public String name() {
    return "simplify-indices";
  }

  @Override
  public Kernel apply(Kernel kernel, Consumer<Diagnostic> remarks) {
    return kernel.withBody(simplify(kernel.body(), Ranges.of(kernel)));
  }

  private static Stmt simplify(Stmt statement, Ranges ranges) {
    UnaryOperator<Expr> expr = root -> simplify(root, ranges);
    return switch (statement) {
      case Stmt.Block(List<Stmt> statements) -> block(statements, ranges);
      case Stmt.For loop -> loop(loop, ranges);
      case Stmt.Let let -> let(let, ranges);
      case Stmt.If branch -> branch(branch, ranges);
      case Stmt.Store _, Stmt.Alloc _, Stmt.Require _ ->
          statement.mapChildren(inner -> simplify(inner, ranges), expr);
    };
  }

  private static Stmt block(List<Stmt> statements, Ranges ranges) {
    List<Stmt> result = new ArrayList<>();
    Ranges known = ranges;
    for (Stmt statement : statements) {
      Stmt simple = simplify(statement, known);
      if (simple instanceof Stmt.Require check) {
        if (isTrue(check.condition())) {
          continue;
        }
        known = known.assume(check.condition(), true);
      }
      result.add(simple);
    }
    boolean same = result.size() == statements.size();
    for (int i = 0; same && i < result.size(); i++) {
      same = result.get(i) == statements.get(i);
    }
    return same && result.size() != 1 ? new Stmt.Block(statements) : Stmt.block(result);
  }

  private static Stmt loop(Stmt.For loop, Ranges ranges) {
    Expr extent = simplify(loop.extent(), ranges);
    long count = Rewrites.constant(extent).orElse(Long.MAX_VALUE);
    boolean task = loop.kind() == Stmt.For.Kind.PARALLEL;
    if (count <= 0) {
      return Stmt.NOTHING;
    }
    if (count == 1 && !task) {
      return simplify(Rewrites.substitute(loop.body(), loop.var(), Expr.index(0)), ranges);
    }
    Stmt body = simplify(loop.body(), ranges.loop(loop.var(), extent));
    if (body.equals(Stmt.NOTHING)) {
      return body;
    }
    return extent == loop.extent() && body == loop.body() ? loop
        : new Stmt.For(loop.var(), extent, loop.kind(), body, loop.span());
  }

  /// A variable for a constant or another variable is no use.
  private static Stmt let(Stmt.Let let, Ranges ranges) {
    Expr value = simplify(let.value(), ranges);
    if (value instanceof Expr.IntLiteral || value instanceof Expr.FloatLiteral || value instanceof Expr.Ref) {
      return simplify(Rewrites.substitute(let.body(), let.var(), value), ranges);
    }
    Stmt body = simplify(let.body(), ranges.let(let.var(), value));
    return body.equals(Stmt.NOTHING) ? body
        : value == let.value() && body == let.body() ? let : new Stmt.Let(let.var(), value, body);
  }

  private static Stmt branch(Stmt.If branch, Ranges ranges) {
    Expr condition = simplify(branch.condition(), ranges);
    if (condition instanceof Expr.IntLiteral) {
      return simplify(isTrue(condition) ? branch.whenTrue() : branch.whenFalse(), ranges);
    }
    Stmt whenTrue = simplify(branch.whenTrue(), ranges.assume(condition, true));
    Stmt whenFalse = simplify(branch.whenFalse(), ranges.assume(condition, false));
    if (whenTrue.equals(Stmt.NOTHING) && whenFalse.equals(Stmt.NOTHING)) {
      return Stmt.NOTHING;
    }
    return condition == branch.condition() && whenTrue == branch.whenTrue() && whenFalse == branch.whenFalse()
        ? branch : new Stmt.If(condition, whenTrue, whenFalse);
  }

  private static boolean isTrue(Expr condition) {
    return condition instanceof Expr.IntLiteral literal && literal.value() != 0;
  }

  private static Expr simplify(Expr root, Ranges ranges) {
    Expr inner = root.mapChildren(child -> simplify(child, ranges));
    Expr simple = inner.type().equals(dev.einfall.ir.loop.ValueType.scalar(I32)) ? index(inner, ranges) : value(inner, ranges);
    return simple.equals(root) ? root : simple;
  }

  /// An `i32` as a sum in normal form, if its arithmetic cannot overflow.
  private static Expr index(Expr expr, Ranges ranges) {
    boolean arithmetic = expr instanceof Expr.Binary || expr instanceof Expr.Unary;
    if (!arithmetic) {
      return expr;
    }
    Interval range = ranges.of(expr);
    if (range.isPoint()) {
      return Expr.index(range.low());
    }
    if (!(expr instanceof Expr.Binary binary)) {
      return expr;
    }
    return switch (binary.op()) {
      case ADD, SUB, MUL -> IndexSum.of(expr).expr();
      case DIV -> quotient(binary, ranges);
      case MOD -> remainder(binary, ranges);
      case MIN -> ranges.of(binary.left()).high() <= ranges.of(binary.right()).low() ? binary.left()
          : ranges.of(binary.right()).high() <= ranges.of(binary.left()).low() ? binary.right() : expr;
      case MAX -> ranges.of(binary.left()).low() >= ranges.of(binary.right()).high() ? binary.left()
          : ranges.of(binary.right()).low() >= ranges.of(binary.left()).high() ? binary.right() : expr;
      case POW, EQ, NE, LT, LE, GT, GE, AND, OR, XOR, SHL, SHR -> expr;
    };
  }

  /// `(8 * a + b) / 8` is `a` when `0 <= b < 8`.
  private static Expr quotient(Expr.Binary division, Ranges ranges) {
    long divisor = Rewrites.constant(division.right()).orElse(0L);
    if (divisor <= 0) {
      return division;
    }
    IndexSum.Parts parts = IndexSum.of(division.left()).split(divisor);
    return Interval.below(divisor).contains(ranges.of(parts.rest().expr())) ? parts.quotient().expr() : division;
  }

  private static Expr remainder(Expr.Binary division, Ranges ranges) {
    long divisor = Rewrites.constant(division.right()).orElse(0L);
    if (divisor <= 0) {
      return division;
    }
    IndexSum.Parts parts = IndexSum.of(division.left()).split(divisor);
    return Interval.below(divisor).contains(ranges.of(parts.rest().expr())) ? parts.rest().expr()
        : new Expr.Binary(BinaryOp.MOD, parts.rest().expr(), division.right());
  }

  /// Everything that is no index: conditions that ranges decide, broadcasts and ramps of constants, double negation.
  private static Expr value(Expr expr, Ranges ranges) {
    return switch (expr) {
      case Expr.Binary binary when binary.op().isComparison() && expr.type().lanes() == 1
          && binary.left().type().element().isInteger() -> decided(expr, ranges);
      case Expr.Binary(BinaryOp op, Expr left, Expr right) when expr.type().element() == BOOL && op == BinaryOp.AND ->
          isTrue(left) ? right : isTrue(right) ? left : expr;
      case Expr.Select(Expr condition, Expr whenTrue, Expr whenFalse) when condition instanceof Expr.IntLiteral ->
          isTrue(condition) ? whenTrue : whenFalse;
      case Expr.Unary(UnaryOp op, Expr operand) when op == UnaryOp.NOT && operand instanceof Expr.IntLiteral literal ->
          new Expr.IntLiteral(BOOL, 1 - literal.value());
      default -> expr;
    };
  }

  private static Expr decided(Expr condition, Ranges ranges) {
    Interval range = ranges.of(condition);
    return range.isPoint() ? new Expr.IntLiteral(BOOL, range.low()) : condition;
  }
}
