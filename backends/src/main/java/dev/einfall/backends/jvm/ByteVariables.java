package dev.einfall.backends.jvm;

import dev.einfall.ir.loop.Buffer;
import dev.einfall.ir.loop.Expr;
import dev.einfall.ir.loop.Stmt;
import dev.einfall.ir.loop.Var;
import java.util.stream.Stream;

/// Variables of vectors of `i32` that are nothing but bytes, to choose from and to choose by: they are held as vectors of bytes. C2 makes nodes of each
/// conversion that is left out so, and inlines later what comes after too many ([Weight]).
///
/// ```
/// let words: i32x16 = W[k, ramp(0, 1, 16)]              in 64 bytes
/// let lowest: i32x16 = permute_bytes(words, t, u)       in 64 bytes
/// Y[ramp(0, 1, 16)] = permute_bytes(ramp(i, j, 16), lowest, lowest)
/// ```
final class ByteVariables {
  private ByteVariables() {}

  /// Whether the variable of `let` is one, and its value is there as bytes.
  static boolean isOne(Stmt.Let let) {
    return isOfBytes(let.value()) && exprs(let.body()).anyMatch(Expr.PermuteBytes.class::isInstance) && uses(let.body(), let.var()) == choices(let.body(), let.var());
  }

  private static boolean isOfBytes(Expr value) {
    return value instanceof Expr.PermuteBytes || value instanceof Expr.Load(Buffer buffer, _) && value.type().isVector() && buffer.space() != Buffer.Space.REGISTER;
  }

  private static long uses(Stmt stmt, Var var) {
    return exprs(stmt).filter(node -> isRead(node, var)).count();
  }

  private static long choices(Stmt stmt, Var var) {
    return exprs(stmt).filter(Expr.PermuteBytes.class::isInstance).flatMap(Expr::children).filter(node -> isRead(node, var)).count();
  }

  private static boolean isRead(Expr expr, Var var) {
    return expr instanceof Expr.Ref(Var read) && read == var;
  }

  private static Stream<Expr> exprs(Stmt stmt) {
    return stmt.nodes().flatMap(Stmt::exprs).flatMap(Expr::nodes);
  }
}
