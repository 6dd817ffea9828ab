package dev.einfall.tests.programs.oracles;

import static dev.einfall.tests.programs.oracles.PlainLoops.sum;

import java.util.List;

/// The programs in `programs/fourier`, by the definitions of the transforms.
final class FourierOracles {
  private FourierOracles() {}

  static List<OracleCase> cases() {
    return List.of(
        OracleCase.of("fourier/fft").sizes("R=1 N=1").sizes("R=3 N=7").sizes("R=2 N=16").sizes("R=3 N=12").sizes("R=1 N=64")
            .givesAll(FourierOracles::fft),
        OracleCase.of("fourier/fft_two_rounds").sizes("R=1").sizes("R=3").givesAll(in -> List.of(
            Spectra.re(in.of("re"), in.of("im")), Spectra.im(in.of("re"), in.of("im")))),
        OracleCase.of("fourier/rfft").sizes("R=1 N=1").sizes("R=3 N=7").sizes("R=2 N=16").sizes("R=3 N=18")
            .givesAll(FourierOracles::rfft),
        OracleCase.of("fourier/stft").sizes("B=1").sizes("B=3").givesAll(FourierOracles::stft),
        OracleCase.of("fourier/cosine").sizes("R=1 N=1").sizes("R=3 N=7").sizes("R=2 N=16").givesAll(FourierOracles::cosine),
        OracleCase.of("fourier/hadamard").sizes("R=1").sizes("R=17").givesAll(FourierOracles::hadamard),
        OracleCase.of("fourier/fnet").sizes("B=1 L=1 D=1 M=1").sizes("B=2 L=7 D=12 M=9").terms(400).gives(FourierOracles::fnet),
        OracleCase.of("fourier/long_convolution").sizes("R=1 N=1").sizes("R=3 N=17").sizes("R=2 N=31")
            .gives(FourierOracles::hyena),
        OracleCase.of("fourier/toeplitz").sizes("R=1 N=1 K=1").sizes("R=3 N=7 K=17").sizes("R=2 N=8 K=8")
            .givesAll(FourierOracles::toeplitz),
        OracleCase.of("fourier/frequency_mixing").sizes("L=1 C=1").sizes("L=9 C=3").sizes("L=16 C=2")
            .gives(FourierOracles::frequencyMixing),
        OracleCase.of("fourier/relative_attention").sizes("N=1 D=1 M=1 P=1").sizes("N=9 D=3 M=5 P=7")
            .gives(FourierOracles::relativeAttention),
        OracleCase.of("fourier/vectors").sizes("N=1").sizes("N=10").sizes("N=17").givesAll(FourierOracles::vectors));
  }

  private static List<Doubles> fft(Inputs in) {
    Doubles re = Spectra.re(in.of("re"), in.of("im"));
    Doubles im = Spectra.im(in.of("re"), in.of("im"));
    return List.of(re, im, re, im, in.of("re"), in.of("im"));
  }

  private static List<Doubles> rfft(Inputs in) {
    Doubles x = in.of("X");
    Doubles zero = Doubles.zeros(x.shape());
    int bins = x.size(1) / 2 + 1;
    return List.of(Doubles.of(i -> Spectra.transform(x, zero, i[0], i[1], -1).re(), x.size(0), bins),
        Doubles.of(i -> Spectra.transform(x, zero, i[0], i[1], -1).im(), x.size(0), bins), x);
  }

  /// The sound comes back where a window sees it: the window of Hann is 0 at the very first sample.
  private static List<Doubles> stft(Inputs in) {
    Doubles x = in.of("X");
    Doubles frames = Doubles.of(i -> x.get(i[0], 4 * i[1] + i[2]) * Spectra.hann(16, i[2]), x.size(0), 7, 16)
        .reshape(x.size(0) * 7, 16);
    Doubles zero = Doubles.zeros(frames.shape());
    Doubles re = Doubles.of(i -> Spectra.transform(frames, zero, i[0] * 7 + i[1], i[2], -1).re(), x.size(0), 7, 9);
    Doubles im = Doubles.of(i -> Spectra.transform(frames, zero, i[0] * 7 + i[1], i[2], -1).im(), x.size(0), 7, 9);
    return List.of(re, im, Doubles.of(i -> i[1] == 0 ? 0 : x.get(i), x.shape()));
  }

  private static List<Doubles> cosine(Inputs in) {
    Doubles x = in.of("X");
    int n = x.size(1);
    Doubles y = Doubles.of(i -> Math.sqrt((i[1] == 0 ? 1.0 : 2.0) / n)
        * sum(n, k -> x.get(i[0], k) * Math.cos(Math.PI * (2 * k + 1) * i[1] / (2 * n))), x.shape());
    return List.of(y, y, x);
  }

