package dev.einfall.tests.programs.oracles;

/// Values between the elements of a tensor.
final class Interpolation {
  private Interpolation() {}

  /// The value of the last two dimensions at a real place, the edges repeated outside.
  static double bilinear(Doubles x, int[] before, double row, double column) {
    int rank = x.shape().length;
    double r = Math.clamp(row, 0, x.size(rank - 2) - 1);
    double c = Math.clamp(column, 0, x.size(rank - 1) - 1);
    int top = (int) r;
    int left = (int) c;
    int bottom = Math.min(top + 1, x.size(rank - 2) - 1);
    int right = Math.min(left + 1, x.size(rank - 1) - 1);
    double u = r - top;
    double v = c - left;
    return (1 - u) * ((1 - v) * at(x, before, top, left) + v * at(x, before, top, right))
        + u * ((1 - v) * at(x, before, bottom, left) + v * at(x, before, bottom, right));
  }

  /// The value of the last two dimensions at a real place, 0 outside.
  static double withZeros(Doubles x, int[] before, double row, double column) {
    int top = (int) Math.floor(row);
    int left = (int) Math.floor(column);
    double sum = 0;
    for (int i = 0; i < 4; i++) {
      int r = top + i / 2;
      int c = left + i % 2;
      double weight = (i / 2 == 0 ? 1 - (row - top) : row - top) * (i % 2 == 0 ? 1 - (column - left) : column - left);
      sum += r < 0 || c < 0 || r >= x.size(x.shape().length - 2) || c >= x.size(x.shape().length - 1) ? 0
          : weight * at(x, before, r, c);
    }
    return sum;
  }

  private static double at(Doubles x, int[] before, int row, int column) {
    int[] index = java.util.Arrays.copyOf(before, before.length + 2);
    index[before.length] = row;
    index[before.length + 1] = column;
    return x.get(index);
  }
}
