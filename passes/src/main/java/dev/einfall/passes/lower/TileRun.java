package dev.einfall.passes.lower;

import dev.einfall.ir.cascade.SharedRanks;
import dev.einfall.ir.cascade.Tensor;
import dev.einfall.ir.cascade.Window;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/// The tiles `from` to less than `to` of the last shared rank, which are alike: of each tensor they compute as many coordinates,
/// and leave out as many that lie before it. Tiles at the borders are runs of their own, so that all loops have constant extents.
///
/// @param tile how many points whole tiles have
/// @param width how many these have
/// @param parts what they compute of each tensor
record TileRun(int from, int to, int tile, int width, Map<Tensor, Part> parts) {

  /// The part of a [Window] that lies inside a tensor.
  ///
  /// @param skipped how many coordinates of the window lie before the tensor
  /// @param count how many lie inside
  record Part(Window window, int skipped, int count) {}

  /// All tiles in order.
  static List<TileRun> all(SharedRanks ranks, List<Tensor> tensors, int tile) {
    List<TileRun> runs = new ArrayList<>();
    for (int at = 0; at < Math.ceilDiv(ranks.extent(), tile); at++) {
      TileRun next = at(at, ranks, tensors, tile);
      if (!runs.isEmpty() && runs.getLast().isLike(next)) {
        next = runs.removeLast().until(at + 1);
      }
      runs.add(next);
    }
    return runs;
  }

  private static TileRun at(int at, SharedRanks ranks, List<Tensor> tensors, int tile) {
    int width = Math.min(tile, ranks.extent() - at * tile);
    Map<Tensor, Part> parts = new LinkedHashMap<>();
    for (Tensor tensor : tensors) {
      Window window = ranks.window(tensor);
      long first = window.first((long) at * tile);
      long skipped = Math.max(0, -first);
      long last = Math.min(first + window.extent(width), ranks.isWindowed(tensor) ? size(tensor, ranks) : Long.MAX_VALUE);
      parts.put(tensor, new Part(window, Math.toIntExact(skipped), Math.toIntExact(Math.max(0, last - first - skipped))));
    }
    return new TileRun(at, at + 1, tile, width, parts);
  }

  private static long size(Tensor tensor, SharedRanks ranks) {
    return tensor.shape().get(ranks.dimensions(tensor).getLast()).value();
  }

  /// What they compute of `tensor`.
  Part part(Tensor tensor) {
    return parts.getOrDefault(tensor, new Part(Window.POINT, 0, width));
  }

  private boolean isLike(TileRun other) {
    return width == other.width && parts.equals(other.parts);
  }

  private TileRun until(int end) {
    return new TileRun(from, end, tile, width, parts);
  }

  boolean isSingle() {
    return to - from == 1;
  }
}
