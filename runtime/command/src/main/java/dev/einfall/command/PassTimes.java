package dev.einfall.command;

import dev.einfall.passes.Step;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;

/// How long the passes of a compilation took.
final class PassTimes {

  /// The runs of one pass so far.
  private static final class Total {
    private int runs;
    private long nanoseconds;
  }

  private final Map<String, Total> totals = new LinkedHashMap<>();

  synchronized void add(Step step) {
    Total total = totals.computeIfAbsent(step.pass(), _ -> new Total());
    total.runs++;
    total.nanoseconds += step.nanoseconds();
  }

  /// A line for each pass, the one that took longest first, and one for all that is no pass in a compilation of
  /// `compileNanos`: reading, verifying, code generation, warming up.
  synchronized String text(long compileNanos) {
    StringBuilder text = new StringBuilder();
    totals.entrySet().stream().sorted(Comparator.comparingLong((Map.Entry<String, Total> pass) -> pass.getValue().nanoseconds).reversed())
        .forEach(pass -> text.append(line(pass.getKey(), pass.getValue().runs + " x", pass.getValue().nanoseconds, compileNanos)));
    long passes = totals.values().stream().mapToLong(total -> total.nanoseconds).sum();
    text.append(line("no pass", "", compileNanos - passes, compileNanos));
    return text.append(totals.isEmpty() ? "  no pass ran: the program was compiled before\n" : "").toString();
  }

  private static String line(String name, String runs, long nanoseconds, long all) {
    return String.format(Locale.ROOT, "  %-28s %6s %9.1f ms %5.1f %%%n", name, runs, nanoseconds / 1e6, 100.0 * nanoseconds / all);
  }
}
