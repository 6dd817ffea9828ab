package dev.einfall.tests.programs.oracles;

/// Convolutions of any number of directions, as plain loops over the taps.
final class Convolutions {
  private Convolutions() {}

  /// @param x [batch, channel, positions...]
  /// @param filter [channel out, channel of a group, taps...]
  static Doubles of(Doubles x, Doubles filter, int stride, int padding, int dilation, int groups) {
    int[] shape = x.shape();
    shape[1] = filter.size(0);
    for (int d = 2; d < shape.length; d++) {
      shape[d] = (shape[d] + 2 * padding - dilation * (filter.size(d) - 1) - 1) / stride + 1;
    }
    return Doubles.of(i -> at(x, filter, i, stride, padding, dilation, groups), shape);
  }

  static Doubles of(Doubles x, Doubles filter, int stride, int padding) {
    return of(x, filter, stride, padding, 1, 1);
  }

  private static double at(Doubles x, Doubles filter, int[] i, int stride, int padding, int dilation, int groups) {
    int channels = filter.size(1);
    int group = i[1] / (filter.size(0) / groups);
    int taps = filter.values().length / filter.size(0) / channels;
    double sum = 0;
    for (int c = 0; c < channels; c++) {
      for (int tap = 0; tap < taps; tap++) {
        int[] from = new int[i.length];
        int[] weight = new int[i.length];
        from[0] = i[0];
        from[1] = group * channels + c;
        weight[0] = i[1];
        weight[1] = c;
        int rest = tap;
        boolean isInside = true;
        for (int d = i.length - 1; d >= 2; d--) {
          weight[d] = rest % filter.size(d);
          rest /= filter.size(d);
          from[d] = stride * i[d] + dilation * weight[d] - padding;
          isInside &= from[d] >= 0 && from[d] < x.size(d);
        }
        sum += isInside ? x.get(from) * filter.get(weight) : 0;
      }
    }
    return sum;
  }

  /// Each channel by its own filter [channel, taps...].
  static Doubles depthwise(Doubles x, Doubles filter, int stride, int padding, int dilation) {
    int[] shape = new int[filter.shape().length + 1];
    shape[0] = filter.size(0);
    shape[1] = 1;
    System.arraycopy(filter.shape(), 1, shape, 2, shape.length - 2);
    return of(x, filter.reshape(shape), stride, padding, dilation, filter.size(0));
  }

  /// A product over the channels of images.
  static Doubles pointwise(Doubles x, Doubles matrix) {
    int[] shape = new int[x.shape().length];
    java.util.Arrays.fill(shape, 1);
    shape[0] = matrix.size(0);
    shape[1] = matrix.size(1);
    return of(x, matrix.reshape(shape), 1, 0);
  }

  /// The transposed convolution by its definition: every element adds its filter [channel, channel out, taps...] to the output.
  static Doubles transposed(Doubles x, Doubles filter, int stride, int padding) {
    int directions = x.shape().length - 2;
    int[] shape = x.shape();
    shape[1] = filter.size(1);
    for (int d = 2; d < shape.length; d++) {
      shape[d] = (shape[d] - 1) * stride + filter.size(d) - 2 * padding;
    }
    Doubles y = Doubles.zeros(shape);
    Doubles.of(i -> {
      Doubles.of(f -> {
        int[] to = new int[shape.length];
        to[0] = i[0];
        to[1] = f[1];
        boolean isInside = f[0] == i[1];
        for (int d = 2; d < 2 + directions; d++) {
          to[d] = stride * i[d] + f[d] - padding;
          isInside &= to[d] >= 0 && to[d] < shape[d];
        }
        if (isInside) {
          y.add(x.get(i) * filter.get(f), to);
        }
        return 0;
      }, filter.shape());
      return 0;
    }, x.shape());
    return y;
  }
}
