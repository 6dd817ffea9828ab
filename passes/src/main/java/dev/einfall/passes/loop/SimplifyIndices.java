package dev.einfall.passes.loop;

import static dev.einfall.ir.ElementType.BOOL;
import static dev.einfall.ir.ElementType.I32;

import dev.einfall.ir.BinaryOp;
import dev.einfall.ir.Diagnostic;
import dev.einfall.ir.UnaryOp;
import dev.einfall.ir.loop.Buffer;
import dev.einfall.ir.loop.Expr;
import dev.einfall.ir.loop.Interval;
import dev.einfall.ir.loop.Kernel;
import dev.einfall.ir.loop.Ranges;
import dev.einfall.ir.loop.Stmt;
import dev.einfall.passes.Pass;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
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

  /// `statement` simplified by what is known where it stands.
  static Stmt simplify(Stmt statement, Ranges ranges) {
    UnaryOperator<Expr> expr = root -> simplify(root, ranges);
    return switch (statement) {
      case Stmt.Block(List<Stmt> statements) -> block(statements, ranges);
      case Stmt.For loop -> loop(loop, ranges);
      case Stmt.Let let -> let(let, ranges);
      case Stmt.If branch -> branch(branch, ranges);
      case Stmt.Store(Buffer buffer, List<Expr> indices, Expr value) -> {
        Stmt simple = new Stmt.Store(buffer, indices(buffer, indices, ranges), simplify(value, ranges));
        yield simple.equals(statement) ? statement : simple;
      }
      case Stmt.Alloc _, Stmt.Require _, Stmt.Barrier _ -> statement.mapChildren(inner -> simplify(inner, ranges), expr);
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
    boolean decidesWhoRuns = switch (loop.kind()) {
      case PARALLEL, BLOCK, THREAD, WARP, WARPGROUP -> true;
      case SERIAL, VECTORIZED, UNROLLED -> false;
    };
    if (ranges.of(extent).high() <= 0) {
      return Stmt.NOTHING;
    }
    if (count == 1 && !decidesWhoRuns) {
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
    Ranges holds = ranges.assume(condition, true);
    Ranges fails = ranges.assume(condition, false);
    if (!ranges.impossible() && (holds.impossible() || fails.impossible())) {
      return simplify(holds.impossible() ? branch.whenFalse() : branch.whenTrue(), ranges);
    }
    Stmt whenTrue = simplify(branch.whenTrue(), holds);
    Stmt whenFalse = simplify(branch.whenFalse(), fails);
    if (whenTrue.equals(Stmt.NOTHING) && whenFalse.equals(Stmt.NOTHING)) {
      return Stmt.NOTHING;
    }
    return condition == branch.condition() && whenTrue == branch.whenTrue() && whenFalse == branch.whenFalse()
        ? branch : new Stmt.If(condition, whenTrue, whenFalse);
  }

  private static boolean isTrue(Expr condition) {
    return condition instanceof Expr.Broadcast broadcast ? isTrue(broadcast.operand())
        : condition instanceof Expr.IntLiteral literal && literal.value() != 0;
  }

  private static boolean isFalse(Expr condition) {
    return condition instanceof Expr.Broadcast broadcast ? isFalse(broadcast.operand())
        : condition instanceof Expr.IntLiteral literal && literal.value() == 0;
  }

  /// `root` simplified by what is known where it stands.
  static Expr simplify(Expr root, Ranges ranges) {
    Expr inner = root instanceof Expr.Load(Buffer buffer, List<Expr> indices)
        ? new Expr.Load(buffer, indices(buffer, indices, ranges)) : root.mapChildren(child -> simplify(child, ranges));
    Expr simple = inner.type().equals(dev.einfall.ir.loop.ValueType.scalar(I32)) ? index(inner, ranges) : value(inner, ranges);
    return simple.equals(root) ? root : simple;
  }

  /// The indices of an access simplified, unless it could no longer be proved to be in bounds.
  private static List<Expr> indices(Buffer buffer, List<Expr> indices, Ranges ranges) {
    List<Expr> result = new ArrayList<>();
    for (int i = 0; i < indices.size(); i++) {
      Expr simple = simplify(indices.get(i), ranges);
      Interval bounds = Interval.below(buffer.extents().get(i));
      boolean proved = simple.equals(indices.get(i)) || bounds.contains(ranges.of(simple))
          || !bounds.contains(ranges.of(indices.get(i)));
      result.add(proved ? simple : indices.get(i));
    }
    return result;
  }

  /// An `i32` as a sum in normal form.
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
      case ADD, SUB, MUL -> IndexSum.of(expr).wrapped().expr();
      case DIV -> quotient(binary, ranges);
      case MOD -> remainder(binary, ranges);
      case MIN -> isAtMost(binary.left(), binary.right(), ranges) ? binary.left()
          : isAtMost(binary.right(), binary.left(), ranges) ? binary.right() : expr;
      case MAX -> isAtMost(binary.left(), binary.right(), ranges) ? binary.right()
          : isAtMost(binary.right(), binary.left(), ranges) ? binary.left() : expr;
      case POW, EQ, NE, LT, LE, GT, GE, AND, OR, XOR, SHL, SHR -> expr;
    };
  }

  private static boolean isAtMost(Expr left, Expr right, Ranges ranges) {
    if (mayWrap(left, ranges) || mayWrap(right, ranges)) {
      return ranges.of(left).high() <= ranges.of(right).low();
    }
    return ranges.of(new Expr.Binary(BinaryOp.LE, left, right)).equals(Interval.of(1));
  }

  /// `(8 * a + b) / 8` is `a` when `0 <= b < 8`, and `(6 * a + 1) / 4` is `(3 * a) / 2`, and `(8 * a + b) / 16` is `a / 2`.
  private static Expr quotient(Expr.Binary division, Ranges ranges) {
    long divisor = Rewrites.constant(division.right()).orElse(0L);
    if (divisor <= 0 || mayWrap(division.left(), ranges)) {
      return division;
    }
    IndexSum.Parts parts = IndexSum.of(division.left()).split(divisor);
    Interval rest = ranges.of(parts.rest().expr()).floorDivide(Interval.of(divisor));
    if (rest.isPoint()) {
      return parts.quotient().plus(new IndexSum(Map.of(), rest.low())).expr();
    }
    for (long unit : parts.rest().factors(divisor)) {
      IndexSum.Parts units = parts.rest().split(unit);
      if (Interval.below(unit).contains(ranges.of(units.rest().expr()))) {
        Expr reduced = new Expr.Binary(BinaryOp.DIV, units.quotient().expr(), Expr.index(divisor / unit));
        return parts.quotient().plus(IndexSum.of(reduced)).expr();
      }
    }
    return division;
  }

  /// Whether `sum`, if it is one, may leave the numbers of its type, so that its terms tell nothing about its quotient.
  private static boolean mayWrap(Expr sum, Ranges ranges) {
    return !IndexSum.of(sum).terms().containsKey(sum) && ranges.sum(sum).terms().containsKey(sum);
  }

  private static Expr remainder(Expr.Binary division, Ranges ranges) {
    long divisor = Rewrites.constant(division.right()).orElse(0L);
    if (divisor <= 0 || mayWrap(division.left(), ranges)) {
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
          && binary.left().type().element().isInteger() -> decided(binary, ranges);
      case Expr.Binary(BinaryOp op, Expr left, Expr right) when expr.type().element() == BOOL && op == BinaryOp.AND ->
          isTrue(left) || isFalse(right) ? right : isTrue(right) || isFalse(left) ? left : expr;
      case Expr.Binary(BinaryOp op, Expr left, Expr right) when expr.type().element() == BOOL && op == BinaryOp.OR ->
          isTrue(left) || isFalse(right) ? left : isTrue(right) || isFalse(left) ? right : expr;
      case Expr.Select(Expr condition, Expr whenTrue, Expr _) when isTrue(condition) -> whenTrue;
      case Expr.Select(Expr condition, Expr _, Expr whenFalse) when isFalse(condition) -> whenFalse;
      case Expr.Unary(UnaryOp op, Expr operand) when op == UnaryOp.NOT && operand instanceof Expr.IntLiteral literal ->
          new Expr.IntLiteral(BOOL, 1 - literal.value());
      default -> expr;
    };
  }

  private static Expr decided(Expr.Binary condition, Ranges ranges) {
    Interval range = ranges.of(condition);
    return range.isPoint() ? new Expr.IntLiteral(BOOL, range.low()) : withoutCommonTerms(condition, ranges);
  }

  /// `p * 64 + a <= p * 64 + b` is `a <= b`.
  private static Expr withoutCommonTerms(Expr.Binary condition, Ranges ranges) {
    if (condition.left().type().element() != I32 || mayWrap(condition.left(), ranges) || mayWrap(condition.right(), ranges)) {
      return condition;
    }
    IndexSum left = IndexSum.of(condition.left());
    IndexSum right = IndexSum.of(condition.right());
    IndexSum common = left.common(right);
    return common.terms().isEmpty() ? condition : new Expr.Binary(
        condition.op(), left.plus(common.times(-1)).expr(), right.plus(common.times(-1)).expr());
  }
}
