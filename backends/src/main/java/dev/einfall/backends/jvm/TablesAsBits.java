package dev.einfall.backends.jvm;

import dev.einfall.ir.ElementType;
import dev.einfall.ir.loop.Expr;
import dev.einfall.ir.loop.Stmt;
import dev.einfall.ir.loop.Var;
import java.util.List;
import java.util.stream.Stream;

/// Keeps tables of floats as their bits, which is what `selectFrom` takes, from where they are loaded. C2 would move the conversion out of a loop by itself,
/// but makes nodes of it for each use before, and inlines later what comes after too many ([Weight]).
///
/// ```
/// let t: f32x16 = T[ramp(0, 1, 16)]              let bits: i32x16 = bitcast_i32(T[ramp(0, 1, 16)])
/// for k in 0..K {                                for k in 0..K {
///   acc[..] = fma(x, permute(i, t), acc[..])  =>   acc[..] = fma(x, bitcast_f32(permute(i, bits)), acc[..])
/// }                                              }
/// ```
final class TablesAsBits {
  private TablesAsBits() {}

  static Stmt in(Stmt stmt) {
    return exprs(stmt).anyMatch(Expr.Permute.class::isInstance) ? rewritten(stmt) : stmt;
  }

  private static Stmt rewritten(Stmt stmt) {
    Stmt inner = stmt.mapChildren(TablesAsBits::rewritten, expr -> expr);
    if (inner instanceof Stmt.Let(Var table, Expr value, Stmt body) && table.type().isVector() && table.type().element() == ElementType.F32
        && isTable(table, body)) {
      Var bits = new Var(table.name(), table.type().with(ElementType.I32));
      return new Stmt.Let(bits, new Expr.Bitcast(ElementType.I32, value), replace(body, table, bits));
    }
    return inner;
  }

  /// Whether all that reads `table` in `body` chooses from it, and from nothing else.
  private static boolean isTable(Var table, Stmt body) {
    return uses(body, table) > 0 && uses(body, table) == choices(body, table);
  }

  private static long uses(Stmt stmt, Var var) {
    return exprs(stmt).filter(node -> node instanceof Expr.Ref(Var read) && read == var).count();
  }

  private static long choices(Stmt stmt, Var table) {
    return exprs(stmt).filter(node -> isChoice(node, table)).count();
  }

  private static Stream<Expr> exprs(Stmt stmt) {
    return stmt.nodes().flatMap(Stmt::exprs).flatMap(Expr::nodes);
  }

  private static boolean isChoice(Expr expr, Var table) {
    return expr instanceof Expr.Permute(Expr _, List<Expr> tables) && tables.equals(List.of(new Expr.Ref(table)));
  }

  private static Stmt replace(Stmt stmt, Var table, Var bits) {
    return stmt.mapChildren(child -> replace(child, table, bits), expr -> replace(expr, table, bits));
  }

  private static Expr replace(Expr expr, Var table, Var bits) {
    Expr inner = expr.mapChildren(child -> replace(child, table, bits));
    return inner instanceof Expr.Permute(Expr indices, List<Expr> _) && isChoice(inner, table)
        ? new Expr.Bitcast(ElementType.F32, new Expr.Permute(indices, List.of(new Expr.Ref(bits)))) : inner;
  }
}
