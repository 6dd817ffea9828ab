package dev.einfall.passes.reduce;

import dev.einfall.ir.cascade.Einsum;
import dev.einfall.ir.cascade.Expr;
import dev.einfall.ir.cascade.Rank;
import dev.einfall.ir.cascade.Tensor;
import dev.einfall.passes.cascade.Exprs;
import java.util.ArrayList;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/// What a chain reads and does not compute, and by which of its ranks. That follows from the terms of its members, with what they
/// absorb put in: two ranks of one size are two ranks.
final class ChainReads {
  private final Ancestry ancestry;
  private final Chain chain;
  private final Map<Tensor, Set<Rank>> ranks = new IdentityHashMap<>();
  private final List<Tensor> tensors = new ArrayList<>();

  ChainReads(Ancestry ancestry, Chain chain) {
    this.ancestry = ancestry;
    this.chain = chain;
    chain.members().stream().flatMap(member -> member.bodies().stream()).forEach(this::read);
  }

  private void read(Expr body) {
    Exprs.accesses(body).distinct().forEach(access -> {
      Optional<Einsum> absorbed = chain.absorbed().contains(access.tensor()) ? ancestry.einsum(access.tensor()) : Optional.empty();
      if (absorbed.isPresent()) {
        read(Exprs.substitute(absorbed.get().value(), Deferral.renamed(absorbed.get().ranks(), access.indices())));
      } else if (chain.members().stream().noneMatch(member -> member.tensor() == access.tensor())) {
        if (!ranks.containsKey(access.tensor())) {
          tensors.add(access.tensor());
        }
        ranks.computeIfAbsent(access.tensor(), _ -> Exprs.identitySet()).addAll(Exprs.freeRanks(access));
      }
    });
  }

  /// The tensors that are read at other places for other elements of the chain's rank.
  List<Tensor> along() {
    return tensors.stream().filter(tensor -> ranks.get(tensor).contains(chain.rank())).toList();
  }

  /// How many rows read elements of `tensor` of their own.
  double rows(Tensor tensor) {
    return Exprs.volume(chain.common().stream().filter(ranks.get(tensor)::contains).toList());
  }
}
