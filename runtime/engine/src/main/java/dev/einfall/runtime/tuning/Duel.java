package dev.einfall.runtime.tuning;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.IntStream;

/// Measures two forms of one program in many short turns, so that a clock that changes meanwhile changes both. Each launch runs where it
/// stands in the program, on the caches as the launches before leave them; those that the two have in common do not count. A
/// neighbour on the machine makes runs longer and never shorter, so short times count.
///
/// @param kept the nanoseconds of a run in each turn of the one, for what differs
/// @param other those of the other
record Duel(List<Double> kept, List<Double> other) {
  private static final int LEAST_TURNS = 9;
  private static final int MOST_TURNS = 40;
  /// Turns after which one that is far behind need not be known any better.
  private static final int LOOK = 3;
  private static final double FAR_BEHIND = 1.3;
  private static final double TURN_NANOS = 20e6;
  /// How long one takes part, if it has had its turns.
  private static final double ALL_NANOS = 600e6;
  private static final double LEAST_GAIN = 0.02;

  /// Runs both in turn.
  ///
  /// @return empty if they are the same code
  static Optional<Duel> of(Workbench.Sample kept, Workbench.Sample other) {
    Set<String> common = common(kept.launches(), other.launches());
    int[] keptOwn = own(kept.launches(), common);
    int[] otherOwn = own(other.launches(), common);
    return keptOwn.length == 0 && otherOwn.length == 0 ? Optional.empty() : Optional.of(of(kept, keptOwn, other, otherOwn));
  }

  /// The same for all that they do.
  static Duel ofWhole(Workbench.Sample kept, Workbench.Sample other) {
    return of(kept, own(kept.launches(), Set.of()), other, own(other.launches(), Set.of()));
  }

  private static Duel of(Workbench.Sample kept, int[] keptOwn, Workbench.Sample other, int[] otherOwn) {
    Duel duel = new Duel(new ArrayList<>(), new ArrayList<>());
    double spent = 0;
    for (int turn = 0; turn < LEAST_TURNS || spent < ALL_NANOS && turn < MOST_TURNS; turn++) {
      if (turn % 2 == 0) {
        spent += turn(kept, keptOwn, duel.kept);
        turn(other, otherOwn, duel.other);
      } else {
        turn(other, otherOwn, duel.other);
        spent += turn(kept, keptOwn, duel.kept);
      }
      if (turn == LOOK - 1 && quartile(duel.other) > FAR_BEHIND * quartile(duel.kept)) {
        break;
      }
    }
    return duel;
  }

  /// The launches that both have, equally often.
  private static Set<String> common(List<String> kept, List<String> other) {
    Map<String, Integer> counts = new LinkedHashMap<>();
    kept.forEach(launch -> counts.merge(launch, 1, Integer::sum));
    other.forEach(launch -> counts.merge(launch, -1, Integer::sum));
    Set<String> common = new HashSet<>(kept);
    common.removeIf(launch -> counts.get(launch) != 0);
    return common;
  }

  private static int[] own(List<String> launches, Set<String> common) {
    return IntStream.range(0, launches.size()).filter(i -> !common.contains(launches.get(i))).toArray();
  }

  /// Runs one for a moment. The first run is not counted, unless it is long.
  ///
  /// @return how long all launches took
  private static double turn(Workbench.Sample sample, int[] own, List<Double> turns) {
    List<Double> times = new ArrayList<>();
    double all = 0;
    do {
      long[] nanos = sample.run();
      all += IntStream.range(0, nanos.length).mapToDouble(i -> nanos[i]).sum();
      times.add((double) IntStream.of(own).mapToLong(i -> nanos[i]).sum());
    } while (all < TURN_NANOS);
    turns.add(quartile(times.size() == 1 ? times : times.subList(1, times.size())));
    return all;
  }

  /// What was measured.
  Entry.Compared entry(Question question, String keptName, double keptCycles, String otherName, double otherCycles) {
    return new Entry.Compared(question, new Entry.Time(keptName, keptCycles, quartile(kept), spread(kept)),
        new Entry.Time(otherName, otherCycles, quartile(other), spread(other)), kept.size());
  }

  /// Whether the other is better by more than both vary.
  boolean isOtherBetter() {
    return quartile(kept) / quartile(other) - 1 > Math.max(LEAST_GAIN, Math.max(spread(kept), spread(other)));
  }

  private static double quartile(List<Double> values) {
    return at(values, (values.size() - 1) / 4);
  }

  private static double spread(List<Double> values) {
    return at(values, values.size() / 2) / quartile(values) - 1;
  }

  private static double at(List<Double> values, int position) {
    // No clock is finer, and ratios need something.
    return Math.max(1, values.stream().sorted().skip(position).findFirst().orElseThrow());
  }
}
