package dev.einfall.command.explain;

import dev.einfall.command.page.Quantities;
import dev.einfall.ir.loop.Kernel;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;

/// What each kernel of a program takes beside what the machine takes for its work at least: where time is lost, the most first.
///
/// @param lines one for each kernel, the one that loses most first
/// @param limits what the machine can do
/// @param runs how many runs were measured
public record Waterline(List<Line> lines, Limits limits, int runs) {

  /// A kernel.
  ///
  /// @param launches how often a run launches it
  /// @param work that of one launch
  /// @param seconds what one launch takes
  /// @param bound what the machine takes for the work of one launch at least
  public record Line(Kernel kernel, long launches, KernelWork work, double seconds, double bound) {

    /// What the launches of one run take above the bound.
    public double lost() {
      return launches * (seconds - bound);
    }

    public double efficiency() {
      return bound / seconds;
    }
  }

  /// What was measured of a kernel: how often a run launches it, and what one launch takes.
  public record Measured(Kernel kernel, long launches, double seconds) {}

  public static Waterline of(List<Measured> kernels, Limits limits, int runs) {
    return new Waterline(kernels.stream().map(one -> {
      KernelWork work = KernelWork.of(one.kernel);
      return new Line(one.kernel, one.launches, work, one.seconds, limits.seconds(work.operations(), work.bytes()));
    }).sorted(Comparator.comparingDouble(Line::lost).reversed()).toList(), limits, runs);
  }

  /// The table, and a line for all kernels.
  public String text() {
    StringBuilder text = new StringBuilder(limits.text()).append("\n\n");
    TextTable table = new TextTable("lrrrrrrrr");
    table.row("kernel", "launches", "operations", "bytes", "at least", "takes", "efficiency", "lost in a run", "of all");
    double all = lines.stream().mapToDouble(line -> line.launches * line.seconds).sum();
    double bound = lines.stream().mapToDouble(line -> line.launches * line.bound).sum();
    for (Line line : lines) {
      table.row(line.kernel.name() + " " + Stage.place(line.kernel.span()), String.valueOf(line.launches), Quantities.count(Math.rint(line.work.operations())),
          Quantities.bytes(line.work.bytes()), Limits.time(line.bound), Limits.time(line.seconds), percent(line.efficiency()),
          Limits.time(Math.max(0, line.lost())), percent(Math.max(0, line.lost()) / all));
    }
    table.row("all", "", "", "", Limits.time(bound), Limits.time(all), percent(bound / all), Limits.time(Math.max(0, all - bound)), percent(Math.max(0, 1 - bound / all)));
    table.append(text);
    return text.append("\nMedians of ").append(runs).append(" runs of the whole program: a kernel finds in the caches what the one before left there.\n")
        .toString();
  }

  static String percent(double part) {
    return String.format(Locale.ROOT, "%.0f %%", 100 * part);
  }
}
