package dev.einfall.runtime.plans;

import dev.einfall.ir.Source;
import dev.einfall.runtime.tuning.TextDigest;
import java.util.List;
import java.util.Optional;

/// All that the outline of a program depends on, but for the files that it imports: those are named in the outline.
///
/// @param lines each a part, for people
public record OutlineKey(List<String> lines) {
  /// Whatever changes how an outline is written down.
  private static final String FORMAT = "einfall program 1";

  public OutlineKey {
    lines = List.copyOf(lines);
  }

  /// @param build what tells this build of the compiler from others
  /// @param function the one that the program is entered at, if it is named
  public static OutlineKey of(String build, Source source, Optional<String> function) {
    return new OutlineKey(List.of(FORMAT, "compiler " + build, "function " + function.orElse(""), "source " + source.name(), digest(source)));
  }

  /// The same for equal texts of equal names.
  static String digest(Source source) {
    return TextDigest.of(source.name() + "\n" + source.text());
  }

  /// Short, and another one for each key.
  String digest() {
    return TextDigest.ofLines(lines);
  }
}
