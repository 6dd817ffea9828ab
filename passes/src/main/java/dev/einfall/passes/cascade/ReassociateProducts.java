package dev.einfall.passes.cascade;

import dev.einfall.ir.Diagnostic;
import dev.einfall.ir.cascade.Cascade;
import dev.einfall.ir.cascade.Definition;
import dev.einfall.ir.cascade.Einsum;
import dev.einfall.passes.Numerics;
import dev.einfall.passes.Pass;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.function.Consumer;

/// Multiplies the factors of a chain of products in the order that costs least.
///
/// ```
/// P[m, k] = sum[j](A[m, j] * B[j, k])             Y_product[j] = sum[k](B[j, k] * v[k])
/// Y[m] = sum[k](P[m, k] * v[k])            =>     Y[m] = sum[j](A[m, j] * Y_product[j])
/// ```
///
/// A chain goes on through products, quotients and views that nothing else reads, and through any that depend on weights alone:
/// a product of weights costs nothing, so weights are multiplied together where that makes less work at each call, and kept apart
/// where it makes more. A factor that is a sum may become a product for each term: `(W + B * A) * x` is `W * x + B * (A * x)`. The
/// order is that of [ContractionOrder]; it is taken if it saves a tenth of the operations and bytes, not counting what other
/// passes would save.
///
/// Factors leave sums and enter them: that is exact over the reals, so the pass needs `reassociate`.
public record ReassociateProducts() implements Pass.OnCascade {
  @Override
  public String name() {
    return "reassociate-products";
  }

  @Override
  public Numerics needs() {
    return Numerics.REASSOCIATE;
  }

  @Override
  public Cascade apply(Cascade cascade, Consumer<Diagnostic> remarks) {
    Uses uses = new Uses(cascade);
    for (Einsum root : cascade.einsums().reversed()) {
      // Another chain may have taken it in.
      boolean isThere = uses.einsums().get(root.tensor()) == root;
      Cascade reassociated = isThere ? reassociated(uses, root, remarks) : uses.cascade();
      uses = reassociated == uses.cascade() ? uses : new Uses(reassociated);
    }
    return uses.cascade();
  }

  private static Cascade reassociated(Uses uses, Einsum root, Consumer<Diagnostic> remarks) {
    Cascade cascade = uses.cascade();
    ProductChain chain = new ProductChain(uses, root);
    Optional<ProductChain.Reordered> cheaper = chain.cheaper();
    if (cheaper.isEmpty()) {
      chain.cheaperAlone().ifPresent(other -> remarks.accept(remark(root, chain, other)));
      return cascade;
    }
    List<Definition> result = new ArrayList<>();
    for (Definition definition : cascade.definitions()) {
      result.addAll(definition == root ? cheaper.get().einsums() : List.of(definition));
    }
    return EliminateCommonEinsums.withoutDead(cascade.withDefinitions(result));
  }

  private static Diagnostic remark(Einsum root, ProductChain chain, ProductChain.Reordered other) {
    String shared = String.join(" or ", chain.shared(other).stream().map(tensor -> "`" + tensor.name() + "`").toList());
    return Diagnostic.remark(root.span(), String.format(Locale.ROOT,
        "another order of products would make `%s` with %.0f %% of the work, but %s is needed elsewhere too",
        root.tensor().name(), Math.ceil(100 * other.share()), shared));
  }
}
