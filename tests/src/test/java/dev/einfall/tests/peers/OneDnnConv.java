package dev.einfall.tests.peers;

import dev.einfall.ir.ElementType;
import dev.einfall.runtime.Tensor;
import java.lang.foreign.MemorySegment;
import java.util.Map;

/// A convolution in oneDNN. All tensors are in the layouts that it asks for, and were converted to these before.
final class OneDnnConv implements Contestant {
  private final NativeLibrary.Call threads;
  private final OneDnn oneDnn;
  private final Tensor image;
  private final Tensor filters;
  private final Tensor result;
  private final Tensor plainResult;
  private final MemorySegment destination;
  private final MemorySegment layoutOfResult;
  private final NativeLibrary.Call convolution;
  private final NativeLibrary.Call finish;

  OneDnnConv(ConvCase shape, ConvCase.Inputs inputs, int threads) {
    this.threads = OpenMp.threads(threads);
    this.threads.make();
    oneDnn = new OneDnn();
    long in = shape.in();
    long out = shape.out();
    long taps = shape.taps();
    long places = shape.places();
    MemorySegment source = channelsLast(in, shape.size());
    destination = channelsLast(out, places);
    // In oneDNN's order of dimensions: groups, channels of the result, channels of the image, taps.
    MemorySegment weights = shape.isDepthwise()
        ? oneDnn.strided(new long[] {in, 1, 1, taps, taps}, new long[] {1, 1, 1, taps * in, in})
        : oneDnn.strided(new long[] {out, in, taps, taps}, new long[] {1, out, taps * in * out, in * out});
    MemorySegment description = oneDnn.convolution(oneDnn.any(1, in, shape.size(), shape.size()),
        shape.isDepthwise() ? oneDnn.any(in, 1, 1, taps, taps) : oneDnn.any(out, in, taps, taps),
        oneDnn.any(1, out, places, places), shape.stride(), shape.padding());
    MemorySegment layoutOfImage = oneDnn.sourceOf(description);
    MemorySegment layoutOfFilters = oneDnn.weightsOf(description);
    layoutOfResult = oneDnn.destinationOf(description);
    image = reordered(inputs.image(), source, layoutOfImage);
    filters = reordered(inputs.filters(), weights, layoutOfFilters);
    result = Tensor.zeros(ElementType.U8, oneDnn.bytes(layoutOfResult));
    plainResult = Tensor.zeros(ElementType.F32, places, places, out);
    convolution = oneDnn.execution(description, Map.of(OneDnn.SOURCE, oneDnn.tensor(layoutOfImage, image.data()),
        OneDnn.WEIGHTS, oneDnn.tensor(layoutOfFilters, filters.data()), OneDnn.DESTINATION, oneDnn.tensor(layoutOfResult, result.data())));
    finish = oneDnn.finish();
  }

  /// The layout of a square image in which the channels of a pixel are side by side.
  private MemorySegment channelsLast(long channels, long size) {
    return oneDnn.strided(new long[] {1, channels, size, size}, new long[] {size * size * channels, 1, size * channels, channels});
  }

  private Tensor reordered(float[] values, MemorySegment layout, MemorySegment newLayout) {
    try (Tensor given = Tensor.of(values, values.length)) {
      Tensor reordered = Tensor.zeros(ElementType.U8, oneDnn.bytes(newLayout));
      oneDnn.reorder(layout, oneDnn.tensor(layout, given.data()), newLayout, oneDnn.tensor(newLayout, reordered.data()));
      return reordered;
    }
  }

  @Override
  public void run() {
    threads.make();
    convolution.make();
    finish.make();
  }

  @Override
  public float[] result() {
    run();
    oneDnn.reorder(layoutOfResult, oneDnn.tensor(layoutOfResult, result.data()), destination, oneDnn.tensor(destination, plainResult.data()));
    return plainResult.floats();
  }

  @Override
  public void close() {
    oneDnn.close();
    image.close();
    filters.close();
    result.close();
    plainResult.close();
  }
}
