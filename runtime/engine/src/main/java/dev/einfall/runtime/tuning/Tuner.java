package dev.einfall.runtime.tuning;

import dev.einfall.passes.Decision;
import dev.einfall.passes.Decisions;
import java.util.List;
import java.util.Optional;
import java.util.function.LongSupplier;

/// Looks for better choices than those of the cost model, by measuring. One decision at a time is made otherwise, in a program where all
/// others are as the best known; equal decisions, such as those of equal layers, together. Whatever is measured is in the record at
/// once, and what is in the record is not measured again.
///
/// Noise does not decide: another alternative must be better by more than the measurements vary, twice.
public final class Tuner {
  /// How much less the next alternative of a decision promises than the one before.
  private static final double FADING = 0.7;
  /// When so many alternatives of a decision are the same code, so are all: it is about what does not run, or not often.
  private static final int SAME = 2;

  private final Workbench workbench;
  private final RecordFile record;
  private final Evidence evidence;
  private final LongSupplier clock;
  private final Progress progress;
  private int measured;

  /// Hears what is going on.
  public interface Progress {
    /// @param isBetter whether the other alternative is taken from now on
    void compared(Entry.Compared compared, boolean isBetter);

    void skipped(Entry.Skipped skipped);
  }

  /// Why there are no more measurements.
  public enum End { ALL_MEASURED, NOTHING_TO_CHOOSE, OUT_OF_TIME }

  /// What came of it.
  ///
  /// @param measured how many comparisons were made
  /// @param known how many had been made before
  /// @param outcomes one for each question of the program that was measured, now or before
  /// @param whole the whole program with the choices of the cost model, and with the best ones; empty if these are the same
  public record Report(End end, int measured, int known, List<Outcome> outcomes, Optional<Entry.Compared> whole) {}

  /// What is known of equal decisions.
  ///
  /// @param count how many decisions these are
  /// @param alternatives how many there are to choose from
  /// @param modelled what the cost model chooses
  /// @param best what is best
  public record Outcome(Question question, int count, int alternatives, List<Entry.Compared> comparisons, String modelled, String best) {}

  /// @param record where the results go, and those of before are
  /// @param clock nanoseconds from some time on
  public Tuner(Workbench workbench, RecordFile record, LongSupplier clock, Progress progress) {
    this.workbench = workbench;
    this.record = record;
    this.evidence = Evidence.of(record.read().entries());
    this.clock = clock;
    this.progress = progress;
  }

  /// Measures for about `nanos` once the program is compiled, or until there is nothing left.
  public Report tune(long nanos) {
    int known = evidence.comparisons().size();
    Workbench.Sample kept = workbench.make(evidence);
    try {
      long start = clock.getAsLong();
      Optional<Trial> trial = next(kept);
      while (trial.isPresent() && clock.getAsLong() - start < nanos) {
        kept = attempt(trial.get(), kept);
        trial = next(kept);
      }
      List<Topic> topics = Topic.of(kept.decisions());
      List<Outcome> outcomes = topics.stream().filter(topic -> !evidence.comparisons(topic.question()).isEmpty()).map(this::outcome).toList();
      End end = trial.isPresent() ? End.OUT_OF_TIME : topics.isEmpty() ? End.NOTHING_TO_CHOOSE : End.ALL_MEASURED;
      return new Report(end, measured, known, outcomes, whole(kept));
    } finally {
      kept.close();
    }
  }

  private Outcome outcome(Topic topic) {
    return new Outcome(topic.question(), topic.count(), topic.decision().alternatives().size(), evidence.comparisons(topic.question()),
        topic.modelled(), topic.decision().chosen());
  }

  /// An alternative to measure.
  private record Trial(Topic topic, String alternative, double promise) {}

  /// What promises most of what is not known.
  private Optional<Trial> next(Workbench.Sample kept) {
    Trial best = null;
    for (Topic topic : Topic.of(kept.decisions())) {
      List<String> candidates = topic.candidates();
      for (int i = 0; i < candidates.size(); i++) {
        double promise = topic.cycles() * Math.pow(FADING, i);
        if (!evidence.isSettled(topic.question(), candidates.get(i)) && (best == null || promise > best.promise)) {
          best = new Trial(topic, candidates.get(i), promise);
        }
      }
    }
    return Optional.ofNullable(best);
  }

