package dev.einfall.command;

import dev.einfall.runtime.tuning.Entry;
import dev.einfall.runtime.tuning.Tuner;
import java.io.PrintWriter;
import java.time.Duration;
import java.util.Locale;
import java.util.function.LongSupplier;

/// Prints a line for each measurement.
final class TuningProgress implements Tuner.Progress {
  private final PrintWriter out;
  private final Duration budget;
  private final LongSupplier clock;
  private final long start;

  TuningProgress(PrintWriter out, Duration budget, LongSupplier clock) {
    this.out = out;
    this.budget = budget;
    this.clock = clock;
    this.start = clock.getAsLong();
  }

  @Override
  public void compared(Entry.Compared compared, boolean isBetter) {
    line(compared.question().subject() + ": " + compared.other().alternative(), String.format(Locale.ROOT, "%.1f us, kept %s %.1f us%s",
        compared.other().nanos() / 1e3, compared.kept().alternative(), compared.kept().nanos() / 1e3,
        isBetter ? String.format(Locale.ROOT, ": better by %.0f %%", 100 * (compared.gain() - 1)) : ""));
  }

  @Override
  public void skipped(Entry.Skipped skipped) {
    line(skipped.question().subject() + ": " + skipped.alternative(), skipped.reason());
  }

  private void line(String what, String result) {
    out.printf(Locale.ROOT, "%5.1f of %.0f s  %s: %s%n", (clock.getAsLong() - start) / 1e9, budget.toMillis() / 1e3, what, result);
    out.flush();
  }
}
