package dev.einfall.passes.loop;

import dev.einfall.ir.loop.Expr;
import dev.einfall.ir.loop.Stmt;
import dev.einfall.ir.loop.Var;
import java.util.List;
import java.util.Optional;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;

/// Statements that run one after the other, without loops and branches: variables that are bound, and stores.
record StraightLine(List<Step> steps) {

  StraightLine {
    steps = List.copyOf(steps);
  }

  /// One of the steps.
  sealed interface Step {
    /// What it computes, indices included.
    Stream<Expr> exprs();

    Step map(UnaryOperator<Expr> change);

    /// The loads in [#exprs].
    default Stream<Expr.Load> loads() {
      return exprs().flatMap(Expr::nodes).filter(Expr.Load.class::isInstance).map(Expr.Load.class::cast);
    }
  }

  /// A variable, for all steps that follow.
  record Bind(Var var, Expr value) implements Step {
    @Override
    public Stream<Expr> exprs() {
      return Stream.of(value);
    }

    @Override
    public Step map(UnaryOperator<Expr> change) {
      return new Bind(var, change.apply(value));
    }
  }

  record Write(Stmt.Store store) implements Step {
    @Override
    public Stream<Expr> exprs() {
      return store.exprs();
    }

    @Override
    public Write map(UnaryOperator<Expr> change) {
      return new Write((Stmt.Store) store.mapChildren(inner -> inner, change));
    }
  }

  /// `statement` as steps; empty if it has loops, branches, buffers of its own or checks.
  static Optional<StraightLine> of(Stmt statement) {
    return isStraight(statement) ? Optional.of(new StraightLine(steps(statement).toList())) : Optional.empty();
  }

  private static boolean isStraight(Stmt statement) {
    return statement.nodes().allMatch(node -> switch (node) {
      case Stmt.Store _, Stmt.Let _, Stmt.Block _ -> true;
      case Stmt.For _, Stmt.If _, Stmt.Alloc _, Stmt.Require _, Stmt.Barrier _ -> false;
    });
  }

  private static Stream<Step> steps(Stmt statement) {
    return switch (statement) {
      case Stmt.Store store -> Stream.of(new Write(store));
      case Stmt.Let(Var var, Expr value, Stmt body) -> Stream.concat(Stream.of(new Bind(var, value)), steps(body));
      case Stmt.Block(List<Stmt> statements) -> statements.stream().flatMap(StraightLine::steps);
      case Stmt.For _, Stmt.If _, Stmt.Alloc _, Stmt.Require _, Stmt.Barrier _ -> throw new IllegalArgumentException("not straight: " + statement);
    };
  }

  /// The statements again, with each variable around all that follows.
  Stmt statement() {
    Stmt result = Stmt.NOTHING;
    for (Step step : steps.reversed()) {
      result = switch (step) {
        case Bind(Var var, Expr value) -> new Stmt.Let(var, value, result);
        case Write(Stmt.Store store) -> Stmt.block(store, result);
      };
    }
    return result;
  }
}
