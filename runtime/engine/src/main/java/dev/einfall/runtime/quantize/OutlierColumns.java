package dev.einfall.runtime.quantize;

import dev.einfall.frontend.weights.StoredTensor;
import dev.einfall.ir.BinaryOp;
import dev.einfall.ir.ElementType;
import dev.einfall.ir.Size;
import dev.einfall.ir.cascade.Expr;
import dev.einfall.ir.cascade.Rank;
import dev.einfall.ir.cascade.Tensor;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.stream.IntStream;

/// Columns that stay as they are, in `f16`: they are 0 in what is stored, and in what that is multiplied with (`X_inner[m, k] = X[m, k] * inner[k]`), and have a
/// product of their own: `Y[m, n] = sum[k](X_inner[m, k] * W[n, k]) + sum[o](X[m, columns[o]] * f32(W_outliers[n, o]))`.
///
/// @param columns in order
record OutlierColumns(int length, int[] columns) implements ChannelMap {
  /// The name of the columns themselves, behind the key of their weight.
  static final String OUTLIERS = ".outliers";
  private static final String COLUMNS = ".columns";
  private static final String INNER = ".inner";

  /// So many of the largest; of equally large ones those which come first.
  static OutlierColumns of(double[] sizes, int count) {
    int[] largest = IntStream.range(0, sizes.length).boxed().sorted(Comparator.comparing((Integer i) -> -sizes[i])).limit(count).mapToInt(i -> i).sorted().toArray();
    return new OutlierColumns(sizes.length, largest);
  }

  @Override
  public float[] weights(float[] rows) {
    float[] inner = rows.clone();
    for (int row = 0; row < rows.length; row += length) {
      for (int column : columns) {
        inner[row + column] = 0;
      }
    }
    return inner;
  }

  @Override
  public double[] sums(double[] sums) {
    double[] inner = sums.clone();
    for (int column : columns) {
      for (int i = 0; i < length; i++) {
        inner[column * length + i] = 0;
        inner[i * length + column] = 0;
      }
    }
    return inner;
  }

  @Override
  public void undo(double[] rows, float[] before) {
    for (int row = 0; row < rows.length; row += length) {
      for (int column : columns) {
        rows[row + column] = Float.float16ToFloat(Float.floatToFloat16(before[row + column]));
      }
    }
  }

  /// The columns of rows of a weight, as an `f16` has them.
  double[] of(float[] rows) {
    int count = columns.length;
    return IntStream.range(0, rows.length / length * count).mapToDouble(i -> rows[i / count * length + columns[i % count]]).toArray();
  }

  private float[] inner() {
    float[] inner = new float[length];
    Arrays.fill(inner, 1);
    for (int column : columns) {
      inner[column] = 0;
    }
    return inner;
  }

  @Override
  public List<StoredTensor> stored(String key) {
    return List.of(new StoredTensor(key + COLUMNS, ElementType.I32, List.of((long) columns.length), MemorySegment.ofArray(columns.clone())),
        new StoredTensor(key + INNER, ElementType.F32, List.of((long) length), MemorySegment.ofArray(inner())));
  }

  @Override
  public Tensor applied(Tensor input, Owner owner, Additions additions) {
    Tensor inner = additions.weight(owner.key() + INNER, owner.name() + "_within", ElementType.F32, List.of(length));
    List<Rank> ranks = Additions.ranks(input);
    Expr last = new Expr.Coordinate(ranks.getLast());
    Expr element = Additions.element(input, ranks.subList(0, ranks.size() - 1), last);
    return additions.define(input.name() + "_inner", ranks, new Expr.Binary(BinaryOp.MUL, element, new Expr.Access(inner, List.of(last))));
  }

  /// The columns of what is multiplied.
  Tensor taken(Tensor input, Owner owner, Additions additions) {
    Tensor places = additions.weight(owner.key() + COLUMNS, owner.name() + "_columns", ElementType.I32, List.of(columns.length));
    List<Rank> ranks = new ArrayList<>(Additions.ranks(input).subList(0, input.shape().size() - 1));
    List<Rank> rows = List.copyOf(ranks);
    Rank column = new Rank("o", Size.of(columns.length));
    ranks.add(column);
    return additions.define(input.name() + "_outliers", ranks, Additions.element(input, rows, new Expr.Access(places, List.of(new Expr.Coordinate(column)))));
  }
}
