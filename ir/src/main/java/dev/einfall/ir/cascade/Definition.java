package dev.einfall.ir.cascade;

import dev.einfall.ir.Span;
import java.util.List;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;

/// What defines tensors: an [Einsum], whose elements do not depend on each other, or a [Recurrence], whose elements are
/// written in order.
public sealed interface Definition permits Einsum, Recurrence {

  /// The tensors that it defines.
  List<Tensor> tensors();

  /// The expressions in it, in order: values, indices on the left, and the condition to go on.
  Stream<Expr> exprs();

  /// The same with each of [#exprs] replaced by what `change` makes of it; the same object if nothing changes.
  Definition mapExprs(UnaryOperator<Expr> change);

  /// Where it is written.
  Span span();

  /// The tensors that it reads and does not define, each once.
  default Stream<Tensor> reads() {
    Stream<Tensor> bases = switch (this) {
      case Einsum _ -> Stream.empty();
      case Recurrence recurrence -> recurrence.states().stream().flatMap(state -> state.base().stream());
    };
    Stream<Tensor> accessed = exprs().flatMap(Expr::nodes)
        .flatMap(node -> node instanceof Expr.Access access ? Stream.of(access.tensor()) : Stream.empty());
    return Stream.concat(bases, accessed).filter(tensor -> !tensors().contains(tensor)).distinct();
  }
}
