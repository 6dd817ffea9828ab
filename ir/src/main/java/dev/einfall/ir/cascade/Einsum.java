package dev.einfall.ir.cascade;

import dev.einfall.ir.Span;
import java.util.List;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;

/// The definition of one tensor by an extended Einsum: for every point of the iteration space of `ranks`, the
/// element `tensor[ranks]` is `value`. `ranks` bind the coordinates in `value`; reductions inside it bind their own.
///
/// ```
/// Y[m, n] = max(sum[k](A[m, k] * B[k, n]) + bias[n], 0.0)
/// ```
public record Einsum(Tensor tensor, List<Rank> ranks, Expr value, Span span) implements Definition {
  public Einsum {
    ranks = List.copyOf(ranks);
    if (ranks.size() != tensor.shape().size()) {
      throw new IllegalArgumentException(tensor + " defined with " + ranks.size() + " ranks");
    }
    if (value.type() != tensor.type()) {
      throw new IllegalArgumentException(tensor + " defined by a value of type " + value.type());
    }
  }

  public Einsum withValue(Expr newValue) {
    return newValue == value ? this : new Einsum(tensor, ranks, newValue, span);
  }

  @Override
  public List<Tensor> tensors() {
    return List.of(tensor);
  }

  @Override
  public Stream<Expr> exprs() {
    return Stream.of(value);
  }

  @Override
  public Einsum mapExprs(UnaryOperator<Expr> change) {
    return withValue(change.apply(value));
  }
}