  /// Measures an alternative.
  ///
  /// @return the better of `kept` and the other; the worse is closed
  private Workbench.Sample attempt(Trial trial, Workbench.Sample kept) {
    Workbench.Sample other;
    try {
      other = workbench.make(with(trial.topic.question(), trial.alternative));
    } catch (RuntimeException e) {
      // Whatever is wrong with one alternative must not keep others from being measured.
      skip(trial, trial.alternative, "cannot be compiled: " + e.getMessage());
      return kept;
    }
    boolean isBetter = false;
    try {
      isBetter = isBetter(trial, kept, other);
    } finally {
      (isBetter ? kept : other).close();
    }
    return isBetter ? other : kept;
  }

  private Decisions.Findings with(Question question, String alternative) {
    return byCost -> Question.of(byCost).equals(question) ? Optional.of(alternative) : evidence.better(byCost);
  }

  private boolean isBetter(Trial trial, Workbench.Sample kept, Workbench.Sample other) {
    Optional<Duel> first = Duel.of(kept, other);
    if (first.isEmpty()) {
      same(trial);
      return false;
    }
    Entry.Compared compared = compared(trial, first.get());
    if (!first.get().isOtherBetter()) {
      progress.compared(compared, false);
      return false;
    }
    // The largest of many ratios is mostly too large: they meet again.
    Duel second = Duel.of(kept, other).orElseThrow();
    Entry.Compared again = compared(trial, second);
    if (second.isOtherBetter()) {
      add(new Entry.Better(trial.topic.question(), trial.alternative, Math.min(compared.gain(), again.gain())));
    }
    progress.compared(again, second.isOtherBetter());
    return second.isOtherBetter();
  }

  private Entry.Compared compared(Trial trial, Duel duel) {
    Topic topic = trial.topic;
    String chosen = topic.decision().chosen();
    Entry.Compared compared =
        duel.entry(topic.question(), chosen, topic.cycles(chosen), trial.alternative, topic.cycles(trial.alternative));
    measured++;
    add(compared);
    return compared;
  }

  private void same(Trial trial) {
    skip(trial, trial.alternative, "the same code");
    List<String> candidates = trial.topic.candidates();
    boolean isAlwaysSame = evidence.comparisons(trial.topic.question()).isEmpty()
        && candidates.stream().filter(other -> evidence.isSettled(trial.topic.question(), other)).count() >= SAME;
    if (isAlwaysSame) {
      candidates.stream().filter(other -> !evidence.isSettled(trial.topic.question(), other)).toList()
          .forEach(other -> skip(trial, other, "the same code as others of this decision"));
    }
  }

  private void skip(Trial trial, String alternative, String reason) {
    Entry.Skipped skipped = new Entry.Skipped(trial.topic.question(), alternative, reason);
    add(skipped);
    progress.skipped(skipped);
  }

  private void add(Entry entry) {
    record.append(entry);
    evidence.add(entry);
  }

  /// The whole program, with the choices of the cost model and with the best ones.
  private Optional<Entry.Compared> whole(Workbench.Sample kept) {
    if (Topic.of(kept.decisions()).stream().allMatch(topic -> topic.modelled().equals(topic.decision().chosen()))) {
      return Optional.empty();
    }
    try (Workbench.Sample modelled = workbench.make(Decisions.Findings.none())) {
      return Optional.of(Duel.ofWhole(modelled, kept)
          .entry(new Question("the whole program", ""), "as modelled", cycles(modelled), "as measured", cycles(kept)));
    }
  }

  private static double cycles(Workbench.Sample sample) {
    return sample.decisions().stream().mapToDouble(decision -> decision.alternatives().stream()
        .filter(one -> one.name().equals(decision.chosen())).mapToDouble(Decision.Alternative::cycles).findFirst().orElse(0)).sum();
  }
}
