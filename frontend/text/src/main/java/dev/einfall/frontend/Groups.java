package dev.einfall.frontend;

import dev.einfall.ir.cascade.Definition;
import dev.einfall.ir.cascade.Einsum;
import dev.einfall.ir.cascade.Expr;
import dev.einfall.ir.cascade.Mapping;
import dev.einfall.ir.cascade.Rank;
import dev.einfall.ir.cascade.Tensor;
import java.util.ArrayList;
import java.util.List;

/// Reads `fuse A B over 1`, and checks that the tensors can be computed together.
final class Groups {
  private final Elaboration elaboration;
  private final Diagnostics diagnostics;
  private final Syntax.Directive fusion;
  private final int shared;

  Groups(Elaboration elaboration, Syntax.Directive fusion) {
    this.elaboration = elaboration;
    this.diagnostics = elaboration.diagnostics();
    this.fusion = fusion;
    this.shared = (int) Math.min(Integer.MAX_VALUE, fusion.numbers().getFirst());
  }

  /// The group of `members`, the tensors that the directive names.
  Mapping.Group group(List<Einsum> members) {
    if (members.size() < 2) {
      throw reject("a group has two tensors or more");
    }
    List<Tensor> tensors = members.stream().map(Einsum::tensor).toList();
    for (int i = 0; i < members.size(); i++) {
      checkIsFree(tensors, i);
      checkShape(members.getFirst(), members.get(i));
      checkReads(members.get(i), tensors);
    }
    checkOrder(tensors);
    return new Mapping.Group(tensors, shared);
  }

  private Diagnostics.Rejection reject(String message) {
    return diagnostics.reject(fusion.span(), message);
  }

  private void checkIsFree(List<Tensor> tensors, int position) {
    Syntax.Name name = fusion.names().get(position);
    if (tensors.indexOf(tensors.get(position)) < position) {
      throw diagnostics.reject(name.span(), "`" + name.text() + "` is named twice");
    }
    if (elaboration.mapping().group(tensors.get(position)).isPresent()) {
      throw diagnostics.reject(name.span(), "`" + name.text() + "` is in another group already");
    }
  }

  private void checkShape(Einsum first, Einsum member) {
    int least = Math.min(first.ranks().size(), member.ranks().size());
    if (shared > least) {
      throw reject("these tensors share at most " + Accesses.dimensions(least) + ", not " + shared);
    }
    for (int i = 0; i < shared; i++) {
      if (!first.ranks().get(i).size().equals(member.ranks().get(i).size())) {
        throw reject("dimension " + i + " of `" + first.tensor().name() + "` and of `" + member.tensor().name()
            + "` differ in size: " + first.ranks().get(i).size() + " and " + member.ranks().get(i).size());
      }
    }
  }

  private void checkReads(Einsum member, List<Tensor> tensors) {
    List<Expr.Access> accesses = new ArrayList<>();
    member.value().nodes().forEach(node -> {
      if (node instanceof Expr.Access access && tensors.contains(access.tensor())) {
        accesses.add(access);
      }
    });
    for (Expr.Access access : accesses) {
      for (int i = 0; i < shared; i++) {
        boolean isHere = access.indices().get(i) instanceof Expr.Coordinate(Rank rank) && rank == member.ranks().get(i);
        if (!isHere) {
          throw reject("`" + member.tensor().name() + "` reads `" + access.tensor().name()
              + "` at other places of dimension " + i + " than its own, so they do not share it");
        }
      }
    }
  }

  /// Members stand in the order of their definitions, and nothing between them needs one and is needed by another.
  private void checkOrder(List<Tensor> tensors) {
    List<Tensor> after = new ArrayList<>();
    int next = 0;
    for (Definition definition : elaboration.definitions()) {
      Tensor tensor = definition.tensors().getFirst();
      boolean isMember = next < tensors.size() && tensors.contains(tensor);
      boolean needsAfter = definition.reads().anyMatch(after::contains);
      if (isMember && tensors.get(next++) != tensor) {
        throw reject("`fuse` names tensors in the order in which they are defined");
      }
      if (isMember && needsAfter) {
        throw reject("`" + tensor.name() + "` needs a tensor outside of the group that needs the group");
      }
      if (!isMember && (needsAfter || definition.reads().anyMatch(tensors::contains))) {
        after.addAll(definition.tensors());
      }
    }
  }
}
