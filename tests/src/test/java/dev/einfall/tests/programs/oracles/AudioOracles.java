package dev.einfall.tests.programs.oracles;

import static dev.einfall.tests.programs.oracles.PlainLoops.sigmoid;
import static dev.einfall.tests.programs.oracles.PlainLoops.sum;

import java.util.List;

/// The programs in `programs/audio`.
final class AudioOracles {
  private AudioOracles() {}

  static List<OracleCase> cases() {
    return List.of(
        OracleCase.of("audio/tdnn").sizes("B=1 C=1 N=15 M=1 D=1").sizes("B=2 C=3 N=31 M=9 D=7").gives(AudioOracles::tdnn),
        OracleCase.of("audio/ddsp").sizes("B=1 N=1 K=1").sizes("B=2 N=100 K=7").fill("frequency", Fill.between(500, 3000))
            .terms(1000).gives(AudioOracles::ddsp),
        OracleCase.of("audio/filtered_noise").sizes("B=1").sizes("B=3").gives(AudioOracles::filteredNoise),
        OracleCase.of("audio/wave_rnn").sizes("T=1 D=1 N=1 V=2").sizes("T=17 D=3 N=7 V=9").gives(AudioOracles::waveRnn),
        OracleCase.of("audio/vocos").sizes("B=1 F=1").sizes("B=2 F=7").fill("phase", Fill.between(-3, 3))
            .gives(AudioOracles::vocos),
        OracleCase.of("audio/streaming_attention").sizes("N=1 D=1").sizes("N=17 D=7").gives(AudioOracles::streaming),
        OracleCase.of("audio/emphasis").sizes("B=1 C=1 N=1").sizes("B=3 C=2 N=31").fill("a", Fill.between(0.5, 2))
            .givesAll(AudioOracles::emphasis));
  }

  private static Doubles tdnn(Inputs in) {
    Doubles h = in.of("X");
    for (int layer = 1; layer <= 3; layer++) {
      Doubles y = Convolutions.of(h, in.of("F" + layer), 1, 0, layer, 1);
      Doubles bias = in.of("B" + layer);
      h = Doubles.of(i -> Math.max(y.get(i) + bias.get(i[1]), 0), y.shape());
    }
    Doubles last = h;
    int channels = h.size(1);
    int length = h.size(2);
    Doubles pooled = Doubles.of(i -> {
      int c = i[1] % channels;
      double mean = sum(length, n -> last.get(i[0], c, n)) / length;
      return i[1] < channels ? mean
          : Math.sqrt(sum(length, n -> Math.pow(last.get(i[0], c, n) - mean, 2)) / length + 1e-5);
    }, h.size(0), 2 * channels);
    return PlainLoops.rows(pooled, in.of("W"));
  }

  private static Doubles ddsp(Inputs in) {
    Doubles frequency = in.of("frequency");
    return Doubles.of(i -> {
      double turns = sum(i[1] + 1, n -> frequency.get(i[0], n) / 16000);
      return sum(in.size("K"), k -> frequency.get(i) * (k + 1) < 8000
          ? in.of("amplitudes").get(i[0], i[1], k) * Math.sin(2 * Math.PI * turns * (k + 1)) : 0);
    }, frequency.shape());
  }

  /// Every frame of 8 samples by its own response, which is shifted by half its length.
  private static Doubles filteredNoise(Inputs in) {
    int batch = in.size("B");
    Doubles magnitudes = in.of("magnitudes").reshape(batch * 3, 5);
    Doubles zero = Doubles.zeros(magnitudes.shape());
    Doubles y = Doubles.zeros(batch, 31);
    Doubles.of(i -> {
      double response = Spectra.inverseReal(magnitudes, zero, i[0] * 3 + i[1] / 8, 8, (i[2] + 4) % 8);
      y.add(in.of("noise").get(i[0], i[1]) * response, i[0], i[1] + i[2]);
      return 0;
    }, batch, 24, 8);
    return y;
  }

  private static Doubles waveRnn(Inputs in) {
    int n = in.size("N");
    int values = in.size("V");
    double[] h = new double[n];
    double sample = 0;
    Doubles y = Doubles.zeros(in.size("T"));
    for (int t = 0; t < in.size("T"); t++) {
      double[] input = new double[3 * n];
      double[] state = new double[3 * n];
      for (int g = 0; g < 3 * n; g++) {
        int step = t;
        int gate = g;
        double[] before = h;
        input[g] = in.of("from_sample").get(g) * sample
            + sum(in.size("D"), d -> in.of("from_condition").get(gate, d) * in.of("condition").get(step, d));
        state[g] = sum(n, k -> in.of("U").get(gate, k) * before[k]);
      }
      double[] next = new double[n];
      for (int k = 0; k < n; k++) {
        double update = sigmoid(input[n + k] + state[n + k]);
        next[k] = (1 - update) * Math.tanh(input[2 * n + k] + sigmoid(input[k] + state[k]) * state[2 * n + k]) + update * h[k];
      }
      h = next;
      int best = PlainLoops.argmax(values, v -> sum(n, k -> in.of("out").get(v, k) * next[k]));
      y.set(best, t);
      sample = 2.0 * best / (values - 1) - 1;
    }
    return y;
  }

  private static Doubles vocos(Inputs in) {
    Doubles magnitude = PlainLoops.map(in.of("log_magnitude"), Math::exp);
    Doubles re = PlainLoops.zip(magnitude, in.of("phase"), (m, p) -> m * Math.cos(p));
    Doubles im = PlainLoops.zip(magnitude, in.of("phase"), (m, p) -> m * Math.sin(p));
    return Spectra.overlapped(re, im, 16, 4);
  }

  private static Doubles streaming(Inputs in) {
    int length = in.size("N");
    int width = in.size("D");
    Doubles weight = Doubles.of(i -> i[1] / 4 > i[0] / 4 || i[1] / 4 < i[0] / 4 - 1 ? 0
        : Math.exp(sum(width, d -> in.of("Q").get(i[0], d) * in.of("K").get(i[1], d)) / Math.sqrt(width)), length, length);
    return Doubles.of(i -> sum(length, s -> weight.get(i[0], s) * in.of("V").get(s, i[1]))
        / sum(length, s -> weight.get(i[0], s)), length, width);
  }

  private static List<Doubles> emphasis(Inputs in) {
    Doubles x = in.of("X");
    double k = (float) 0.97;
    return List.of(Doubles.of(i -> x.get(i) - (i[1] == 0 ? 0 : k * x.get(i[0], i[1] - 1)), x.shape()), x,
        Doubles.of(i -> {
          double a = in.of("a").get(i[1]);
          return in.of("S").get(i) + Math.pow(Math.sin(a * in.of("S").get(i)), 2) / a;
        }, in.of("S").shape()));
  }
}
