package dev.einfall.ir.cascade;

import dev.einfall.ir.Span;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
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
    List<Tensor> own = tensors();
    Set<Tensor> found = new LinkedHashSet<>();
    if (this instanceof Recurrence recurrence) {
      recurrence.states().forEach(state -> state.base().ifPresent(found::add));
    }
    exprs().flatMap(Expr::nodes).forEach(node -> {
      if (node instanceof Expr.Access access) {
        found.add(access.tensor());
      }
    });
    own.forEach(found::remove);
    return found.stream();
  }
}
