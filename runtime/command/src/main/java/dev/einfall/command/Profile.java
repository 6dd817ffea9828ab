package dev.einfall.command;

import dev.einfall.ir.loop.Kernel;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/// How long the kernels of some runs took.
final class Profile {

  /// The launches of one kernel so far.
  private static final class Total {
    private final Kernel kernel;
    private long launches;
    private long nanoseconds;

    Total(Kernel kernel) {
      this.kernel = kernel;
    }
  }

  private final Map<Kernel, Total> totals = new IdentityHashMap<>();
  private final List<Total> order = new ArrayList<>();

  synchronized void add(Kernel kernel, long nanoseconds) {
    Total total = totals.computeIfAbsent(kernel, _ -> {
      order.add(new Total(kernel));
      return order.getLast();
    });
    total.launches++;
    total.nanoseconds += nanoseconds;
  }

  synchronized void clear() {
    totals.clear();
    order.clear();
  }

  /// A line for each kernel, the one that takes longest first: its launches and their microseconds in one of `runs` runs.
  synchronized String text(int runs) {
    long all = order.stream().mapToLong(total -> total.nanoseconds).sum();
    StringBuilder text = new StringBuilder();
    order.stream().sorted(Comparator.comparingLong((Total total) -> total.nanoseconds).reversed()).forEach(total ->
        text.append(String.format(Locale.ROOT, "  %-24s %4d x %9.1f us %9.1f us %5.1f %%  %s%n", total.kernel.name(),
            total.launches / runs, total.nanoseconds / 1e3 / total.launches, total.nanoseconds / 1e3 / runs,
            100.0 * total.nanoseconds / all, total.kernel.span())));
    return text.toString();
  }
}
