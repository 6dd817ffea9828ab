package dev.einfall.tests.programs.oracles;

import java.util.List;

/// The programs in `programs/norm`.
final class NormOracles {
  private NormOracles() {}

  static List<OracleCase> cases() {
    return List.of(
        OracleCase.of("norm/rms").sizes("B=3 D=17").sizes("B=1 D=1").gives(NormOracles::rms));
  }

  private static Doubles rms(Inputs in) {
    Doubles x = in.of("X");
    Doubles gamma = in.of("gamma");
    return Doubles.of(i -> {
      double squares = 0;
      for (int d = 0; d < x.size(1); d++) {
        squares += x.get(i[0], d) * x.get(i[0], d);
      }
      return x.get(i) / Math.sqrt(squares / x.size(1) + 1e-6) * gamma.get(i[1]);
    }, x.shape());
  }
}
