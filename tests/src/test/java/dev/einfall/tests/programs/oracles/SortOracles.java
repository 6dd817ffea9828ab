package dev.einfall.tests.programs.oracles;

import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.stream.IntStream;

/// The programs in `programs/sort`, by the sort of Java.
final class SortOracles {
  private SortOracles() {}

  static List<OracleCase> cases() {
    return List.of(
        rows("sort").sizes("R=1 N=1").givesAll(SortOracles::sort),
        rows("positions").sizes("R=1 N=1").givesAll(SortOracles::positions),
        rows("top_k").givesAll(SortOracles::topK),
        OracleCase.of("sort/radix").sizes("N=1 M=1").sizes("N=17 M=7").sizes("N=100 M=31").fill("X", Fill.below(128))
            .fill("v", Fill.below(128)).givesAll(SortOracles::radix));
  }

  private static OracleCase rows(String program) {
    return OracleCase.of("sort/" + program).sizes("R=3 N=3").sizes("R=2 N=7").sizes("R=7 N=16").sizes("R=3 N=17").sizes("R=1 N=100");
  }

  /// Where the elements of row `row` are in order; equal ones keep theirs.
  private static int[] order(Doubles x, int row, boolean isDescending) {
    Comparator<Integer> order = Comparator.comparingDouble(i -> x.get(row, i));
    return IntStream.range(0, x.size(1)).boxed().sorted(isDescending ? order.reversed() : order).mapToInt(i -> i).toArray();
  }

  private static Doubles ordered(Doubles x, boolean isDescending) {
    return Doubles.of(i -> x.get(i[0], order(x, i[0], isDescending)[i[1]]), x.shape());
  }

  private static List<Doubles> sort(Inputs in) {
    Doubles up = ordered(in.of("X"), false);
    int n = up.size(1);
    return List.of(up, ordered(in.of("X"), true),
        Doubles.of(i -> (up.get(i[0], (n - 1) / 2) + up.get(i[0], n / 2)) / 2, up.size(0)), ordered(in.of("I"), false));
  }

  private static List<Doubles> positions(Inputs in) {
    return List.of(places(in.of("X"), false), places(in.of("X"), true), places(in.of("I"), false));
  }

  private static Doubles places(Doubles x, boolean isDescending) {
    return Doubles.of(i -> order(x, i[0], isDescending)[i[1]], x.shape());
  }

  private static List<Doubles> topK(Inputs in) {
    Doubles x = in.of("X");
    Doubles places = Doubles.of(i -> order(x, i[0], true)[i[1]], x.size(0), 3);
    Doubles values = Doubles.of(i -> x.get(i[0], places.whole(i)), x.size(0), 3);
    return List.of(values, places, values, places);
  }

  private static List<Doubles> radix(Inputs in) {
    double[] sorted = in.of("X").values();
    Arrays.sort(sorted);
    return List.of(Doubles.vector(sorted),
        Doubles.of(i -> Arrays.stream(sorted).filter(x -> x < in.of("v").get(i)).count(), in.size("M")));
  }
}
