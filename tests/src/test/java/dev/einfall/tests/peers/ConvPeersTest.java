package dev.einfall.tests.peers;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.einfall.runtime.Options;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// The convolutions that are measured beside oneDNN are convolutions, and those of the networks.
class ConvPeersTest {
  private static final float TOLERANCE = 1e-5f;

  @ParameterizedTest
  @CsvSource({"9, 3, 20, 7, 2, false", "7, 16, 33, 1, 1, false", "8, 5, 16, 1, 2, false", "14, 4, 32, 3, 1, false", "5, 17, 9, 3, 2, false",
      "11, 20, 20, 3, 1, true", "8, 35, 35, 3, 2, true"})
  void convolves(int size, int in, int out, int taps, int stride, boolean isDepthwise) throws Exception {
    ConvCase shape = new ConvCase("net", 1, size, in, out, taps, stride, isDepthwise);
    ConvCase.Inputs inputs = shape.inputs();
    float[] expected = convolution(shape, inputs);
    try (Contestant ours = shape.ours(inputs, Options.defaults().withWarmUp(false))) {
      assertArrayEquals(expected, ours.result(), TOLERANCE);
    }
    if (OneDnn.isThere()) {
      try (Contestant theirs = new OneDnnConv(shape, inputs, 1)) {
        assertArrayEquals(expected, theirs.result(), TOLERANCE);
      }
    }
  }

  @Test
  void listsAllLayers() {
    List<ConvCase> all = ConvCases.all();
    assertEquals(53, all.stream().filter(layer -> layer.net().equals("resnet")).mapToInt(ConvCase::count).sum());
    assertEquals(52, all.stream().filter(layer -> layer.net().equals("mobilenet")).mapToInt(ConvCase::count).sum());
    assertEquals(all.size(), all.stream().map(ConvCase::name).distinct().count());
    assertEquals(4.09e9, flops(all, "resnet") / 2, 0.01e9);
    assertEquals(0.30e9, flops(all, "mobilenet") / 2, 0.01e9);
  }

  private static double flops(List<ConvCase> all, String net) {
    return all.stream().filter(layer -> layer.net().equals(net)).mapToDouble(layer -> layer.count() * layer.flops()).sum();
  }

  private static float[] convolution(ConvCase shape, ConvCase.Inputs in) {
    int places = shape.places();
    float[] result = new float[places * places * shape.out()];
    for (int i = 0; i < result.length; i++) {
      int channel = i % shape.out();
      int left = i / shape.out() % places * shape.stride() - shape.padding();
      int top = i / shape.out() / places * shape.stride() - shape.padding();
      double sum = 0;
      for (int tap = 0; tap < shape.taps() * shape.taps(); tap++) {
        int row = top + tap / shape.taps();
        int column = left + tap % shape.taps();
        if (row >= 0 && row < shape.size() && column >= 0 && column < shape.size()) {
          sum += at(shape, in, (row * shape.size() + column) * shape.in(), tap, channel);
        }
      }
      result[i] = (float) sum;
    }
    return result;
  }

  /// What one tap adds to a channel: the pixel starts at `pixel`.
  private static double at(ConvCase shape, ConvCase.Inputs in, int pixel, int tap, int channel) {
    if (shape.isDepthwise()) {
      return (double) in.image()[pixel + channel] * in.filters()[tap * shape.in() + channel];
    }
    double sum = 0;
    for (int c = 0; c < shape.in(); c++) {
      sum += (double) in.image()[pixel + c] * in.filters()[(tap * shape.in() + c) * shape.out() + channel];
    }
    return sum;
  }
}
