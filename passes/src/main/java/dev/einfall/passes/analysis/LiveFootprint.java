package dev.einfall.passes.analysis;

import dev.einfall.ir.Size;
import dev.einfall.ir.cascade.Tensor;
import dev.einfall.passes.analysis.PassCount.Count;
import dev.einfall.passes.analysis.PassCount.Traversal;
import java.util.ArrayList;
import java.util.List;

/// The least part of a tensor that has to be at hand at one time, under any mapping that makes no element twice: the whole fiber
/// along a dimension that its readers walk along in several passes, or in a later one than the first, pick from by data, or walk
/// along by two ranks at once; one element along another (a tile of any size, where that is faster).
///
/// A dimension of one pass counts as whole, too, if its walk ends before the last pass along another one begins. Of the rows of
/// `S[p, m]` one is needed where softmax reads it in two passes along `m`: all of them are at the same `p`.
///
/// @param whole for each dimension, whether all of it is needed
public record LiveFootprint(Tensor tensor, List<Boolean> whole) {
  public LiveFootprint {
    whole = List.copyOf(whole);
  }

  /// The least footprint of `tensor`.
  public static LiveFootprint of(Tensor tensor, PassCount passes) {
    List<Count> counts = passes.counts(tensor);
    List<Count> held = counts.stream().filter(LiveFootprint::isHeld).toList();
    List<Boolean> whole = new ArrayList<>();
    for (Count count : counts) {
      whole.add(held.contains(count) || held.stream().anyMatch(other -> !goesOn(count, other)));
    }
    return new LiveFootprint(tensor, whole);
  }

  private static boolean isHeld(Count count) {
    return last(count) > 1 || count.isCrossed() || !count.repeated().isEmpty();
  }

  /// The last pass in which the tensor itself is read along a dimension.
  private static int last(Count count) {
    return count.walks().stream().filter(Traversal::isDirect).mapToInt(Traversal::pass).max().orElse(0);
  }

  /// Whether those who read along `held` in its last pass walk along `count`, too.
  private static boolean goesOn(Count count, Count held) {
    return held.walks().stream().filter(walk -> walk.isDirect() && walk.pass() == last(held))
        .allMatch(walk -> count.walks().stream().anyMatch(other -> other.by() == walk.by()));
  }

  public Size elements() {
    Size elements = Size.of(1);
    for (int i = 0; i < whole.size(); i++) {
      elements = whole.get(i) ? elements.times(tensor.shape().get(i)) : elements;
    }
    return elements;
  }

  public Size bytes() {
    return elements().times(Size.of(tensor.type().bytes()));
  }
}
