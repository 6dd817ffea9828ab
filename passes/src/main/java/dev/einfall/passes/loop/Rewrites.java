package dev.einfall.passes.loop;

import dev.einfall.ir.loop.Buffer;
import dev.einfall.ir.loop.Expr;
import dev.einfall.ir.loop.Stmt;
import dev.einfall.ir.loop.Var;
import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Function;
import java.util.function.UnaryOperator;

/// Substitutions in statements and expressions of the loop level.
public final class Rewrites {
  private Rewrites() {}

  /// `expr` with `change` applied to every node, operands first.
  static Expr expr(Expr expr, UnaryOperator<Expr> change) {
    return change.apply(expr.mapChildren(child -> expr(child, change)));
  }

  /// `statement` with `change` applied to every statement in it, inner ones first.
  static Stmt statements(Stmt statement, UnaryOperator<Stmt> change) {
    return change.apply(statement.mapChildren(child -> statements(child, change), UnaryOperator.identity()));
  }

  /// `statement` with `change` applied to every node of every expression in it.
  static Stmt exprs(Stmt statement, UnaryOperator<Expr> change) {
    return statement.mapChildren(child -> exprs(child, change), root -> expr(root, change));
  }

  /// `statement` with `value` for `var`.
  public static Stmt substitute(Stmt statement, Var var, Expr value) {
    return exprs(statement, node -> node instanceof Expr.Ref(Var other) && other == var ? value : node);
  }

  /// `expr` with `value` for `var`.
  public static Expr substitute(Expr expr, Var var, Expr value) {
    return expr(expr, node -> node instanceof Expr.Ref(Var other) && other == var ? value : node);
  }

  /// A copy of `statement` with counters, variables and buffers of its own, so that it may stand beside the original.
  static Stmt copy(Stmt statement) {
    return new Copy().statement(statement);
  }

  /// `statement` with every access to `old` made one to `buffer`, at what `indices` makes of its indices.
  static Stmt redirect(Stmt statement, Buffer old, Buffer buffer, Function<List<Expr>, List<Expr>> indices) {
    Stmt loads = exprs(statement, node -> node instanceof Expr.Load load && load.buffer() == old
        ? new Expr.Load(buffer, indices.apply(load.indices())) : node);
    return statements(loads, node -> node instanceof Stmt.Store store && store.buffer() == old
        ? new Stmt.Store(buffer, indices.apply(store.indices()), store.value()) : node);
  }

  /// The counters and variables that `statement` binds, in a set of the caller's own.
  static Set<Var> bound(Stmt statement) {
    Set<Var> bound = Collections.newSetFromMap(new IdentityHashMap<>());
    statement.nodes().forEach(node -> {
      switch (node) {
        case Stmt.For loop -> bound.add(loop.var());
        case Stmt.Let let -> bound.add(let.var());
        case Stmt.Block _, Stmt.Store _, Stmt.Alloc _, Stmt.If _, Stmt.Require _, Stmt.Barrier _ -> { }
      }
    });
    return bound;
  }

  static boolean uses(Expr expr, Var var) {
    return expr.nodes().anyMatch(node -> node instanceof Expr.Ref(Var other) && other == var);
  }

  static boolean accesses(Stmt statement, Buffer buffer) {
    return statement.nodes().anyMatch(node -> node instanceof Stmt.Store store && store.buffer() == buffer
        || node.exprs().flatMap(Expr::nodes).anyMatch(expr -> expr instanceof Expr.Load load && load.buffer() == buffer));
  }

  /// Whether a condition in `statement`, of an `if` or a `select`, could be decided for a part of it.
  static boolean decides(Stmt statement) {
    return statement.nodes().anyMatch(node -> node instanceof Stmt.If
        || node.exprs().flatMap(Expr::nodes).anyMatch(Expr.Select.class::isInstance));
  }

  /// The number that `expr` is, if it is an integer literal.
  static Optional<Long> constant(Expr expr) {
    return expr instanceof Expr.IntLiteral literal ? Optional.of(literal.value()) : Optional.empty();
  }

  private static final class Copy {
    private final Map<Var, Var> vars = new IdentityHashMap<>();
    private final Map<Buffer, Buffer> buffers = new IdentityHashMap<>();

    Stmt statement(Stmt old) {
      return switch (old) {
        case Stmt.For loop -> {
          Expr extent = value(loop.extent());
          yield new Stmt.For(fresh(loop.var()), extent, loop.kind(), statement(loop.body()), loop.span());
        }
        case Stmt.Let let -> {
          Expr value = value(let.value());
          yield new Stmt.Let(fresh(let.var()), value, statement(let.body()));
        }
        case Stmt.Alloc(Buffer buffer, Stmt body) -> {
          Buffer own = new Buffer(buffer.name(), buffer.type(), buffer.extents(), buffer.space());
          buffers.put(buffer, own);
          yield new Stmt.Alloc(own, statement(body));
        }
        case Stmt.Store store -> new Stmt.Store(buffers.getOrDefault(store.buffer(), store.buffer()),
            store.indices().stream().map(this::value).toList(), value(store.value()));
        case Stmt.Block _, Stmt.If _, Stmt.Require _, Stmt.Barrier _ -> old.mapChildren(this::statement, this::value);
      };
    }

    private Var fresh(Var old) {
      Var own = old.copy();
      vars.put(old, own);
      return own;
    }

    private Expr value(Expr old) {
      return expr(old, node -> switch (node) {
        case Expr.Ref(Var var) when vars.containsKey(var) -> new Expr.Ref(vars.get(var));
        case Expr.Load load when buffers.containsKey(load.buffer()) -> new Expr.Load(buffers.get(load.buffer()), load.indices());
        default -> node;
      });
    }
  }
}
