package dev.einfall.passes.cascade;

import dev.einfall.ir.Diagnostic;
import dev.einfall.ir.Size;
import dev.einfall.ir.cascade.Cascade;
import dev.einfall.ir.cascade.Definition;
import dev.einfall.ir.cascade.Einsum;
import dev.einfall.ir.cascade.Expr;
import dev.einfall.ir.cascade.Tensor;
import dev.einfall.passes.Numerics;
import dev.einfall.passes.Pass;
import java.util.ArrayList;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Consumer;
import java.util.function.Predicate;

/// Multiplies the factors of a chain of products in the order that costs least.
///
/// ```
/// P[m, k] = sum[j](A[m, j] * B[j, k])             Y_product[j] = sum[k](B[j, k] * v[k])
/// Y[m] = sum[k](P[m, k] * v[k])            =>     Y[m] = sum[j](A[m, j] * Y_product[j])
/// ```
///
/// A chain goes on through products, quotients and views that nothing else reads, and through any that depend on weights alone:
/// a product of weights costs nothing, so weights are multiplied together where that makes less work at each call, and kept apart
/// where it makes more. The order is that of [ContractionOrder]; it is taken if it saves a tenth of the operations and bytes,
/// not counting those that other passes would save.
///
/// Factors leave sums and enter them: that is exact over the reals, so the pass needs `reassociate`.
public record ReassociateProducts() implements Pass.OnCascade {
  private static final double WORTHWHILE = 0.9;

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
    Cascade current = cascade;
    for (Einsum root : cascade.einsums().reversed()) {
      current = new Chain(current, root).reassociated(remarks);
    }
    return current;
  }

  /// The chain that ends in one Einsum.
  private static final class Chain {
    private final Cascade cascade;
    private final Einsum root;
    private final Map<Tensor, Einsum> definitions;
    private final Set<Tensor> constant;

    Chain(Cascade cascade, Einsum root) {
      this.cascade = cascade;
      this.root = root;
      this.definitions = Exprs.definitions(cascade.einsums());
      this.constant = Constants.of(cascade);
    }

    Cascade reassociated(Consumer<Diagnostic> remarks) {
      boolean isThere = cascade.definitions().stream().anyMatch(definition -> definition == root);
      // Another chain may have taken it in.
      if (!isThere || constant.contains(root.tensor()) || cascade.mapping().speaksOf(root.tensor()) || !mayGain(root)) {
        return cascade;
      }
      Optional<List<Einsum>> cheaper = cheaper(this::isOwn).map(Reordered::einsums);
      if (cheaper.isEmpty()) {
        cheaper(_ -> true).ifPresent(other -> remark(other, remarks));
        return cascade;
      }
      List<Definition> result = new ArrayList<>();
      for (Definition definition : cascade.definitions()) {
        result.addAll(definition == root ? cheaper.get() : List.of(definition));
      }
      return EliminateCommonEinsums.withoutDead(cascade.withDefinitions(result));
    }

    /// A sum somewhere, and more than one product.
    private static boolean mayGain(Einsum root) {
      return ProductNetwork.isProduct(root.value()) && !ProductNetwork.isView(root.value());
    }

    private record Reordered(List<Einsum> einsums, ProductNetwork network, double share) {}

    /// The Einsums in the best order, if that is worthwhile, with the producers that `mayExpand` allows taken in.
    private Optional<Reordered> cheaper(Predicate<Tensor> mayExpand) {
      Optional<ProductNetwork> network = ProductNetwork.of(root, access -> producer(access, mayExpand));
      if (network.isEmpty() || network.get().factors().size() < 3 || network.get().outputs() == network.get().ranks().size()) {
        return Optional.empty();
      }
      List<Einsum> einsums = ContractionWriter.write(root, network.get(), ContractionOrder.of(network.get(), constant));
      double share = cost(einsums) / sourceCost(network.get());
      return share <= WORTHWHILE ? Optional.of(new Reordered(einsums, network.get(), share)) : Optional.empty();
    }

    private Optional<Einsum> producer(Expr.Access access, Predicate<Tensor> mayExpand) {
      Tensor tensor = access.tensor();
      Einsum producer = definitions.get(tensor);
      boolean product = producer != null && ProductNetwork.isProduct(producer.value()) && ProductNetwork.isView(access);
      boolean free = product && (constant.contains(tensor) || mayExpand.test(tensor));
      return free ? Optional.of(producer) : Optional.empty();
    }

    private boolean isOwn(Tensor tensor) {
      return Exprs.isForOne(tensor, cascade);
    }

    /// What the source computes at each call. Views, and the moves of what is elementwise, other passes save.
    private double sourceCost(ProductNetwork network) {
      double cost = cost(List.of(root));
      for (Einsum einsum : network.expanded()) {
        boolean isFree = constant.contains(einsum.tensor()) || ProductNetwork.isView(einsum.value());
        cost += isFree ? 0 : Exprs.hasReduction(einsum.value()) ? cost(List.of(einsum)) : number(Work.of(einsum).operations());
      }
      return cost;
    }

    private double cost(List<Einsum> einsums) {
      Set<Tensor> known = Exprs.identitySet();
      known.addAll(constant);
      double cost = 0;
      for (Einsum einsum : einsums) {
        if (einsum.tensor() != root.tensor() && einsum.reads().allMatch(known::contains)) {
          known.add(einsum.tensor());
        } else {
          Work work = Work.of(einsum);
          cost += number(work.operations()) + ContractionOrder.BYTE * number(work.bytes());
        }
      }
      return cost;
    }

    private static double number(Size size) {
      return size.constant().orElseThrow();
    }

    private void remark(Reordered other, Consumer<Diagnostic> remarks) {
      List<String> shared = other.network.expanded().stream().map(Einsum::tensor)
          .filter(tensor -> !constant.contains(tensor) && !isOwn(tensor)).map(tensor -> "`" + tensor.name() + "`").distinct().toList();
      remarks.accept(Diagnostic.remark(root.span(), String.format(Locale.ROOT,
          "another order of products would make `%s` with %.0f %% of the work, but %s is needed elsewhere too",
          root.tensor().name(), Math.ceil(100 * other.share), String.join(" or ", shared))));
    }
  }
}
