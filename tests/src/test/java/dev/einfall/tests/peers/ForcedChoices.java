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
import java.util.stream.Collectors;

/// Measures what the cost model chose beside what it did not choose, each forced in turn while everything else stays as it is.
/// Equal decisions, such as those of equal layers, are forced together.
final class ForcedChoices {
  /// Alternatives that the model takes for this many times as slow are not worth a measurement.
  private static final double HOPELESS = 3;
  /// The best by the model of so many kinds are measured, and then more of any kind.
  private static final int MOST_KINDS = 6;
  private static final int MOST_ALTERNATIVES = 8;
  /// A choice is good if the best is not faster than by this factor.
  private static final double GOOD = 1.1;
  private static final String ROW = "%-22s %-34s %-28s %8s %10s %8s%n";

  private final List<Double> ratios = new ArrayList<>();
  private final double seconds;
  private final Predicate<String> isWanted;

  /// A program that is compiled with options, and its inputs.
  interface Compiled {
    Contestant with(Options options) throws Exception;
  }

  /// @param isWanted whether decisions about a subject are measured
  ForcedChoices(double seconds, Predicate<String> isWanted) {
    this.seconds = seconds;
    this.isWanted = isWanted;
    System.out.printf(ROW, "case", "decision", "alternative", "model", "ms", "measured");
  }

  /// Prints the alternatives of each decision that has more than one: how many times as long they take as the chosen one, by the
  /// model and as measured; beside the chosen one, how many times as long as the best it takes.
  void measure(String name, Compiled program, Options options) throws Exception {
    Map<String, Decision> bySubject = new LinkedHashMap<>();
    program.with(options.withDecisions(options.decisions().withListener(decision ->
        bySubject.putIfAbsent(decision.subject(), decision)))).close();
    Map<List<Object>, List<Decision>> equal = bySubject.values().stream().collect(Collectors.groupingBy(
        decision -> List.of(decision.subject().replaceFirst("_[0-9]+$", ""), decision.alternatives()), LinkedHashMap::new, Collectors.toList()));
    for (List<Decision> decisions : equal.values()) {
      List<String> alternatives = promising(decisions.getFirst());
      if (alternatives.size() > 1 && isWanted.test(decisions.getFirst().subject())) {
        measure(name, program, options, decisions, alternatives);
      }
    }
  }

  /// The chosen one, and of the best ones by the model some of each kind: tiles of other rows are of one kind.
  private static List<String> promising(Decision decision) {
    double least = decision.alternatives().stream().mapToDouble(Decision.Alternative::cycles).min().orElse(0);
    List<String> best = decision.alternatives().stream().filter(alternative -> alternative.cycles() <= HOPELESS * least)
        .sorted(Comparator.comparingDouble(Decision.Alternative::cycles)).map(Decision.Alternative::name).toList();
    Map<String, String> kinds = new LinkedHashMap<>();
    best.forEach(alternative -> kinds.putIfAbsent(alternative.split(", ")[0], alternative));
    SequencedSet<String> names = new LinkedHashSet<>();
    names.add(decision.chosen());
    kinds.values().stream().limit(MOST_KINDS).forEach(names::add);
    best.stream().limit(MOST_ALTERNATIVES).filter(_ -> names.size() < MOST_ALTERNATIVES).forEach(names::add);
    return List.copyOf(names);
  }

  private void measure(String name, Compiled program, Options options, List<Decision> decisions, List<String> alternatives) throws Exception {
    Map<String, Options> ways = new LinkedHashMap<>();
    for (String alternative : alternatives) {
      Map<String, String> forced = new LinkedHashMap<>();
      decisions.forEach(decision -> forced.put(decision.subject(), alternative));
      ways.put(alternative, options.withDecisions(options.decisions().withForced(forced)));
    }
    String chosen = decisions.getFirst().chosen();
    Alternation times = alternate(program, ways, chosen);
    String best = alternatives.stream().max(Comparator.comparingDouble(other -> times.ratio(chosen, other))).orElseThrow();
    double ratio = times.ratio(chosen, best);
    if (ratio > GOOD) {
      // The largest of many ratios is mostly too large, and the same code compiled anew may be faster: they meet again, the other first.
      Map<String, Options> again = new LinkedHashMap<>();
      List.of(best, chosen).forEach(way -> again.put(way, ways.get(way)));
      ratio = Math.clamp(alternate(program, again, chosen).ratio(chosen, best), 1, ratio);
    }
    print(name, decisions.getFirst(), times, alternatives, ratio);
  }

  /// Measures `program`, compiled in all `ways`.
  private Alternation alternate(Compiled program, Map<String, Options> ways, String kept) throws Exception {
    Map<String, Contestant> contestants = new LinkedHashMap<>();
    try {
      Map<String, Contest.Action> actions = new LinkedHashMap<>();
      for (Map.Entry<String, Options> way : ways.entrySet()) {
        Contestant contestant = program.with(way.getValue());
        contestants.put(way.getKey(), contestant);
        actions.put(way.getKey(), contestant::run);
      }
      return Alternation.measure(actions, kept, seconds);
    } finally {
      contestants.values().forEach(Contestant::close);
    }
  }

  private void print(String name, Decision decision, Alternation times, List<String> alternatives, double ratio) {
    String chosen = decision.chosen();
    Map<String, Double> costs = decision.alternatives().stream()
        .collect(Collectors.toMap(Decision.Alternative::name, Decision.Alternative::cycles));
    ratios.add(ratio);
    System.out.printf(ROW, name, decision.subject(), chosen, "", "%.3f".formatted(times.millis(chosen)),
        "%.2f%s".formatted(ratio, ratio > GOOD ? " !" : ""));
    for (String alternative : alternatives.subList(1, alternatives.size())) {
      System.out.printf(ROW, "", "", alternative, "%.2f".formatted(costs.get(alternative) / costs.get(chosen)),
          "%.3f".formatted(times.millis(alternative)), "%.2f".formatted(1 / times.ratio(chosen, alternative)));
    }
  }

  /// Prints how good the choices were.
  void summarize() {
    System.out.printf("%d of %d choices are within %.0f %% of the best; the worst takes %.2f times as long%n",
        ratios.stream().filter(ratio -> ratio <= GOOD).count(), ratios.size(), 100 * (GOOD - 1),
        ratios.stream().mapToDouble(Double::doubleValue).max().orElse(1));
  }
}
