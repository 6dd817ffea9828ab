package dev.einfall.tests.random;

import dev.einfall.ir.Size;
import dev.einfall.ir.cascade.Rank;
import dev.einfall.ir.cascade.Tensor;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Predicate;

/// What the value of one definition may be made of: tensors and ranks.
final class Scope {
  private static final int DEEPEST_REDUCTION = 2;

  private final Draft draft;
  private final List<Tensor> tensors;
  private final List<Rank> ranks;
  private long points;
  private int reductions;

  /// @param tensors what may be read
  /// @param ranks those of the tensor to define
  Scope(Draft draft, List<Tensor> tensors, List<Rank> ranks) {
    this.draft = draft;
    this.tensors = List.copyOf(tensors);
    this.ranks = new ArrayList<>(ranks);
    this.points = draft.points(ranks.stream().map(Rank::size).toList());
  }

  Draft draft() {
    return draft;
  }

  Chance chance() {
    return draft.chance();
  }

  /// The ranks in scope, those of the innermost reduction last.
  List<Rank> ranks() {
    return ranks;
  }

  Optional<Tensor> pick(Predicate<Tensor> suitable) {
    return chance().pick(tensors.stream().filter(suitable).toList());
  }

  Size anySize() {
    return pick(tensor -> !tensor.shape().isEmpty()).map(tensor -> chance().any(tensor.shape())).orElseGet(draft::anyName);
  }

  /// Brings ranks of a reduction into scope; none if there are enough points or reductions already.
  List<Rank> enter(int most) {
    List<Rank> entered = new ArrayList<>();
    int count = most > 1 && chance().oneIn(4) ? 2 : 1;
    for (int i = 0; i < count && reductions < DEEPEST_REDUCTION; i++) {
      Size size = anySize();
      if (points * draft.value(size) <= draft.mostPoints()) {
        points *= draft.value(size);
        entered.add(new Rank("r", size));
      }
    }
    reductions += entered.isEmpty() ? 0 : 1;
    ranks.addAll(entered);
    return entered;
  }

  void leave(List<Rank> entered) {
    ranks.removeAll(entered);
    reductions--;
    points /= points(entered);
  }

  long points(List<Rank> over) {
    return draft.points(over.stream().map(Rank::size).toList());
  }
}
