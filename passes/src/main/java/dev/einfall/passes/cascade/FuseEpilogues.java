package dev.einfall.passes.cascade;

import dev.einfall.ir.Diagnostic;
import dev.einfall.ir.cascade.Cascade;
import dev.einfall.ir.cascade.Definition;
import dev.einfall.ir.cascade.Einsum;
import dev.einfall.ir.cascade.Expr;
import dev.einfall.ir.cascade.Mapping;
import dev.einfall.ir.cascade.Rank;
import dev.einfall.passes.Pass;
import java.util.ArrayList;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Consumer;

/// Lets the one elementwise user of a reduction take its value from the accumulator instead of from memory.
///
/// ```
/// T[m, n] = sum[k](A[m, k] * B[k, n])
/// Y[m, n] = max(T[m, n] + C[n], 0.0)      =>     Y[m, n] = max(sum[k](A[m, k] * B[k, n]) + C[n], 0.0)
/// ```
///
/// A mapping must speak of neither. The user must have no other reduction, use each element of the reduction's tensor once, and have it nowhere in an index.
public record FuseEpilogues() implements Pass.OnCascade {

  @Override
  public String name() {
    return "fuse-epilogues";
  }

  @Override
  public boolean needsSizes() {
    return false;
  }

  @Override
  public Cascade apply(Cascade cascade, Consumer<Diagnostic> remarks) {
    List<Definition> definitions = new ArrayList<>(cascade.definitions());
    for (Einsum producer : cascade.einsums()) {
      boolean isOutput = cascade.outputs().stream().anyMatch(output -> output.tensor() == producer.tensor());
      if (!isOutput && !cascade.mapping().speaksOf(producer.tensor()) && producer.value() instanceof Expr.Reduce) {
        fuseIntoUser(producer, definitions, cascade.mapping());
      }
    }
    return cascade.withDefinitions(definitions);
  }

  private static void fuseIntoUser(Einsum producer, List<Definition> definitions, Mapping mapping) {
    List<Definition> users = definitions.stream()
        .filter(definition -> definition.reads().anyMatch(tensor -> tensor == producer.tensor())).toList();
    if (users.size() == 1 && users.getFirst() instanceof Einsum user && !mapping.speaksOf(user.tensor())
        && isEpilogue(user, producer)) {
      definitions.set(definitions.indexOf(user), user.withValue(Exprs.rewrite(user.value(), node -> fuse(node, producer))));
      definitions.remove(producer);
    }
  }

  private static boolean isEpilogue(Einsum user, Einsum producer) {
    List<Expr.Access> accesses =
        Exprs.accesses(user.value()).filter(access -> access.tensor() == producer.tensor()).distinct().toList();
    boolean inIndex = Exprs.accesses(user.value())
        .anyMatch(access -> access.indices().stream().anyMatch(index -> Exprs.reads(index, producer.tensor())));
    return !Exprs.hasReduction(user.value()) && accesses.size() == 1 && !inIndex
        && isPermutation(accesses.getFirst(), user.ranks());
  }

  /// Whether the indices of `access` are just the ranks, each once, in any order.
  private static boolean isPermutation(Expr.Access access, List<Rank> ranks) {
    Set<Rank> seen = Exprs.identitySet();
    boolean bare = access.indices().stream()
        .allMatch(index -> index instanceof Expr.Coordinate(Rank rank) && seen.add(rank));
    return bare && access.outside().isEmpty() && seen.size() == ranks.size();
  }

  private static Expr fuse(Expr node, Einsum producer) {
    if (!(node instanceof Expr.Access access) || access.tensor() != producer.tensor()) {
      return node;
    }
    Map<Rank, Expr> values = new IdentityHashMap<>();
    for (int i = 0; i < producer.ranks().size(); i++) {
      values.put(producer.ranks().get(i), access.indices().get(i));
    }
    return Exprs.substitute(producer.value(), values);
  }
}
