package dev.einfall.passes.reduce;

import dev.einfall.ir.Diagnostic;
import dev.einfall.ir.cascade.Cascade;
import dev.einfall.ir.cascade.Einsum;
import dev.einfall.ir.cascade.Tensor;
import dev.einfall.passes.Numerics;
import dev.einfall.passes.Pass;
import dev.einfall.passes.cascade.EliminateCommonEinsums;
import dev.einfall.passes.cascade.Exprs;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.Consumer;

/// Lets factors that are the same for all elements of a reduction leave it: of a sum any, of a maximum or minimum those that are
/// not negative.
///
/// ```
/// A[p, m] = E[p, m] / D[p]                         Z_sum[p, f] = sum[m](E[p, m] * V[m, f])
/// Z[p, f] = sum[m](A[p, m] * V[m, f])      =>      Z[p, f] = Z_sum[p, f] / D[p]
/// ```
///
/// A factor leaves where that saves a pass or operations. A factor in the reduction's own term always does: it is applied once
/// and not once for each element reduced. One in a tensor that the term reads (`A` above) leaves if nothing else needs that
/// tensor with the factor, and either the factor waits for a reduction of what the rest of the tensor is made of, so that
/// a pass is saved, or the results of the reductions have fewer elements than the tensor.
///
/// Values of `f16` and `bf16` keep their factors, which may keep sums from overflowing.
public record DeferFactors() implements Pass.OnCascade {

  @Override
  public String name() {
    return "defer-factors";
  }

  @Override
  public Numerics needs() {
    return Numerics.REASSOCIATE;
  }

  @Override
  public Cascade apply(Cascade cascade, Consumer<Diagnostic> remarks) {
    Cascade current = cascade;
    Set<Tensor> done = Exprs.identitySet();
    Optional<Cascade> next = Optional.of(cascade);
    while (next.isPresent()) {
      current = next.get();
      next = step(current, done);
    }
    return current == cascade ? cascade : EliminateCommonEinsums.withoutDead(current);
  }

  /// One rewrite; readers come before what they read, so that factors move as far as they can.
  private static Optional<Cascade> step(Cascade cascade, Set<Tensor> done) {
    Ancestry ancestry = new Ancestry(cascade);
    for (Einsum einsum : cascade.einsums().reversed()) {
      if (!done.contains(einsum.tensor()) && !cascade.mapping().speaksOf(einsum.tensor())) {
        Optional<List<Einsum>> own = new Deferral(ancestry).fromTerm(einsum);
        if (own.isPresent()) {
          return Optional.of(Deferral.replaced(cascade, einsum, own.get()));
        }
        Optional<Cascade> fromProducer = new Deferral(ancestry).fromProducer(einsum);
        if (fromProducer.isPresent()) {
          return fromProducer;
        }
        done.add(einsum.tensor());
      }
    }
    return Optional.empty();
  }
}
