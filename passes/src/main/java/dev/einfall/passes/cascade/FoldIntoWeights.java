package dev.einfall.passes.cascade;

import dev.einfall.ir.Diagnostic;
import dev.einfall.ir.cascade.Cascade;
import dev.einfall.ir.cascade.Definition;
import dev.einfall.ir.cascade.Einsum;
import dev.einfall.ir.cascade.Expr;
import dev.einfall.passes.Numerics;
import dev.einfall.passes.Pass;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;

/// Computes once, into the weights, what a linear function of a tensor is scaled by and added to: a normalization by fixed
/// statistics behind a convolution, and branches over one input that are summed.
///
/// ```
/// P[t, n] = sum[k](X[t, k] * W[k, n])                   Y_weights[k, n] = W[k, n] * s[n] + where(k == n, 1.0, 0.0)
/// Y[t, n] = P[t, n] * s[n] + b[n] + X[t, n]       =>    Y_sum[t, n] = sum[k](X[t, k] * Y_weights[k, n])
///                                                       Y[t, n] = Y_sum[t, n] + b[n]
/// ```
///
/// The scales and kernels must depend on weights alone, the products must be needed nowhere else, and each branch must read no
/// element but those that the largest one reads ([BranchMerge]). Kernels do not get ranks that would make them more than twice
/// as large as all that they are made of.
///
/// The factors of a sum are scaled instead of the sum, so the pass needs `reassociate`.
public record FoldIntoWeights() implements Pass.OnCascade {

  @Override
  public String name() {
    return "fold-into-weights";
  }

  @Override
  public Numerics needs() {
    return Numerics.REASSOCIATE;
  }

  @Override
  public Cascade apply(Cascade cascade, Consumer<Diagnostic> remarks) {
    Uses uses = new Uses(cascade);
    for (Einsum einsum : cascade.einsums().reversed()) {
      // Another may have taken it in.
      boolean isThere = uses.einsums().get(einsum.tensor()) == einsum;
      boolean isOpen = isThere && einsum.value().type().isFloat() && !Exprs.hasReduction(einsum.value()) && !cascade.mapping().speaksOf(einsum.tensor())
          && !uses.constants().contains(einsum.tensor());
      Cascade folded = isOpen ? folded(uses, einsum, remarks) : uses.cascade();
      uses = folded == uses.cascade() ? uses : new Uses(folded);
    }
    return uses.cascade();
  }

  private static Cascade folded(Uses uses, Einsum einsum, Consumer<Diagnostic> remarks) {
    Cascade cascade = uses.cascade();
    LinearFolding folding = new LinearFolding(uses, einsum, remarks);
    Einsum folded = einsum.withValue(fold(einsum.value(), folding));
    if (folded == einsum) {
      return cascade;
    }
    List<Definition> result = new ArrayList<>();
    for (Definition definition : cascade.definitions()) {
      if (definition == einsum) {
        result.addAll(folding.written());
        result.add(folded);
      } else {
        result.add(definition);
      }
    }
    return EliminateCommonEinsums.withoutDead(cascade.withDefinitions(result));
  }

  /// `value` with the largest linear functions in it folded.
  private static Expr fold(Expr value, LinearFolding folding) {
    return folding.folded(value).orElseGet(() -> switch (value) {
      case Expr.Unary _, Expr.Binary _, Expr.Select _ -> value.mapChildren(child -> fold(child, folding));
      case Expr.FloatLiteral _, Expr.IntLiteral _, Expr.Coordinate _, Expr.Extent _, Expr.Ref _, Expr.Access _, Expr.Cast _, Expr.Bitcast _,
          Expr.Reduce _, Expr.Fold _ -> value;
    });
  }
}
