package dev.einfall.frontend;

import dev.einfall.frontend.Syntax.Expr;
import dev.einfall.ir.Diagnostic;
import dev.einfall.ir.ElementType;
import dev.einfall.ir.cascade.Rank;
import dev.einfall.ir.cascade.Tensor;
import java.util.ArrayList;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// Reads operators and scalar functions on whole tensors of one shape: `h + mlp(h)`, `max(x, 0) - 1`. Numbers and tensors
/// without dimensions fit any shape.
final class WholeArithmetic {
  private final Elaboration elaboration;
  private final Diagnostics diagnostics;
  private final Frame frame;
  private final Wholes wholes;
  private final Scalars scalars;
  private final Map<Expr, Tensor> tensors = new IdentityHashMap<>();
  private Optional<Expr> first = Optional.empty();
  private List<Rank> ranks = List.of();

  WholeArithmetic(Elaboration elaboration, Frame frame, Wholes wholes) {
    this.elaboration = elaboration;
    this.diagnostics = elaboration.diagnostics();
    this.frame = frame;
    this.wholes = wholes;
    this.scalars = new Scalars(elaboration, frame);
  }

  /// The tensor that `expr` makes.
  ///
  /// @param type what an expression of open type becomes
  Tensor tensor(Expr expr, String wish, Optional<ElementType> type) {
    find(expr, wish);
    Value result = value(expr);
    var value = type.filter(_ -> !(result instanceof Value.Typed))
        .map(wanted -> scalars.arithmetic().as(result, wanted))
        .orElseGet(() -> scalars.arithmetic().alone(result));
    return elaboration.define(wish, expr.span(), ranks, value, expr.span());
  }

  /// Makes the tensors that the operations have for operands, and checks that their shapes agree.
  private void find(Expr expr, String wish) {
    if (wholes.isTensor(expr)) {
      add(expr, wholes.tensor(expr, wish, Optional.empty()));
    } else {
      diagnostics.each(operands(expr), operand -> {
        return elaboration.nested(operand.span(), () -> {
          find(operand, wish);
          return operand;
        });
      });
    }
  }

  private static List<Expr> operands(Expr expr) {
    return switch (expr) {
      case Expr.Prefix prefix -> List.of(prefix.operand());
      case Expr.Infix infix -> List.of(infix.left(), infix.right());
      case Expr.Call call -> call.arguments();
      case Expr.Whole _, Expr.Real _, Expr.Truth _, Expr.Reference _, Expr.Access _, Expr.Reduction _,
          Expr.Sequence _ -> List.of();
    };
  }

  private void add(Expr expr, Tensor tensor) {
    tensors.put(expr, tensor);
    if (tensor.shape().isEmpty()) {
      return;
    }
    if (first.isEmpty()) {
      first = Optional.of(expr);
      ranks = Views.ranks(tensor.shape());
    }
    Tensor other = tensors.get(first.get());
    boolean same = other.shape().size() == tensor.shape().size();
    for (int i = 0; same && i < tensor.shape().size(); i++) {
      same = elaboration.same(other.shape().get(i), tensor.shape().get(i));
    }
    if (!same) {
      throw diagnostics.reject(expr.span(), "this is " + Accesses.describe(tensor) + ", which does not fit "
          + Accesses.describe(other) + "; whole tensors of one shape are combined, and others by their indices",
          new Diagnostic.Note(first.get().span(), "this is " + Accesses.describe(other)));
    }
  }

  private Value value(Expr expr) {
    return diagnostics.attempt(() -> known(expr)).orElseGet(() -> new Value.Unknown(expr.span()));
  }

  private Value known(Expr expr) {
    Tensor tensor = tensors.get(expr);
    if (tensor != null) {
      List<dev.einfall.ir.cascade.Expr> indices = new ArrayList<>();
      if (!tensor.shape().isEmpty()) {
        ranks.forEach(rank -> indices.add(new dev.einfall.ir.cascade.Expr.Coordinate(rank)));
      }
      return new Value.Typed(new dev.einfall.ir.cascade.Expr.Access(tensor, indices), expr.span());
    }
    return switch (expr) {
      case Expr.Prefix prefix -> scalars.arithmetic().unary(prefix.op(), value(prefix.operand()), prefix.span());
      case Expr.Infix infix ->
          scalars.arithmetic().infix(infix.op(), value(infix.left()), value(infix.right()), infix.span());
      case Expr.Call call -> scalars.call(frame.named(call), this::value, this::value);
      case Expr other -> scalars.value(other, Scope.EMPTY);
    };
  }
}
