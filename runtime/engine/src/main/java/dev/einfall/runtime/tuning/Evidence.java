package dev.einfall.runtime.tuning;

import dev.einfall.passes.Decision;
import dev.einfall.passes.Decisions;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/// What is known of the decisions about a program: all that was measured, and which alternatives are better than those of the cost model.
public final class Evidence implements Decisions.Findings {
  private final Map<Question, Entry.Better> better = new LinkedHashMap<>();
  private final Map<Question, Set<String>> settled = new LinkedHashMap<>();
  private final List<Entry.Compared> comparisons = new ArrayList<>();
  private final Set<Question> answered = new LinkedHashSet<>();

  public static Evidence of(List<Entry> entries) {
    Evidence evidence = new Evidence();
    entries.forEach(evidence::add);
    return evidence;
  }

  /// Of several that say what is better, the last counts.
  public void add(Entry entry) {
    Set<String> names = settled.computeIfAbsent(entry.question(), _ -> new LinkedHashSet<>());
    switch (entry) {
      case Entry.Compared compared -> {
        names.add(compared.kept().alternative());
        names.add(compared.other().alternative());
        comparisons.add(compared);
      }
      case Entry.Skipped skipped -> names.add(skipped.alternative());
      case Entry.Better won -> better.put(won.question(), won);
    }
  }

  @Override
  public Optional<String> better(Decision byCost) {
    return better(Question.of(byCost));
  }

  /// The better answer to a question; empty if none is known.
  public Optional<String> better(Question question) {
    Optional<String> name = Optional.ofNullable(better.get(question)).map(Entry.Better::alternative);
    name.ifPresent(_ -> answered.add(question));
    return name;
  }

  /// How many questions have had a better answer since this was made.
  public int answered() {
    return answered.size();
  }

  /// The subjects with a better answer that nobody has asked for since this was made.
  public List<String> outdated() {
    return better.keySet().stream().filter(question -> !answered.contains(question)).map(Question::subject).distinct().toList();
  }

  /// Whether nothing needs to be measured to know whether `alternative` is better.
  boolean isSettled(Question question, String alternative) {
    return settled.getOrDefault(question, Set.of()).contains(alternative);
  }

  /// What was measured, in order.
  public List<Entry.Compared> comparisons() {
    return List.copyOf(comparisons);
  }

  List<Entry.Compared> comparisons(Question question) {
    return comparisons.stream().filter(compared -> compared.question().equals(question)).toList();
  }

  /// The questions with an answer that is better than the cost model's.
  public List<Entry.Better> better() {
    return List.copyOf(better.values());
  }
}
