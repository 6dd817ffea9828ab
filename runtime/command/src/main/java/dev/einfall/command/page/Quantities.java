package dev.einfall.command.page;

import dev.einfall.ir.Size;
import dev.einfall.ir.cascade.Tensor;
import dev.einfall.passes.cascade.Work;
import java.util.Locale;
import java.util.stream.Collectors;

/// Numbers for people: three digits and a prefix. What still has size names in it is a formula, with `·` for products.
public final class Quantities {
  private static final String PREFIXES = " kMGTPE";

  private Quantities() {}

  public static String count(Size size) {
    return size.constant().map(value -> count(value.doubleValue())).orElseGet(() -> formula(size));
  }

  public static String count(double value) {
    if (Math.abs(value) < 10_000) {
      return value == Math.rint(value) ? String.format(Locale.ROOT, "%,d", (long) value) : String.format(Locale.ROOT, "%.3g", value);
    }
    return scaled(value) + " " + PREFIXES.charAt(thousands(value));
  }

  public static String bytes(Size size) {
    return size.constant().map(value -> bytes(value.doubleValue())).orElseGet(() -> formula(size) + " bytes");
  }

  private static String formula(Size size) {
    return size.toString().replace(" * ", "·");
  }

  public static String bytes(double value) {
    return value < 1000 ? Math.round(value) + " B" : scaled(value) + " " + PREFIXES.charAt(thousands(value)) + "B";
  }

  private static int thousands(double value) {
    int power = 0;
    for (double rest = Math.abs(value); rest >= 999.5 && power < PREFIXES.length() - 1; rest /= 1000) {
      power++;
    }
    return power;
  }

  private static String scaled(double value) {
    double rest = value / Math.pow(1000, thousands(value));
    return String.format(Locale.ROOT, rest >= 99.95 ? "%.0f" : rest >= 9.995 ? "%.1f" : "%.2f", rest);
  }

  /// Every digit, for those who want to know.
  public static String exact(Size size) {
    return size.constant().map(value -> String.format(Locale.ROOT, "%,d", value)).orElseGet(() -> formula(size));
  }

  public static String intensity(Work work) {
    return work.intensity().map(Quantities::ratio).orElse("–");
  }

  public static String ratio(double value) {
    return String.format(Locale.ROOT, value >= 99.5 ? "%.0f" : value >= 9.95 ? "%.1f" : "%.2f", value);
  }

  /// Three digits, or all before the point.
  public static String digits(double value) {
    return String.format(Locale.ROOT, value >= 99.95 ? "%,.0f" : value >= 9.995 ? "%.1f" : "%.2f", value);
  }

  /// Whether both are numbers.
  public static boolean known(Size a, Size b) {
    return a.constant().isPresent() && b.constant().isPresent();
  }

  public static String type(Tensor tensor) {
    return tensor.type() + tensor.shape().stream().map(Size::toString).collect(Collectors.joining(", ", "[", "]"));
  }

  public static Size bytesOf(Tensor tensor) {
    return tensor.shape().stream().reduce(Size.of(tensor.type().bytes()), Size::times);
  }
}
