package dev.einfall.runtime.tuning;

import java.util.List;
import java.util.Optional;

/// A line of a record: what was found out about a decision.
public sealed interface Entry {

  Question question();

  /// What the entry says, in fields without tabs and line ends.
  List<String> fields();

  /// What one alternative takes.
  ///
  /// @param cycles by the cost model
  /// @param nanos as measured, of what differs between the two: the time that a quarter of the turns keep to
  /// @param spread how much longer half of the turns keep to, as a part of that
  record Time(String alternative, double cycles, double nanos, double spread) {}

  /// Two alternatives were measured in turn.
  ///
  /// @param kept the one that is taken unless the other is better
  /// @param turns of each
  record Compared(Question question, Time kept, Time other, int turns) implements Entry {

    /// How many times as fast the other is.
    public double gain() {
      return kept.nanos / other.nanos;
    }

    @Override
    public List<String> fields() {
      return List.of("compared", question.subject(), question.alternatives(),
          kept.alternative, text(kept.cycles), text(kept.nanos), text(kept.spread),
          other.alternative, text(other.cycles), text(other.nanos), text(other.spread), String.valueOf(turns));
    }

    private static String text(double number) {
      return Double.toString(number);
    }
  }

  /// An alternative cannot be measured, or need not be.
  record Skipped(Question question, String alternative, String reason) implements Entry {
    @Override
    public List<String> fields() {
      return List.of("skipped", question.subject(), question.alternatives(), alternative, reason.replaceAll("\\s+", " ").strip());
    }
  }

  /// An alternative is better than the one that was taken before, twice measured.
  ///
  /// @param gain how many times as fast it is as that
  record Better(Question question, String alternative, double gain) implements Entry {
    @Override
    public List<String> fields() {
      return List.of("better", question.subject(), question.alternatives(), alternative, Double.toString(gain));
    }
  }

  /// The entry with these fields; empty if there is none.
  static Optional<Entry> of(List<String> fields) {
    String form = fields.getFirst() + " " + fields.size();
    try {
      return switch (form) {
        case "compared 12" -> Optional.of(
            new Compared(question(fields), time(fields.subList(3, 7)), time(fields.subList(7, 11)), Integer.parseInt(fields.get(11))));
        case "skipped 5" -> Optional.of(new Skipped(question(fields), fields.get(3), fields.get(4)));
        case "better 5" -> Optional.of(new Better(question(fields), fields.get(3), Double.parseDouble(fields.get(4))));
        default -> Optional.empty();
      };
    } catch (NumberFormatException _) {
      return Optional.empty();
    }
  }

  private static Question question(List<String> fields) {
    return new Question(fields.get(1), fields.get(2));
  }

  private static Time time(List<String> fields) {
    return new Time(fields.getFirst(), Double.parseDouble(fields.get(1)), Double.parseDouble(fields.get(2)), Double.parseDouble(fields.get(3)));
  }
}
