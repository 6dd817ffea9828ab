package dev.einfall.passes.loop;

import dev.einfall.ir.BinaryOp;
import dev.einfall.ir.loop.Buffer;
import dev.einfall.ir.loop.Expr;
import dev.einfall.ir.loop.Stmt;
import dev.einfall.passes.Numerics;
import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Set;

/// Removes stores without effect: those that combine an element with the identity of the operation, and those to buffers
/// that nothing else depends on.
///
/// ```
/// alloc s: f32[] in local {
///   s[] = 0.0
///   for k in 0..8 { s[] = s[] + A[k] }     =>     nothing
///   acc[] = acc[] + 0.0
/// }
/// ```
///
/// `x + 0.0` is `x` but for a negative zero, which it makes positive. Sums in local buffers start with 0.0 and never are one;
/// for others that needs `reassociate`. So does `x * 0.0`, which is 0.0 but for infinities and NaN: zeros that surround an image are not
/// multiplied.
record DeadStores(Numerics numerics) {

  Stmt removed(Stmt statement) {
    Stmt changing = Rewrites.statements(statement, node ->
        node instanceof Stmt.Store store && changesNothing(store) ? Stmt.NOTHING : node);
    Set<Buffer> inside = identitySet();
    changing.nodes().forEach(node -> {
      if (node instanceof Stmt.Alloc alloc) {
        inside.add(alloc.buffer());
      }
    });
    Set<Buffer> live = live(changing, inside);
    return Rewrites.statements(changing, node -> pruned(node, buffer -> inside.contains(buffer) && !live.contains(buffer)));
  }

  private boolean changesNothing(Stmt.Store store) {
    Expr old = new Expr.Load(store.buffer(), store.indices());
    return switch (store.value()) {
      case Expr.Binary(BinaryOp op, Expr left, Expr right) ->
          (left.equals(old) && (isIdentity(op, right) || op == BinaryOp.ADD && isZeroProduct(right))
              || right.equals(old) && op.isCommutative() && isIdentity(op, left))
          && (op != BinaryOp.ADD || mayKeepNegativeZero(store.buffer()));
      case Expr.Fma(Expr left, Expr right, Expr sum) -> sum.equals(old) && (isZeroFactor(left) || isZeroFactor(right));
      default -> store.value().equals(old);
    };
  }

  private boolean isZeroProduct(Expr value) {
    return value instanceof Expr.Binary(BinaryOp op, Expr left, Expr right) && op == BinaryOp.MUL && (isZeroFactor(left) || isZeroFactor(right));
  }

  private boolean isZeroFactor(Expr value) {
    return numerics.allows(Numerics.REASSOCIATE) && isIdentity(BinaryOp.ADD, value);
  }

  private boolean mayKeepNegativeZero(Buffer buffer) {
    return !buffer.type().isFloat() || buffer.space() != Buffer.Space.GLOBAL || numerics.allows(Numerics.REASSOCIATE);
  }

  /// Whether `x op value` is `x` for every `x`.
  private static boolean isIdentity(BinaryOp op, Expr value) {
    return switch (value) {
      case Expr.Broadcast(Expr operand, int _) -> isIdentity(op, operand);
      case Expr.FloatLiteral literal -> switch (op) {
        case ADD, SUB -> literal.value() == 0;
        case MUL, DIV -> literal.value() == 1;
        case MIN -> literal.value() == Double.POSITIVE_INFINITY;
        case MAX -> literal.value() == Double.NEGATIVE_INFINITY;
        default -> false;
      };
      case Expr.IntLiteral literal -> switch (op) {
        case ADD, SUB, SHL, SHR, XOR -> literal.value() == 0;
        case OR -> literal.value() == 0;
        case MUL, DIV -> literal.value() == 1;
        case AND -> literal.value() == (literal.element().isBool() ? 1 : -1);
        case MIN -> literal.value() == dev.einfall.ir.loop.Interval.of(literal.element()).high();
        case MAX -> literal.value() == dev.einfall.ir.loop.Interval.of(literal.element()).low();
        default -> false;
      };
      default -> false;
    };
  }

  /// The buffers of `inside` whose elements something else depends on.
  private static Set<Buffer> live(Stmt statement, Set<Buffer> inside) {
    Set<Buffer> live = identitySet();
    int before;
    do {
      before = live.size();
      statement.nodes().forEach(node -> {
        boolean dead = node instanceof Stmt.Store store && inside.contains(store.buffer()) && !live.contains(store.buffer());
        if (!dead) {
          node.exprs().flatMap(Expr::nodes).forEach(expr -> {
            if (expr instanceof Expr.Load load) {
              live.add(load.buffer());
            }
          });
        }
      });
    } while (live.size() > before);
    return live;
  }

  private static Stmt pruned(Stmt node, java.util.function.Predicate<Buffer> isDead) {
    return switch (node) {
      case Stmt.Store store -> isDead.test(store.buffer()) ? Stmt.NOTHING : node;
      case Stmt.Block(List<Stmt> statements) -> Stmt.block(statements);
      case Stmt.For loop -> loop.body().equals(Stmt.NOTHING) ? Stmt.NOTHING : node;
      case Stmt.Let let -> let.body().equals(Stmt.NOTHING) ? Stmt.NOTHING : node;
      case Stmt.If branch -> branch.whenTrue().equals(Stmt.NOTHING) && branch.whenFalse().equals(Stmt.NOTHING) ? Stmt.NOTHING : node;
      case Stmt.Alloc alloc -> Rewrites.accesses(alloc.body(), alloc.buffer()) ? node : alloc.body();
      case Stmt.Require _, Stmt.Barrier _ -> node;
    };
  }

  private static Set<Buffer> identitySet() {
    return Collections.newSetFromMap(new IdentityHashMap<>());
  }
}
