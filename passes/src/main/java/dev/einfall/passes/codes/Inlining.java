package dev.einfall.passes.codes;

import dev.einfall.ir.cascade.Cascade;
import dev.einfall.ir.cascade.Einsum;
import dev.einfall.ir.cascade.Expr;
import dev.einfall.ir.cascade.Rank;
import dev.einfall.ir.cascade.Tensor;
import dev.einfall.passes.cascade.Constants;
import dev.einfall.passes.cascade.Exprs;
import dev.einfall.passes.cascade.IndexForm;
import java.util.IdentityHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/// Writes what weights alone determine as arithmetic on the weights.
///
/// ```
/// C[n, k] = i32(W_code[n, k]) - 8
/// W[n, k] = f32(C[n, k]) * W_scale[n, k / 64]       W[j, i]  =>  f32(i32(W_code[j, i]) - 8) * W_scale[j, i / 64]
/// ```
final class Inlining {
  /// The most nodes of an expression that takes the place of an element.
  private static final int MOST_NODES = 400;

  private final Set<Tensor> constant;
  private final Map<Tensor, Einsum> definitions;

  Inlining(Cascade cascade) {
    this.constant = Constants.of(cascade);
    this.definitions = Exprs.definitions(cascade.einsums());
  }

  boolean isConstant(Tensor tensor) {
    return constant.contains(tensor);
  }

  /// What computes the elements of `tensor`, if weights determine them and it is none itself.
  Optional<Einsum> definition(Tensor tensor) {
    return Optional.ofNullable(constant.contains(tensor) ? definitions.get(tensor) : null);
  }

  /// Whether `expr` reads something, and nothing but what weights determine.
  boolean isConstant(Expr expr) {
    return Exprs.accesses(expr).findAny().isPresent() && !Exprs.hasReduction(expr)
        && Exprs.accesses(expr).allMatch(access -> constant.contains(access.tensor()));
  }

  /// `expr` with elements of constant tensors as they are computed, but for those that a reduction makes, and elements of a tensor that is read with `or`
  /// or at indices that depend on data.
  Expr inlined(Expr expr) {
    Expr result = Exprs.rewrite(expr, node -> node instanceof Expr.Access access ? inlined(access) : node);
    return result.nodes().limit(MOST_NODES + 1).count() > MOST_NODES ? expr : result;
  }

  private Expr inlined(Expr.Access access) {
    Einsum einsum = definition(access.tensor()).orElse(null);
    boolean isPlain = einsum != null && access.outside().isEmpty() && !Exprs.hasReduction(einsum.value()) && Exprs.accesses(einsum.value()).findAny().isPresent()
        && access.indices().stream().allMatch(index -> Exprs.accesses(index).findAny().isEmpty());
    if (!isPlain) {
      return access;
    }
    Map<Rank, Expr> values = new IdentityHashMap<>();
    for (int i = 0; i < einsum.ranks().size(); i++) {
      values.put(einsum.ranks().get(i), access.indices().get(i));
    }
    return inlined(IndexForm.withSimpleIndices(Exprs.substitute(einsum.value(), values)));
  }
}
