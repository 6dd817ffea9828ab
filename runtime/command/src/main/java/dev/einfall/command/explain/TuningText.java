package dev.einfall.command.explain;

import dev.einfall.runtime.tuning.Entry;
import dev.einfall.runtime.tuning.Tuner;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.Locale;
import java.util.stream.Stream;

/// What came of tuning: a line for each decision, and one for the whole program.
public final class TuningText {
  private TuningText() {}

  public static String of(Tuner.Report report, Path record) {
    StringBuilder text = new StringBuilder();
    TextTable table = new TextTable("lrrlrlrr");
    table.row("decision", "times", "measured", "as modelled", "us", "best", "us", "gain");
    report.outcomes().stream().sorted(Comparator.comparingDouble(TuningText::nanos).reversed()).forEach(outcome -> row(outcome, table));
    report.whole().ifPresent(whole -> table.row("the whole program", "", "", whole.kept().alternative(), micros(whole.kept()),
        whole.other().alternative(), micros(whole.other()), gain(whole.gain())));
    table.append(text);
    long better = report.outcomes().stream().filter(outcome -> !outcome.best().equals(outcome.modelled())).count();
    text.append('\n').append(better).append(" of ").append(report.outcomes().size())
        .append(" choices of the cost model were not the best by more than measurements vary. ")
        .append(report.measured()).append(" comparisons now, ").append(report.known()).append(" before")
        .append(switch (report.end()) {
          case OUT_OF_TIME -> "; the budget ended before all were made.";
          case ALL_MEASURED, NOTHING_TO_CHOOSE -> "; none are left.";
        }).append("\nrecord: ").append(record).append('\n');
    return text.toString();
  }

  private static double nanos(Tuner.Outcome outcome) {
    return outcome.comparisons().getLast().kept().nanos();
  }

  /// What the model's choice and the best one take, each where it was measured last.
  private static void row(Tuner.Outcome outcome, TextTable table) {
    Entry.Time modelled = last(outcome, outcome.modelled());
    Entry.Time best = last(outcome, outcome.best());
    boolean isSame = outcome.best().equals(outcome.modelled());
    long measured = outcome.comparisons().stream().map(compared -> compared.other().alternative()).distinct().count();
    table.row(outcome.question().subject(), String.valueOf(outcome.count()), measured + " of " + (outcome.alternatives() - 1),
        outcome.modelled(), micros(modelled), isSame ? "the same" : outcome.best(), isSame ? "" : micros(best),
        isSame ? "" : gain(modelled.nanos() / best.nanos()));
  }

  private static Entry.Time last(Tuner.Outcome outcome, String alternative) {
    return outcome.comparisons().stream().flatMap(compared -> Stream.of(compared.kept(), compared.other()))
        .filter(time -> time.alternative().equals(alternative)).reduce((_, second) -> second)
        .orElse(outcome.comparisons().getLast().kept());
  }

  private static String micros(Entry.Time time) {
    return String.format(Locale.ROOT, "%.1f", time.nanos() / 1e3);
  }

  private static String gain(double ratio) {
    return String.format(Locale.ROOT, "%.2f", ratio);
  }
}
