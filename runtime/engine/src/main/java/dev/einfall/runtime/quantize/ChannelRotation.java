package dev.einfall.runtime.quantize;

import dev.einfall.frontend.weights.StoredTensor;
import dev.einfall.ir.BinaryOp;
import dev.einfall.ir.ElementType;
import dev.einfall.ir.Size;
import dev.einfall.ir.cascade.Expr;
import dev.einfall.ir.cascade.Rank;
import dev.einfall.ir.cascade.Reduction;
import dev.einfall.ir.cascade.Tensor;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.stream.IntStream;

/// Blocks of columns times an orthogonal matrix, whose rows are those of Hadamard's with random signs (QuIP#, Tseng et al., 2024):
/// `X_blocks[m, b, j] = sum[i](X[m, b * size + i] * rotation[i, j])`.
///
/// @param size of a block, a power of two
/// @param matrix by rows
record ChannelRotation(int size, float[] matrix) implements ChannelMap {
  private static final long SEED = 1;

  /// That of blocks of this size.
  static ChannelRotation of(int size) {
    SplittableRandom random = new SplittableRandom(SEED);
    int[] signs = IntStream.range(0, size).map(_ -> random.nextBoolean() ? 1 : -1).toArray();
    float[] matrix = new float[size * size];
    float unit = (float) (1 / Math.sqrt(size));
    for (int i = 0; i < matrix.length; i++) {
      boolean isNegative = Integer.bitCount(i / size & i % size) % 2 == 1;
      matrix[i] = (isNegative ? -unit : unit) * signs[i / size];
    }
    return new ChannelRotation(size, matrix);
  }

  /// The largest size of blocks that divides `length`, up to `largest`.
  static int size(int length, int largest) {
    return Math.min(Integer.lowestOneBit(length), largest);
  }

  @Override
  public float[] weights(float[] rows) {
    double[] rotated = Matrix.widened(rows);
    rotate(rotated, false);
    float[] floats = new float[rotated.length];
    IntStream.range(0, floats.length).forEach(i -> floats[i] = (float) rotated[i]);
    return floats;
  }

  private void rotate(double[] rows, boolean back) {
    IntStream.range(0, rows.length / size).parallel().forEach(block -> {
      double[] sums = new double[size];
      for (int j = 0; j < size; j++) {
        for (int i = 0; i < size; i++) {
          sums[j] += rows[block * size + i] * (back ? matrix[j * size + i] : matrix[i * size + j]);
        }
      }
      System.arraycopy(sums, 0, rows, block * size, size);
    });
  }

  @Override
  public double[] sums(double[] sums) {
    int length = Math.toIntExact(Math.round(Math.sqrt(sums.length)));
    double[] rotated = sums.clone();
    rotate(rotated, false);
    double[] turned = transposed(rotated, length);
    rotate(turned, false);
    return turned;
  }

  private static double[] transposed(double[] matrix, int length) {
    double[] turned = new double[matrix.length];
    for (int i = 0; i < matrix.length; i++) {
      turned[i % length * length + i / length] = matrix[i];
    }
    return turned;
  }

  @Override
  public void undo(double[] rows, float[] before) {
    rotate(rows, true);
  }

  /// All blocks of a size are rotated alike.
  private String key() {
    return "rotation." + size;
  }

  @Override
  public List<StoredTensor> stored(String key) {
    return List.of(new StoredTensor(key(), ElementType.F32, List.of((long) size, (long) size), MemorySegment.ofArray(matrix.clone())));
  }

  @Override
  public Tensor applied(Tensor input, Owner owner, Additions additions) {
    Tensor rotation = additions.weight(key(), "rotation", ElementType.F32, List.of(size, size));
    List<Rank> all = Additions.ranks(input);
    List<Rank> blocks = new ArrayList<>(all.subList(0, all.size() - 1));
    List<Rank> rows = List.copyOf(blocks);
    Rank block = new Rank("b", Size.of(all.getLast().size().value() / size));
    Rank from = new Rank("i", Size.of(size));
    Rank to = new Rank("j", Size.of(size));
    blocks.addAll(List.of(block, to));
    Expr column = new Expr.Binary(BinaryOp.ADD, new Expr.Binary(BinaryOp.MUL, new Expr.Coordinate(block), Expr.index(size)), new Expr.Coordinate(from));
    Expr product = new Expr.Binary(BinaryOp.MUL, Additions.element(input, rows, column), new Expr.Access(rotation, Additions.coordinates(List.of(from, to))));
    Tensor inBlocks = additions.define(input.name() + "_blocks", blocks, new Expr.Reduce(Reduction.SUM, List.of(from), product));
    List<Rank> ranks = Additions.ranks(input);
    List<Expr> indices = new ArrayList<>(Additions.coordinates(ranks.subList(0, ranks.size() - 1)));
    indices.add(new Expr.Binary(BinaryOp.DIV, new Expr.Coordinate(ranks.getLast()), Expr.index(size)));
    indices.add(new Expr.Binary(BinaryOp.MOD, new Expr.Coordinate(ranks.getLast()), Expr.index(size)));
    return additions.define(input.name() + "_rotated", ranks, new Expr.Access(inBlocks, indices));
  }
}
