package dev.einfall.tests.programs.oracles;

/// Fourier transforms by their definition.
final class Spectra {
  private Spectra() {}

  /// A complex number.
  record Complex(double re, double im) {}

  /// The sum over n of (re[n] + i im[n]) exp(sign 2 pi i k n / N), of row `row`.
  static Complex transform(Doubles re, Doubles im, int row, int k, int sign) {
    int length = re.size(1);
    double sumRe = 0;
    double sumIm = 0;
    for (int n = 0; n < length; n++) {
      double angle = sign * 2 * Math.PI * ((long) k * n % length) / length;
      sumRe += re.get(row, n) * Math.cos(angle) - im.get(row, n) * Math.sin(angle);
      sumIm += re.get(row, n) * Math.sin(angle) + im.get(row, n) * Math.cos(angle);
    }
    return new Complex(sumRe, sumIm);
  }

  static Doubles re(Doubles re, Doubles im) {
    return Doubles.of(i -> transform(re, im, i[0], i[1], -1).re(), re.shape());
  }

  static Doubles im(Doubles re, Doubles im) {
    return Doubles.of(i -> transform(re, im, i[0], i[1], -1).im(), re.shape());
  }

  /// The real row whose transform begins with `length` / 2 + 1 elements, the others being their conjugates.
  static double inverseReal(Doubles re, Doubles im, int row, int length, int n) {
    double sum = 0;
    for (int k = 0; k < length; k++) {
      int from = k <= length / 2 ? k : length - k;
      double angle = 2 * Math.PI * k * n / length;
      sum += re.get(row, from) * Math.cos(angle) - (k <= length / 2 ? 1 : -1) * im.get(row, from) * Math.sin(angle);
    }
    return sum / length;
  }

  static double hann(int length, int n) {
    return 0.5 - 0.5 * Math.cos(2 * Math.PI * n / length);
  }

  /// Sound out of the frames [batch, frame, length / 2 + 1]: added where they overlap and divided by the squared windows.
  static Doubles overlapped(Doubles re, Doubles im, int length, int hop) {
    int frames = re.size(1);
    int bins = re.size(2);
    Doubles rowsRe = re.reshape(re.size(0) * frames, bins);
    Doubles rowsIm = im.reshape(re.size(0) * frames, bins);
    Doubles sound = Doubles.zeros(re.size(0), (frames - 1) * hop + length);
    Doubles weight = Doubles.zeros(sound.shape());
    Doubles.of(i -> {
      double window = hann(length, i[2]);
      sound.add(window * inverseReal(rowsRe, rowsIm, i[0] * frames + i[1], length, i[2]), i[0], i[1] * hop + i[2]);
      weight.add(window * window, i[0], i[1] * hop + i[2]);
      return 0;
    }, re.size(0), frames, length);
    return PlainLoops.zip(sound, weight, (s, w) -> w > 1e-8 ? s / w : 0);
  }
}
