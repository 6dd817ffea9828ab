package dev.einfall.ir.cascade;

import dev.einfall.ir.InternalException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/// Checks the mapping of a cascade: nests are for Einsums, one each, and speak of loops that the Einsum's ranks and splits
/// make; groups are made of different Einsums, in order, that can run at one point of the shared ranks after the other.
final class MappingVerifier {
  private final Cascade cascade;
  private final Map<Tensor, Einsum> einsums;

  MappingVerifier(Cascade cascade, Map<Tensor, Einsum> einsums) {
    this.cascade = cascade;
    this.einsums = einsums;
  }

  void run() {
    Set<Tensor> mapped = new LinkedHashSet<>();
    for (Mapping.Nest nest : cascade.mapping().nests()) {
      require(einsums.containsKey(nest.tensor()), nest.tensor() + " is mapped but not defined by an Einsum");
      require(mapped.add(nest.tensor()), nest.tensor() + " is mapped twice");
      check(nest);
    }
    Set<Tensor> grouped = new LinkedHashSet<>();
    for (Mapping.Group group : cascade.mapping().groups()) {
      for (Tensor member : group.members()) {
        require(einsums.containsKey(member), member + " is in a group but not defined by an Einsum");
        require(grouped.add(member), member + " is in two groups, or twice in one");
      }
      check(group);
    }
  }

  private void check(Mapping.Nest nest) {
    Map<String, Integer> loops = new LinkedHashMap<>();
    ranks(einsums.get(nest.tensor())).forEach(rank -> loops.merge(rank.name(), 1, Integer::sum));
    for (Mapping.Split split : nest.splits()) {
      Integer count = loops.remove(split.rank());
      require(count != null && count == 1, "split of " + split.rank() + ", which is not one rank, in " + nest.tensor());
      require(!split.factors().isEmpty() && split.factors().stream().allMatch(factor -> factor > 0),
          "split of " + split.rank() + " by " + split.factors() + " in " + nest.tensor());
      for (int i = split.factors().size(); i >= 0; i--) {
        loops.merge(split.rank() + i, 1, Integer::sum);
      }
    }
    requireLoops(nest.order(), loops, "order", nest);
    requireLoops(nest.bindings().stream().map(Mapping.Bound::loop).toList(), loops, "binding", nest);
  }

  private void requireLoops(List<String> names, Map<String, Integer> loops, String what, Mapping.Nest nest) {
    Set<String> seen = new LinkedHashSet<>();
    for (String name : names) {
      require(loops.getOrDefault(name, 0) == 1, what + " names " + name + ", which is not one loop of " + nest.tensor());
      require(seen.add(name), what + " names " + name + " twice in " + nest.tensor());
    }
  }

  private static List<Rank> ranks(Einsum einsum) {
    List<Rank> ranks = new ArrayList<>(einsum.ranks());
    einsum.value().nodes().forEach(node -> {
      node.bound().stream().filter(rank -> !ranks.contains(rank)).forEach(ranks::add);
    });
    return ranks;
  }

  private void check(Mapping.Group group) {
    require(group.members().size() > 1 && group.shared() >= 0, "a group of " + group.members() + " over " + group.shared());
    Einsum first = einsums.get(group.members().getFirst());
    for (Tensor member : group.members()) {
      Einsum einsum = einsums.get(member);
      require(einsum.ranks().size() >= group.shared(), member + " has fewer than the " + group.shared() + " ranks of its group");
      for (int i = 0; i < group.shared(); i++) {
        require(einsum.ranks().get(i).size().equals(first.ranks().get(i).size()),
            "rank " + i + " of " + member + " differs in size from that of " + first.tensor() + " in its group");
      }
      einsum.value().nodes().forEach(node -> checkAccess(node, einsum, group));
    }
    checkOrder(group);
  }

  /// A member reads another only at the point of the shared ranks that both are at.
  private void checkAccess(Expr node, Einsum einsum, Mapping.Group group) {
    if (!(node instanceof Expr.Access access) || !group.members().contains(access.tensor())) {
      return;
    }
    for (int i = 0; i < group.shared(); i++) {
      boolean atPoint = access.indices().get(i) instanceof Expr.Coordinate(Rank rank) && rank == einsum.ranks().get(i);
      require(atPoint, einsum.tensor() + " reads " + access.tensor() + " of its group at another point of rank " + i);
    }
  }

  /// Members in the order of the cascade, and no Einsum outside both needs a member and is needed by one.
  private void checkOrder(Mapping.Group group) {
    Set<Tensor> after = new LinkedHashSet<>();
    int next = 0;
    for (Definition definition : cascade.definitions()) {
      boolean member = definition instanceof Einsum einsum && group.members().contains(einsum.tensor());
      boolean needsAfter = definition.reads().anyMatch(after::contains);
      if (member) {
        Tensor tensor = definition.tensors().getFirst();
        require(group.members().get(next++) == tensor, group.members() + " are not in the order of the cascade");
        require(!needsAfter, tensor + " needs an Einsum outside its group that needs the group");
      } else if (needsAfter || next > 0 && definition.reads().anyMatch(group.members()::contains)) {
        after.addAll(definition.tensors());
      }
    }
  }

  private void require(boolean holds, String problem) {
    if (!holds) {
      throw new InternalException("cascade " + cascade.name() + ": mapping: " + problem);
    }
  }
}