  private static List<Doubles> hadamard(Inputs in) {
    Doubles x = in.of("X");
    return List.of(Doubles.of(i -> sum(32, k -> (Integer.bitCount(k & i[1]) % 2 == 0 ? 1 : -1) * x.get(i[0], k)), x.shape()), x);
  }

  private static Doubles fnet(Inputs in) {
    Doubles x = in.of("X");
    int length = x.size(1);
    int width = x.size(2);
    Doubles h = Doubles.of(i -> x.get(i) + sum(length, t -> sum(width, d -> x.get(i[0], t, d)
        * Math.cos(2 * Math.PI * ((double) t * i[1] / length + (double) d * i[2] / width)))), x.shape());
    return PlainLoops.add(h, PlainLoops.rows(PlainLoops.relu(PlainLoops.rows(h, in.of("W1"))), in.of("W2")));
  }

  private static Doubles hyena(Inputs in) {
    Doubles v = in.of("V");
    return Doubles.of(i -> in.of("gate").get(i) * sum(i[1] + 1, k -> in.of("F").get(k) * v.get(i[0], i[1] - k)), v.shape());
  }

  private static Doubles frequencyMixing(Inputs in) {
    Doubles x = in.of("X");
    int length = x.size(0);
    int block = in.size("C");
    Doubles channels = Doubles.of(i -> x.get(i[1], i[0]), 2 * block, length);
    Doubles zero = Doubles.zeros(channels.shape());
    Doubles re = Spectra.re(channels, zero);
    Doubles im = Spectra.im(channels, zero);
    int[] shape = {2 * block, length / 2 + 1};
    Doubles mixedRe = Doubles.of(i -> Math.max(0, sum(block, c -> {
      int from = i[0] / block * block + c;
      return re.get(from, i[1]) * in.of("WR").get(i[0] / block, c, i[0] % block)
          - im.get(from, i[1]) * in.of("WI").get(i[0] / block, c, i[0] % block);
    })), shape);
    Doubles mixedIm = Doubles.of(i -> Math.max(0, sum(block, c -> {
      int from = i[0] / block * block + c;
      return re.get(from, i[1]) * in.of("WI").get(i[0] / block, c, i[0] % block)
          + im.get(from, i[1]) * in.of("WR").get(i[0] / block, c, i[0] % block);
    })), shape);
    return Doubles.of(i -> Spectra.inverseReal(mixedRe, mixedIm, i[1], length, i[0]), x.shape());
  }

  private static List<Doubles> vectors(Inputs in) {
    int length = in.size("N");
    Doubles re = in.of("re").reshape(1, length);
    Doubles im = in.of("im").reshape(1, length);
    Doubles seen = Spectra.re(re, im);
    Doubles turned = Spectra.im(re, im);
    Doubles filterRe = in.of("filter_re");
    Doubles filterIm = in.of("filter_im");
    Doubles filteredRe = Doubles.of(i -> seen.get(i) * filterRe.get(i[1]) - turned.get(i) * filterIm.get(i[1]), 1, length);
    Doubles filteredIm = Doubles.of(i -> seen.get(i) * filterIm.get(i[1]) + turned.get(i) * filterRe.get(i[1]), 1, length);
    return List.of(Doubles.of(i -> Spectra.transform(filteredRe, filteredIm, 0, i[0], 1).re() / length, length),
        Doubles.of(i -> Spectra.transform(filteredRe, filteredIm, 0, i[0], 1).im() / length, length),
        Doubles.of(i -> Math.hypot(seen.get(0, i[0]), turned.get(0, i[0])), length));
  }

  private static Doubles relativeAttention(Inputs in) {
    int length = in.size("N");
    Doubles weight = Doubles.of(i -> Math.exp(in.of("bias").get(i[0] - i[1] + length - 1)) * sum(in.size("P"),
        p -> feature(in, in.of("Q"), i[0], p) * feature(in, in.of("K"), i[1], p)), length, length);
    return Doubles.of(i -> sum(length, j -> weight.get(i[0], j) * in.of("V").get(j, i[1]))
        / sum(length, j -> weight.get(i[0], j)), length, in.size("M"));
  }

  private static double feature(Inputs in, Doubles x, int row, int feature) {
    return Math.exp(sum(in.size("D"), d -> in.of("omega").get(feature, d) * x.get(row, d) - x.get(row, d) * x.get(row, d) / 2));
  }

  private static List<Doubles> toeplitz(Inputs in) {
    Doubles x = in.of("X");
    int n = x.size(1);
    Doubles toeplitz = Doubles.of(i -> in.of("t").get(i[0] - i[1] + n - 1), in.size("K") - n + 1, n);
    Doubles circle = Doubles.of(i -> in.of("c").get(Math.floorMod(i[0] - i[1], n)), n, n);
    Doubles y = PlainLoops.rows(x, toeplitz);
    Doubles z = PlainLoops.rows(x, circle);
    return List.of(y, y, z, z);
  }
}
