package dev.einfall.runtime.quantize;

import dev.einfall.frontend.weights.StoredTensor;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.SplittableRandom;
import java.util.stream.IntStream;

/// The product of a thin and a flat matrix that is nearest to another matrix: `error[n, k] ~ sum[r](up[n, r] * down[r, k])`, where errors count by what they
/// make in products with the calibration data (SVDQuant, Li et al., 2024; LQER, Zhang et al., 2024).
///
/// @param rank `r`
/// @param up by rows, as an `f16` has them
/// @param down by rows, as an `f16` has them
record LowRank(int rank, double[] up, double[] down) {
  private static final int EXTRA = 8;
  private static final int ROUNDS = 6;
  private static final long SEED = 1;

  static int rank(Policy policy, Target target) {
    return Math.min(policy.rank(), Math.min(target.rows(), target.length()));
  }

  /// @param factor that by which errors count
  static LowRank of(double[] error, int rows, int length, int rank, Optional<Factor> factor) {
    double[] weighted = factor.map(found -> found.times(error, rows)).orElse(error);
    int width = Math.min(rank + EXTRA, Math.min(rows, length));
    double[] basis = basis(weighted, rows, length, width);
    double[] core = transposedTimes(basis, weighted, rows, width, length);
    // The directions of a subspace iteration come in the order of what they carry.
    double[] up = columns(basis, rows, width, rank);
    double[] flat = Arrays.copyOf(core, rank * length);
    double[] down = factor.map(found -> found.divided(flat, rank)).orElse(flat);
    return balanced(up, down, rows, length, rank);
  }

  /// Orthonormal columns that span what `matrix` does most, those that carry most first.
  private static double[] basis(double[] matrix, int rows, int length, int width) {
    SplittableRandom random = new SplittableRandom(SEED);
    double[] start = IntStream.range(0, length * width).mapToDouble(_ -> random.nextGaussian()).toArray();
    double[] columns = times(matrix, start, rows, length, width);
    for (int round = 0; round < ROUNDS; round++) {
      orthonormalize(columns, rows, width);
      double[] back = transposedTimes(columns, matrix, rows, width, length);
      columns = timesTransposed(matrix, back, rows, length, width);
    }
    orthonormalize(columns, rows, width);
    return columns;
  }

  /// Gram and Schmidt's process, twice.
  private static void orthonormalize(double[] columns, int rows, int width) {
    for (int j = 0; j < width; j++) {
      for (int pass = 0; pass < 2; pass++) {
        for (int i = 0; i < j; i++) {
          double dot = 0;
          for (int n = 0; n < rows; n++) {
            dot += columns[n * width + i] * columns[n * width + j];
          }
          for (int n = 0; n < rows; n++) {
            columns[n * width + j] -= dot * columns[n * width + i];
          }
        }
      }
      double norm = 0;
      for (int n = 0; n < rows; n++) {
        norm += columns[n * width + j] * columns[n * width + j];
      }
      double scale = norm > 0 ? 1 / Math.sqrt(norm) : 0;
      for (int n = 0; n < rows; n++) {
        columns[n * width + j] *= scale;
      }
    }
  }

  /// `left * right`, of `[rows, inner]` and `[inner, width]`.
  private static double[] times(double[] left, double[] right, int rows, int inner, int width) {
    double[] product = new double[rows * width];
    IntStream.range(0, rows).parallel().forEach(n -> {
      for (int k = 0; k < inner; k++) {
        double factor = left[n * inner + k];
        for (int j = 0; j < width; j++) {
          product[n * width + j] += factor * right[k * width + j];
        }
      }
    });
    return product;
  }

  /// `transpose(left) * right`, of `[rows, width]` and `[rows, length]`.
  private static double[] transposedTimes(double[] left, double[] right, int rows, int width, int length) {
    double[] product = new double[width * length];
    IntStream.range(0, width).parallel().forEach(j -> {
      for (int n = 0; n < rows; n++) {
        double factor = left[n * width + j];
        for (int k = 0; k < length; k++) {
          product[j * length + k] += factor * right[n * length + k];
        }
      }
    });
    return product;
  }

  /// `left * transpose(right)`, of `[rows, length]` and `[width, length]`.
  private static double[] timesTransposed(double[] left, double[] right, int rows, int length, int width) {
    double[] product = new double[rows * width];
    IntStream.range(0, rows).parallel().forEach(n -> {
      for (int j = 0; j < width; j++) {
        double sum = 0;
        for (int k = 0; k < length; k++) {
          sum += left[n * length + k] * right[j * length + k];
        }
        product[n * width + j] = sum;
      }
    });
    return product;
  }

  private static double[] columns(double[] matrix, int rows, int width, int count) {
    double[] first = new double[rows * count];
    for (int n = 0; n < rows; n++) {
      System.arraycopy(matrix, n * width, first, n * count, count);
    }
    return first;
  }

  /// With factors of like size for each `r`, rounded to what is stored.
  private static LowRank balanced(double[] up, double[] down, int rows, int length, int rank) {
    for (int r = 0; r < rank; r++) {
      int at = r;
      double large = Math.sqrt(IntStream.range(0, length).mapToDouble(k -> down[at * length + k] * down[at * length + k]).sum());
      double scale = large > 0 ? Math.sqrt(large) : 1;
      for (int k = 0; k < length; k++) {
        down[r * length + k] = half(down[r * length + k] / scale);
      }
      for (int n = 0; n < rows; n++) {
        up[n * rank + r] = half(up[n * rank + r] * scale);
      }
    }
    return new LowRank(rank, up, down);
  }

  private static double half(double value) {
    return Float.float16ToFloat(Float.floatToFloat16((float) value));
  }

  /// The product of the two.
  double[] product(int rows, int length) {
    return times(up, down, rows, rank, length);
  }

  /// The two as they are stored for the weight `key`.
  List<StoredTensor> stored(String key, int rows, int length) {
    return List.of(Rounding.halves(key + Rewriting.UP, up, rows, rank), Rounding.halves(key + Rewriting.DOWN, down, rank, length));
  }
}
