package dev.einfall.tests.peers;

import dev.einfall.passes.Decision;
import dev.einfall.runtime.Options;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.SequencedSet;
import java.util.function.Predicate;

/// Measures what the cost model chose beside what it did not choose, each forced in turn while everything else stays as it is.
final class ForcedChoices {
  /// Alternatives that the model takes for this many times as slow are not worth a measurement.
  private static final double HOPELESS = 3;
  private static final int MOST_ALTERNATIVES = 6;
  /// A choice is good if the best is not faster than by this factor.
  private static final double GOOD = 1.1;
  private static final String ROW = "%-22s %-34s %-26s %10s %-26s %10s %8s%n";

  private final List<Double> ratios = new ArrayList<>();
  private final double seconds;
  private final Predicate<String> isWanted;

  /// A program that is compiled with options, and its inputs.
  interface Compiled {
    Contestant with(Options options) throws Exception;
  }

  ForcedChoices(double seconds) {
    this(seconds, _ -> true);
  }

  /// @param isWanted whether decisions about a subject are measured
  ForcedChoices(double seconds, Predicate<String> isWanted) {
    this.seconds = seconds;
    this.isWanted = isWanted;
    System.out.printf(ROW, "case", "decision", "chosen", "ms", "best", "ms", "chosen/best");
  }

  /// Prints a line for each decision with more than one alternative.
  void measure(String name, Compiled program, Options options) throws Exception {
    Map<String, Decision> decisions = new LinkedHashMap<>();
    program.with(options.withDecisions(options.decisions().withListener(decision ->
        decisions.putIfAbsent(decision.subject(), decision)))).close();
    for (Decision decision : decisions.values()) {
      List<String> alternatives = promising(decision);
      if (alternatives.size() > 1 && isWanted.test(decision.subject())) {
        measure(name, program, options, decision, alternatives);
      }
    }
  }

  /// The chosen one, and the best ones by the model.
  private static List<String> promising(Decision decision) {
    double least = decision.alternatives().stream().mapToDouble(Decision.Alternative::cycles).min().orElse(0);
    SequencedSet<String> names = new LinkedHashSet<>();
    names.add(decision.chosen());
    decision.alternatives().stream().filter(alternative -> alternative.cycles() <= HOPELESS * least)
        .sorted(Comparator.comparingDouble(Decision.Alternative::cycles)).limit(MOST_ALTERNATIVES)
        .forEach(alternative -> names.add(alternative.name()));
    return List.copyOf(names);
  }

  private void measure(String name, Compiled program, Options options, Decision decision, List<String> alternatives) throws Exception {
    Map<String, Contestant> contestants = new LinkedHashMap<>();
    try {
      Map<String, Contest.Action> ways = new LinkedHashMap<>();
      for (String alternative : alternatives) {
        Contestant contestant =
            program.with(options.withDecisions(options.decisions().withForced(Map.of(decision.subject(), alternative))));
        contestants.put(alternative, contestant);
        ways.put(alternative, contestant::run);
      }
      print(name, decision, Contest.measure(ways, seconds), alternatives);
    } finally {
      contestants.values().forEach(Contestant::close);
    }
  }

  private void print(String name, Decision decision, Contest times, List<String> alternatives) {
    String best = alternatives.stream().min(Comparator.comparingDouble(times::millis)).orElseThrow();
    double ratio = times.millis(decision.chosen()) / times.millis(best);
    ratios.add(ratio);
    System.out.printf(ROW, name, decision.subject(), decision.chosen(), "%.3f".formatted(times.millis(decision.chosen())),
        best, "%.3f".formatted(times.millis(best)), "%.2f%s".formatted(ratio, ratio > GOOD ? " !" : ""));
  }

  /// Prints how good the choices were.
  void summarize() {
    System.out.printf("%d of %d choices are within %.0f %% of the best; the worst takes %.2f times as long%n",
        ratios.stream().filter(ratio -> ratio <= GOOD).count(), ratios.size(), 100 * (GOOD - 1),
        ratios.stream().mapToDouble(Double::doubleValue).max().orElse(1));
  }
}
