package dev.einfall.frontend;

import dev.einfall.ir.cascade.Definition;
import dev.einfall.ir.cascade.Mapping;
import dev.einfall.ir.cascade.Recurrence;
import dev.einfall.ir.cascade.SharedRanks;
import dev.einfall.ir.cascade.Tensor;
import java.util.ArrayList;
import java.util.List;

/// Reads `fuse A B over p by 64`, and checks that the tensors can be computed together.
final class Groups {
  private final Elaboration elaboration;
  private final Diagnostics diagnostics;
  private final Syntax.Directive fusion;

  Groups(Elaboration elaboration, Syntax.Directive fusion) {
    this.elaboration = elaboration;
    this.diagnostics = elaboration.diagnostics();
    this.fusion = fusion;
  }

  /// The group of `members`, what computes the tensors that the directive names.
  Mapping.Group group(List<Definition> members) {
    boolean isRecurrence = members.size() == 1 && members.getFirst() instanceof Recurrence;
    if (members.size() < 2 && !isRecurrence) {
      throw reject("a group has two tensors or more");
    }
    List<Tensor> tensors = members.stream().map(member -> member.tensors().getFirst()).toList();
    for (int i = 0; i < members.size(); i++) {
      checkIsFree(tensors, i);
    }
    checkOrder(tensors, members);
    List<String> shared = fusion.shared().stream().map(Syntax.Name::text).toList();
    new SharedRanks(members, shared).problem().ifPresent(problem -> {
      throw reject(problem);
    });
    return new Mapping.Group(tensors, shared, tile());
  }

  private int tile() {
    long tile = fusion.numbers().isEmpty() ? 1 : fusion.numbers().getFirst();
    if (tile < 1 || tile > Integer.MAX_VALUE) {
      throw reject("a tile has at least 1 element, not " + tile);
    }
    return (int) tile;
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

  /// Members stand in the order of their definitions, and nothing between them needs one and is needed by another.
  private void checkOrder(List<Tensor> tensors, List<Definition> members) {
    List<Tensor> made = members.stream().flatMap(member -> member.tensors().stream()).toList();
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
      if (!isMember && (needsAfter || definition.reads().anyMatch(made::contains))) {
        after.addAll(definition.tensors());
      }
    }
  }
}
