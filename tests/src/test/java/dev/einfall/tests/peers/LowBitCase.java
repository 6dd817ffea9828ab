package dev.einfall.tests.peers;

import dev.einfall.ir.ElementType;
import dev.einfall.runtime.Options;
import dev.einfall.runtime.Tensor;
import dev.einfall.tests.MadeWeights;
import java.lang.foreign.MemorySegment;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.SplittableRandom;

/// A product of an `m` x `k` matrix of `f32` and an `n` x `k` matrix of weights of few bits.
///
/// The numbers of the first matrix are 128ths from -1 to 127/128, so that peers which make bytes of them lose nothing where they do so once for all.
record LowBitCase(LowBitFormat format, int m, int n, int k) {
  /// The middle of bytes without signs.
  static final int MIDDLE = 128;

  String name() {
    return "%s %dx%d m%d".formatted(format.word(), n, k, m);
  }

  double operations() {
    return 2.0 * m * n * k;
  }

  /// The numbers of the first matrix in bytes: [#MIDDLE] is 0.
  byte[] bytes() {
    byte[] bytes = new byte[m * k];
    new SplittableRandom(m).nextBytes(bytes);
    bytes[0] = 0;
    bytes[1] = -1;
    return bytes;
  }

  float[] numbers() {
    byte[] bytes = bytes();
    float[] numbers = new float[bytes.length];
    for (int i = 0; i < numbers.length; i++) {
      numbers[i] = ((bytes[i] & 0xff) - MIDDLE) / (float) MIDDLE;
    }
    return numbers;
  }

  /// All that compute this with `weights`.
  Map<String, Contestant> contestants(LowBitFormat.Encoded weights, int threads, Options options) throws Exception {
    Map<String, Contestant> all = new LinkedHashMap<>();
    all.put(Bout.OURS, format.ours(weights, Tensor.of(numbers(), m, k), n, k, options));
    all.put(LowBitPeers.FLOATS, floats(weights, options));
    all.putAll(OnnxLowBit.all(this, weights, threads));
    if (format == LowBitFormat.INT8_ROWS && OneDnn.isThere()) {
      all.put(LowBitPeers.ONEDNN, oneDnn(weights, threads));
    }
    return all;
  }

  /// The product with weights of `f32`.
  static String floats(int n, int k) {
    return """
        def main(X: f32[M, %1$d]) -> f32[M, %2$d] {
          weight W: f32[%2$d, %1$d] = "W"
          Y[m, n] = sum[k](X[m, k] * W[n, k])
          return Y
        }
        """.formatted(k, n);
  }

  private Contestant floats(LowBitFormat.Encoded weights, Options options) {
    return new EinfallContestant(floats(n, k), Map.of("X", Tensor.of(numbers(), m, k)),
        options.withWeights(new MadeWeights().with("W", weights.decoded())));
  }

  /// oneDNN's product of the bytes. What makes that the product of the numbers is not measured.
  private Contestant oneDnn(LowBitFormat.Encoded weights, int threads) {
    Tensor left = Tensor.zeros(ElementType.U8, m, k);
    left.data().copyFrom(MemorySegment.ofArray(bytes()));
    byte[] code = Stored.bytes(weights.code());
    Tensor right = Tensor.zeros(ElementType.U8, k, n);
    byte[] transposed = new byte[code.length];
    float[] sums = new float[n];
    for (int row = 0; row < n; row++) {
      for (int i = 0; i < k; i++) {
        transposed[i * n + row] = code[row * k + i];
        sums[row] += code[row * k + i];
      }
    }
    right.data().copyFrom(MemorySegment.ofArray(transposed));
    Contestant bytes = OneDnnGemm.ofBytes(new GemmCase(m, n, k, true, false), left, right, threads);
    return new Rescaled(bytes, sums, weights.scale().floats());
  }

  /// A product of bytes whose results become those of numbers.
  private record Rescaled(Contestant bytes, float[] sums, float[] scale) implements Contestant {

    @Override
    public void run() throws Exception {
      bytes.run();
    }

    @Override
    public float[] result() throws Exception {
      float[] values = bytes.result();
      for (int i = 0; i < values.length; i++) {
        int row = i % scale.length;
        values[i] = (values[i] - MIDDLE * sums[row]) * scale[row] / MIDDLE;
      }
      return values;
    }

    @Override
    public void close() {
      bytes.close();
    }
  }
}
