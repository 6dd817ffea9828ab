package dev.einfall.passes.loop;

import dev.einfall.ir.loop.Expr;
import dev.einfall.ir.loop.Stmt;
import dev.einfall.ir.loop.Var;
import java.util.ArrayList;
import java.util.List;
import java.util.function.UnaryOperator;

/// What the expansions of one statement need around it, from the outermost on.
final class Bindings {
  private final List<UnaryOperator<Stmt>> layers = new ArrayList<>();

  /// A variable that holds `value`; `value` itself if it is a variable or a literal already.
  Expr bind(String name, Expr value) {
    if (value instanceof Expr.Ref || value instanceof Expr.FloatLiteral) {
      return value;
    }
    Var var = new Var(name, value.type());
    add(inner -> new Stmt.Let(var, value, inner));
    return new Expr.Ref(var);
  }

  /// Puts `layer` around the statement, inside of what there is.
  void add(UnaryOperator<Stmt> layer) {
    layers.add(layer);
  }

  Stmt around(Stmt statement) {
    Stmt result = statement;
    for (UnaryOperator<Stmt> layer : layers.reversed()) {
      result = layer.apply(result);
    }
    return result;
  }
}
