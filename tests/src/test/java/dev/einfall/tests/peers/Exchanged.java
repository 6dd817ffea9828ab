package dev.einfall.tests.peers;

/// Rows of `depth` numbers by heads and positions, in either order.
final class Exchanged {
  private Exchanged() {}

  /// `[outer, inner, depth]` as `[inner, outer, depth]`.
  static float[] of(float[] values, int outer, int inner, int depth) {
    float[] result = new float[values.length];
    for (int i = 0; i < outer; i++) {
      for (int j = 0; j < inner; j++) {
        System.arraycopy(values, (i * inner + j) * depth, result, (j * outer + i) * depth, depth);
      }
    }
    return result;
  }

  /// A contestant whose result is `[positions, heads, depth]`, as one that gives `[heads, positions, depth]`.
  static Contestant positionsFirst(Contestant contestant, int positions, int heads, int depth) {
    return new Contestant() {
      @Override
      public void run() throws Exception {
        contestant.run();
      }

      @Override
      public float[] result() throws Exception {
        return of(contestant.result(), positions, heads, depth);
      }

      @Override
      public void close() {
        contestant.close();
      }
    };
  }
}
