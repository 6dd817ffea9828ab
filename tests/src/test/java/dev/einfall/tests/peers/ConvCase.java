package dev.einfall.tests.peers;

import dev.einfall.frontend.weights.WeightsFile;
import dev.einfall.runtime.Options;
import dev.einfall.runtime.Tensor;
import dev.einfall.tests.MadeWeights;
import java.util.Map;

/// A convolution of one image of `size` x `size` pixels in `f32`, with zeros around it, so that without a stride the result is as large.
///
/// @param net whose layer it is
/// @param count how many of the net's layers are the same
/// @param in the channels of the image
/// @param out the channels of the result
/// @param taps the filter has as many rows and columns
/// @param stride how far the places of two neighbours in the result are apart
/// @param isDepthwise whether each channel has a filter of its own and sees no other
record ConvCase(String net, int count, int size, int in, int out, int taps, int stride, boolean isDepthwise) {

  /// An image of `size` x `size` x `in` numbers, and filters of `taps` x `taps` x `in` x `out`, or x `in` if they are depthwise.
  record Inputs(float[] image, float[] filters) {}

  /// Such as `resnet 3x3/2 56 128-128` or `mobilenet depthwise 3x3 112 32`.
  String name() {
    String kind = taps + "x" + taps + (stride == 1 ? "" : "/" + stride);
    return isDepthwise ? "%s depthwise %s %d %d".formatted(net, kind, size, in) : "%s %s %d %d-%d".formatted(net, kind, size, in, out);
  }

  int padding() {
    return taps / 2;
  }

  /// The rows, and the columns, of the result.
  int places() {
    return (size + 2 * padding() - taps) / stride + 1;
  }

  double flops() {
    return 2.0 * places() * places() * out * taps * taps * (isDepthwise ? 1 : in);
  }

  Inputs inputs() {
    Randoms random = new Randoms(size);
    return new Inputs(random.between(-1, 1, size * size * in), random.between(-0.1, 0.1, taps * taps * in * (isDepthwise ? 1 : out)));
  }

  private String program() {
    return (isDepthwise ? """
        def main(X: f32[N, %1$d, %1$d, %2$d]) -> f32[N, %6$d, %6$d, %3$d] {
          weight F: f32[%4$d, %4$d, %2$d] = "F"
          Y[n, p in 0..%6$d, q in 0..%6$d, c] = sum[r, s](F[r, s, c] * (X[n, %5$d * p + r - %7$d, %5$d * q + s - %7$d, c] or 0))
          return Y
        }
        """ : """
        def main(X: f32[N, %1$d, %1$d, %2$d]) -> f32[N, %6$d, %6$d, %3$d] {
          weight F: f32[%4$d, %4$d, %2$d, %3$d] = "F"
          Y[n, p in 0..%6$d, q in 0..%6$d, m] = sum[r, s, c](F[r, s, c, m] * (X[n, %5$d * p + r - %7$d, %5$d * q + s - %7$d, c] or 0))
          return Y
        }
        """).formatted(size, in, out, taps, stride, places(), padding());
  }

  /// The convolution in Einfall, with the channels of a pixel side by side.
  Contestant ours(Inputs inputs, Options options) {
    WeightsFile weights = isDepthwise ? new MadeWeights().with("F", inputs.filters, taps, taps, in)
        : new MadeWeights().with("F", inputs.filters, taps, taps, in, out);
    return new EinfallContestant(program(), Map.of("X", Tensor.of(inputs.image, 1, size, size, in)), options.withWeights(weights));
  }
}
