package dev.einfall.ir.cascade;

import java.util.ArrayList;
import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/// What a point of one shared rank needs of each member of a group. What no member reads is needed at the point itself, so it has
/// as many points as the group; of what members read, the others tell.
final class SharedWindows {
  private final List<GroupWriter> writers;
  private final Rank[] ranks;
  private final Map<Tensor, Integer> dimensions;
  /// What members read of others.
  private final Set<Tensor> read;
  private final Map<Tensor, Long> strides = new IdentityHashMap<>();

  /// @param ranks of each writer
  /// @param dimensions of each tensor along the shared rank
  SharedWindows(List<GroupWriter> writers, Rank[] ranks, Map<Tensor, Integer> dimensions) {
    this.writers = writers;
    this.ranks = ranks;
    this.dimensions = dimensions;
    this.read = Collections.newSetFromMap(new IdentityHashMap<>());
    for (GroupWriter writer : writers) {
      writer.reads(dimensions).map(Expr.Access::tensor).filter(tensor -> !writer.definition().tensors().contains(tensor)).forEach(read::add);
    }
  }

  /// The rank of the first member that is computed at each point of the group just once.
  Rank whole() {
    int writer = 0;
    while (!isWhole(writer)) {
      writer++;
    }
    return ranks[writer];
  }

  /// Whether the writer is computed at the points of the group just once: no other member needs more of it.
  boolean isWhole(int writer) {
    return !writers.get(writer).isEinsum() || !read.contains(writers.get(writer).tensor());
  }

  /// Why there are no windows: some tensor is needed by one at every other place than by another.
  Optional<String> problem() {
    for (int i = writers.size() - 1; i >= 0; i--) {
      // Nothing later may read it where members stand in a wrong order, about which others complain.
      long own = isWhole(i) ? 1 : strides.getOrDefault(writers.get(i).tensor(), 1L);
      for (Expr.Access access : reads(i)) {
        long stride = own * index(access, i).factor();
        Long other = strides.putIfAbsent(access.tensor(), stride);
        if (other != null && other != stride) {
          return Optional.of("`" + access.tensor().name() + "` is needed at every " + place(other) + " of its places and at every "
              + place(stride) + " in the same kernel");
        }
      }
    }
    return Optional.empty();
  }

  private static String place(long stride) {
    return stride == 1 ? "one" : stride + (stride == 2 ? "nd" : stride == 3 ? "rd" : "th");
  }

  /// Whether some tensor is needed at other places than the point itself, or has others.
  boolean move() {
    Rank whole = whole();
    for (int i = 0; i < ranks.length; i++) {
      int writer = i;
      if (!ranks[i].size().equals(whole.size()) || reads(i).stream().anyMatch(access -> !index(access, writer).isPoint())) {
        return true;
      }
    }
    return false;
  }

  /// What a point needs of each tensor.
  Map<Tensor, Window> all() {
    Map<Tensor, Window> windows = new IdentityHashMap<>();
    for (int i = writers.size() - 1; i >= 0; i--) {
      GroupWriter writer = writers.get(i);
      if (isWhole(i)) {
        windows.put(writer.tensor(), Window.POINT);
      }
      Window own = windows.get(writer.tensor());
      for (Expr.Access access : reads(i)) {
        MovingIndex index = index(access, i);
        windows.merge(access.tensor(), own.reading(index.factor(), index.from().value(), index.to().value()), Window::or);
      }
    }
    return windows;
  }

  private MovingIndex index(Expr.Access access, int writer) {
    return MovingIndex.of(access.indices().get(dimensions.get(access.tensor())), ranks[writer]).orElseThrow();
  }

  /// What the writer reads of the Einsums of the group.
  private List<Expr.Access> reads(int writer) {
    List<Expr.Access> reads = new ArrayList<>();
    writers.get(writer).reads(dimensions)
        .filter(access -> writers.stream().anyMatch(other -> other.tensor() == access.tensor() && other.isEinsum()))
        .forEach(reads::add);
    return reads;
  }
}
