package dev.einfall.passes.reduce;

import dev.einfall.ir.cascade.Combination;
import dev.einfall.ir.cascade.Einsum;
import dev.einfall.ir.cascade.Expr;
import dev.einfall.ir.cascade.Rank;
import dev.einfall.ir.cascade.Tensor;
import dev.einfall.passes.cascade.Exprs;
import java.util.List;
import java.util.Set;

/// Reductions over one rank that depend on each other, to be computed in one pass over it. All members speak of the same ranks: a
/// rank of one that indexes another is the other's rank.
///
/// @param rank the rank that all members reduce
/// @param members in the order of the cascade
/// @param absorbed tensors that nobody else reads: they are computed where the members need them
/// @param ranks the ranks of all members, but for those reduced, in the order in which they are written
record Chain(Rank rank, List<Member> members, Set<Tensor> absorbed, List<Rank> ranks) {
  Chain {
    members = List.copyOf(members);
    ranks = List.copyOf(ranks);
  }

  /// One reduction of a chain.
  ///
  /// @param einsum its definition
  /// @param ranks the ranks of its tensor, as the chain names them
  /// @param inner ranks that it reduces beside the chain's
  /// @param bodies what it reduces (more than one for a reduction of tuples), in the chain's ranks, with elementwise producers inlined
  record Member(Einsum einsum, List<Rank> ranks, List<Rank> inner, List<Expr> bodies) {
    Member {
      ranks = List.copyOf(ranks);
      inner = List.copyOf(inner);
      bodies = List.copyOf(bodies);
    }

    Tensor tensor() {
      return einsum.tensor();
    }

    Combination combination() {
      return switch (einsum.value()) {
        case Expr.Reduce reduce -> reduce.reduction();
        case Expr.Fold fold -> fold.combiner();
        case Expr other -> throw new IllegalArgumentException("no reduction: " + other);
      };
    }

    /// The component of a reduction of tuples that the tensor is.
    int component() {
      return einsum.value() instanceof Expr.Fold fold ? fold.component() : 0;
    }

    /// The tensor at the chain's ranks.
    Expr.Access access() {
      return new Expr.Access(tensor(), Exprs.coordinates(ranks));
    }
  }

  /// The ranks that all members have, beside those reduced.
  List<Rank> common() {
    return ranks.stream().filter(rank -> members.stream().allMatch(member -> member.ranks().contains(rank))).toList();
  }

  /// The ranks that members reduce beside the chain's, each once.
  List<Rank> inner() {
    return members.stream().flatMap(member -> member.inner().stream()).distinct().toList();
  }
}
