package dev.einfall.tests.programs.oracles;

import static dev.einfall.tests.programs.oracles.PlainLoops.sum;

import java.util.List;

/// The programs in `programs/bits`.
final class BitOracles {
  private BitOracles() {}

  static List<OracleCase> cases() {
    return List.of(
        OracleCase.of("bits/boolean").sizes("M=1 N=1").sizes("M=7 N=17").fill("threshold", Fill.between(-9, 9))
            .givesAll(BitOracles::layers),
        OracleCase.of("bits/bit_planes").sizes("M=1 N=1").sizes("M=7 N=17").fill("W", Fill.below(4)).gives(BitOracles::planes),
        OracleCase.of("bits/few_bits").sizes("M=1 N=1").sizes("M=3 N=70").sizes("M=40 N=33").terms(96).givesAll(BitOracles::fewBits),
        OracleCase.of("bits/hashes").sizes("N=1 W=1").sizes("N=31 W=7").fill("ids", Fill.below(1_000_000_000))
            .fill("words", Fill.between(Integer.MIN_VALUE, Integer.MAX_VALUE)).givesAll(BitOracles::hashes),
        OracleCase.of("bits/modular").sizes("M=1 K=1 N=1").sizes("M=7 K=17 N=9").fill("A", Fill.below(64513))
            .fill("B", Fill.below(64513)).fill("x", Fill.below(17)).fill("root", Fill.values(2)).givesAll(BitOracles::modular));
  }

  private static int sign(double x) {
    return x > 0 ? 1 : -1;
  }

  private static List<Doubles> layers(Inputs in) {
    Doubles hidden = Doubles.of(i -> sum(96, k -> sign(in.of("X").get(i[0], k)) * sign(in.of("W1").get(i[1], k)))
        >= in.of("threshold").get(i[1]) ? 1 : 0, in.size("M"), 64);
    Doubles sums = Doubles.of(i -> sum(64, k -> sign(hidden.get(i[0], k)) * sign(in.of("W2").get(i[1], k))),
        in.size("M"), in.size("N"));
    return List.of(sums, hidden);
  }

  private static Doubles planes(Inputs in) {
    return Doubles.of(i -> sum(64, k -> in.of("X").get(i[0], k) * in.of("W").get(i[1], k)), in.size("M"), in.size("N"));
  }

  private static List<Doubles> fewBits(Inputs in) {
    Doubles x = in.of("X");
    Doubles scale = in.of("T");
    int m = in.size("M");
    int n = in.size("N");
    return List.of(
        Doubles.of(i -> in.of("S").get(i[0], 0) * sum(96, k -> (x.get(i[0], k) >= 0 ? 1 : -1) * (code(in, i[1], k) % 2 == 1 ? 1 : -1) * scale.get(i[1], k / 32)), m, n),
        Doubles.of(i -> in.of("S").get(i[0], 0) * sum(96, k -> Math.clamp(Math.rint(x.get(i[0], k) * 2), -1, 1)
            * (code(in, i[1], k) % 2 - in.of("Z").whole(i[1], k / 32)) * scale.get(i[1], k / 32)), m, n),
        Doubles.of(i -> Math.max(0, 1 + sum(96, k -> Math.clamp(Math.rint(x.get(i[0], k) * 4), -3, 3) * in.of("R").get(i[0], k / 32) * (code(in, i[1], k) / 2))), m, n));
  }

  private static int code(Inputs in, int n, int k) {
    return in.of("C").whole(n, k);
  }

  private static List<Doubles> hashes(Inputs in) {
    Doubles ids = in.of("ids");
    int n = in.size("N");
    return List.of(
        Doubles.of(i -> Math.floorMod(mixed(ids.whole(i[0])), 17), n),
        Doubles.of(i -> {
          int hash = 0;
          for (int k = 0; k < 3; k++) {
            hash += (i[0] < k ? 0 : ids.whole(i[0] - k)) * (k * 73856093 + 19349663);
          }
          return Math.floorMod(hash, 1000);
        }, n),
        Doubles.of(i -> isKnown(in, ids.whole(i[0])) ? 1 : 0, n));
  }

  private static boolean isKnown(Inputs in, int key) {
    for (int h = 0; h < 2; h++) {
      int place = Math.floorMod(mixed(key + h * 374761393), 32 * in.size("W"));
      if ((in.of("words").whole(place / 32) >>> place % 32 & 1) == 0) {
        return false;
      }
    }
    return true;
  }

  private static List<Doubles> modular(Inputs in) {
    Doubles product = Doubles.of(i -> {
      long sum = 0;
      for (int k = 0; k < in.size("K"); k++) {
        sum += (long) in.of("A").whole(i[0], k) * in.of("B").whole(k, i[1]);
      }
      return sum % 64513;
    }, in.size("M"), in.size("N"));
    Doubles transformed = Doubles.of(i -> sum(8, n -> in.of("x").get(n) * (1 << i[0] * n % 8)) % 17, 8);
    return List.of(product, product, transformed);
  }

  /// The finalizer of MurmurHash3.
  private static int mixed(int x) {
    int a = (x ^ x >>> 16) * 0x85ebca6b;
    int b = (a ^ a >>> 13) * 0xc2b2ae35;
    return b ^ b >>> 16;
  }
}
