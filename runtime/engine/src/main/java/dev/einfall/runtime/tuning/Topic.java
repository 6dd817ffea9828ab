package dev.einfall.runtime.tuning;

import dev.einfall.passes.Decision;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.SequencedSet;

/// Equal decisions of a program, which are made together.
///
/// @param count how many there are
record Topic(Question question, Decision decision, int count) {
  /// Alternatives that the model takes for this many times as slow are not worth a measurement.
  private static final double HOPELESS = 2.5;
  /// The best by the model of so many kinds are measured, and then more of any kind.
  private static final int MOST_KINDS = 5;
  private static final int MOST_ALTERNATIVES = 10;

  /// Those of a program that have something to choose from.
  static List<Topic> of(List<Decision> decisions) {
    Map<Question, Topic> topics = new LinkedHashMap<>();
    for (Decision decision : decisions) {
      if (decision.alternatives().size() > 1) {
        topics.merge(Question.of(decision), new Topic(Question.of(decision), decision, 1),
            (topic, _) -> new Topic(topic.question, topic.decision, topic.count + 1));
      }
    }
    return List.copyOf(topics.values());
  }

  /// What all of them take, by the model.
  double cycles() {
    return count * cycles(decision.chosen());
  }

  double cycles(String alternative) {
    return decision.alternatives().stream().filter(one -> one.name().equals(alternative))
        .mapToDouble(Decision.Alternative::cycles).findFirst().orElseThrow();
  }

  /// What the cost model takes.
  String modelled() {
    return decision.alternatives().stream().min(Comparator.comparingDouble(Decision.Alternative::cycles)).orElseThrow().name();
  }

  /// The alternatives around the model's choice that are worth a measurement, the most promising first: of the best ones some of each
  /// kind, as tiles of other rows are of one kind.
  List<String> candidates() {
    double least = cycles(modelled());
    List<String> best = decision.alternatives().stream().filter(alternative -> alternative.cycles() <= HOPELESS * least)
        .sorted(Comparator.comparingDouble(Decision.Alternative::cycles)).map(Decision.Alternative::name).toList();
    Map<String, String> kinds = new LinkedHashMap<>();
    best.forEach(alternative -> kinds.putIfAbsent(alternative.split(", ")[0], alternative));
    SequencedSet<String> names = new LinkedHashSet<>(kinds.values().stream().limit(MOST_KINDS).toList());
    best.stream().filter(_ -> names.size() <= MOST_ALTERNATIVES).forEach(names::add);
    names.remove(decision.chosen());
    return new ArrayList<>(names).subList(0, Math.min(names.size(), MOST_ALTERNATIVES));
  }
}
