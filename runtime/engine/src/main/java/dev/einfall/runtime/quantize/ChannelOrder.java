package dev.einfall.runtime.quantize;

import dev.einfall.frontend.weights.StoredTensor;
import dev.einfall.ir.ElementType;
import dev.einfall.ir.cascade.Expr;
import dev.einfall.ir.cascade.Rank;
import dev.einfall.ir.cascade.Tensor;
import java.lang.foreign.MemorySegment;
import java.util.Comparator;
import java.util.List;
import java.util.stream.IntStream;

/// Columns in another order, so that those of like size share groups: `X_ordered[m, k] = X[m, order[k]]`.
///
/// @param order which column comes where
record ChannelOrder(int[] order) implements ChannelMap {
  private static final String ORDER = ".order";

  /// The largest first; of equally large ones that which came first.
  static ChannelOrder by(double[] sizes) {
    return new ChannelOrder(IntStream.range(0, sizes.length).boxed().sorted(Comparator.comparing((Integer i) -> -sizes[i])).mapToInt(i -> i).toArray());
  }

  @Override
  public float[] weights(float[] rows) {
    float[] ordered = new float[rows.length];
    for (int i = 0; i < rows.length; i++) {
      ordered[i] = rows[source(i)];
    }
    return ordered;
  }

  private int source(int place) {
    return place - place % order.length + order[place % order.length];
  }

  @Override
  public double[] sums(double[] sums) {
    double[] ordered = new double[sums.length];
    for (int i = 0; i < sums.length; i++) {
      ordered[i] = sums[order[i / order.length] * order.length + order[i % order.length]];
    }
    return ordered;
  }

  @Override
  public void undo(double[] rows, float[] before) {
    double[] ordered = rows.clone();
    for (int i = 0; i < rows.length; i++) {
      rows[source(i)] = ordered[i];
    }
  }

  @Override
  public List<StoredTensor> stored(String key) {
    return List.of(new StoredTensor(key + ORDER, ElementType.I32, List.of((long) order.length), MemorySegment.ofArray(order.clone())));
  }

  @Override
  public Tensor applied(Tensor input, Owner owner, Additions additions) {
    Tensor places = additions.weight(owner.key() + ORDER, owner.name() + "_order", ElementType.I32, List.of(order.length));
    List<Rank> ranks = Additions.ranks(input);
    Expr place = new Expr.Access(places, List.of(new Expr.Coordinate(ranks.getLast())));
    return additions.define(input.name() + "_ordered", ranks, Additions.element(input, ranks.subList(0, ranks.size() - 1), place));
  }
}
