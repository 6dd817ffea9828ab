package dev.einfall.runtime.quantize;

import java.util.stream.IntStream;

/// A triangular factor of a matrix of sums of products `H`: `H = R * transpose(R)`, where `R` has nothing below its diagonal.
///
/// @param size of the matrix
/// @param upper `R`, by rows
record Factor(int size, double[] upper) {
  /// What is added to the diagonal, of its mean, so that all can be divided by (GPTQ's `percdamp`).
  private static final double DAMPING = 0.01;

  /// That of `sums`, symmetric and not negative, with a hundredth of the mean of its diagonal added there. A row that was always 0 becomes one of the identity.
  static Factor of(double[] sums, int size) {
    double[] matrix = damped(sums, size);
    double[] upper = new double[size * size];
    double[] column = new double[size];
    for (int j = size - 1; j >= 0; j--) {
      double pivot = Math.sqrt(Math.max(matrix[j * size + j], Double.MIN_NORMAL));
      for (int i = 0; i < j; i++) {
        column[i] = matrix[i * size + j] / pivot;
        upper[i * size + j] = column[i];
      }
      upper[j * size + j] = pivot;
      subtract(matrix, column, j, size);
    }
    return new Factor(size, upper);
  }

  /// `sums` with what makes them positive definite.
  static double[] damped(double[] sums, int size) {
    double[] matrix = sums.clone();
    double mean = IntStream.range(0, size).mapToDouble(i -> matrix[i * size + i]).sum() / size;
    for (int i = 0; i < size; i++) {
      matrix[i * size + i] += matrix[i * size + i] > 0 && mean > 0 ? DAMPING * mean : 1;
    }
    return matrix;
  }

  /// Subtracts the products of any two elements of `column` from the first `count` rows and columns.
  private static void subtract(double[] matrix, double[] column, int count, int size) {
    for (int i = 0; i < count; i++) {
      double factor = column[i];
      int row = i * size;
      for (int l = 0; l < count; l++) {
        matrix[row + l] -= factor * column[l];
      }
    }
  }

  /// The inverse of `R`, by rows, which has nothing below its diagonal either.
  double[] inverse() {
    double[] inverse = new double[size * size];
    for (int i = size - 1; i >= 0; i--) {
      int row = i * size;
      inverse[row + i] = 1;
      for (int k = i + 1; k < size; k++) {
        double factor = upper[row + k];
        int other = k * size;
        for (int j = k; j < size; j++) {
          inverse[row + j] -= factor * inverse[other + j];
        }
      }
      for (int j = i; j < size; j++) {
        inverse[row + j] /= upper[row + i];
      }
    }
    return inverse;
  }

  /// How large what `matrix` makes of the data is: the sum of the squares of its products with it.
  double weigh(double[] matrix, int rows) {
    double[] product = times(matrix, rows);
    double sum = 0;
    for (double element : product) {
      sum += element * element;
    }
    return sum;
  }

  /// `matrix * R`, for a matrix of rows as long as this.
  double[] times(double[] matrix, int rows) {
    double[] product = new double[matrix.length];
    IntStream.range(0, rows).parallel().forEach(row -> {
      for (int k = 0; k < size; k++) {
        double factor = matrix[row * size + k];
        for (int j = k; j < size; j++) {
          product[row * size + j] += factor * upper[k * size + j];
        }
      }
    });
    return product;
  }

  /// The matrix whose product with `R` is `matrix`.
  double[] divided(double[] matrix, int rows) {
    double[] quotient = matrix.clone();
    IntStream.range(0, rows).parallel().forEach(row -> {
      for (int k = 0; k < size; k++) {
        double factor = quotient[row * size + k] / upper[k * size + k];
        quotient[row * size + k] = factor;
        for (int j = k + 1; j < size; j++) {
          quotient[row * size + j] -= factor * upper[k * size + j];
        }
      }
    });
    return quotient;
  }
}
