package dev.einfall.runtime.tuning;

import dev.einfall.passes.Speeds;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/// What small kernels reach on a machine. The numbers of [Speeds#usual] are fitted to whole kernels on one machine, where the same small
/// kernels reach [#REFERENCE]; on another, they are multiplied by how this one differs.
///
/// @param multiplyAdds of vectors, in a nanosecond, by one core
/// @param l1 the bytes that a core reads from the first-level cache in a nanosecond
/// @param l2 the same for the second level
/// @param l3 the same for the third level
/// @param memory the same for memory
/// @param launch the nanoseconds until all threads have begun something and have met; 0 if there is one thread
public record Calibration(double multiplyAdds, double l1, double l2, double l3, double memory, double launch) {
  /// On the machine of [Speeds#usual]; the launch is for two threads.
  public static final Calibration REFERENCE = new Calibration(3.69, 210, 114, 66, 17, 360);
  private static final String HEADING = "einfall calibration 1";
  private static final List<String> NAMES = List.of("multiply-adds", "l1", "l2", "l3", "memory", "launch");

  /// The speeds of the machine, in its cycles: so many that it starts as many multiply-adds in one as the reference.
  public Speeds speeds() {
    Speeds usual = Speeds.usual();
    double cycle = REFERENCE.multiplyAdds / multiplyAdds;
    return new Speeds(usual.operations(), usual.loads() * l1 / REFERENCE.l1 * cycle, usual.latency(), usual.gathered(), usual.tail(), usual.partOfRow(),
        level(usual.l1(), l1 / REFERENCE.l1 * cycle), level(usual.l2(), l2 / REFERENCE.l2 * cycle),
        level(usual.l3(), l3 / REFERENCE.l3 * cycle), level(usual.memory(), memory / REFERENCE.memory * cycle),
        usual.inTurn(), usual.oneStream(), waiting(usual.launch(), cycle), waiting(usual.meeting(), cycle));
  }

  private static Speeds.Level level(Speeds.Level usual, double factor) {
    return new Speeds.Level(usual.bytes() * factor, usual.start());
  }

  private double waiting(double usual, double cycle) {
    return launch == 0 ? usual : usual * launch / REFERENCE.launch / cycle;
  }

  /// A line for each number.
  public String text() {
    List<Double> values = List.of(multiplyAdds, l1, l2, l3, memory, launch);
    StringBuilder text = new StringBuilder(HEADING).append('\n');
    for (int i = 0; i < NAMES.size(); i++) {
      text.append(NAMES.get(i)).append(' ').append(String.format(Locale.ROOT, "%.4g", values.get(i))).append('\n');
    }
    return text.toString();
  }

  /// What [#text] gave; empty if that is something else.
  public static Optional<Calibration> of(String text) {
    List<String> lines = text.lines().toList();
    if (lines.size() != NAMES.size() + 1 || !lines.getFirst().equals(HEADING)) {
      return Optional.empty();
    }
    List<Double> values = new ArrayList<>();
    for (int i = 0; i < NAMES.size(); i++) {
      String[] words = lines.get(i + 1).split(" ");
      if (words.length != 2 || !words[0].equals(NAMES.get(i))) {
        return Optional.empty();
      }
      try {
        values.add(Double.valueOf(words[1]));
      } catch (NumberFormatException _) {
        return Optional.empty();
      }
    }
    boolean isSound = values.stream().allMatch(value -> value >= 0 && value < 1e9) && values.subList(0, 5).stream().allMatch(value -> value > 0);
    return isSound ? Optional.of(new Calibration(values.get(0), values.get(1), values.get(2), values.get(3), values.get(4), values.get(5)))
        : Optional.empty();
  }
}
