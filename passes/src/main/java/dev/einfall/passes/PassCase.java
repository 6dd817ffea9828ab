package dev.einfall.passes;

import java.util.Collections;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;

/// A text that says what passes do to a program: the format of golden cases and of reproducers.
///
/// ```
/// # A comment that names the situation.
/// # RUN: split-loops{i=12},unroll-loops
/// # SIZES: M=5 N=7
/// kernel k(X: f32[5, 7]) { ... }
/// # ==>
/// # REMARK: what a pass declined, and why
/// kernel k(X: f32[5, 7]) { ... }
/// ```
///
/// The lines before the arrow are a program in one of the two text syntaxes, in which the first lines are comments. `SIZES` binds
/// size names when the program runs; the passes still see the names. The lines after it are what the passes make of the program: each remark, each
/// `# ERROR:` if they end in an error of the user's, else the result's text.
///
/// @param before the lines before the arrow, or all
/// @param after the lines after the arrow, if there is one
public record PassCase(String before, Optional<String> after) {
  private static final String ARROW = "# ==>";
  private static final String RUN = "# RUN:";
  private static final String SIZES = "# SIZES:";

  public static PassCase read(String text) {
    String lines = text.replace("\r\n", "\n");
    int arrow = ("\n" + lines).indexOf("\n" + ARROW + "\n");
    if (arrow < 0) {
      return new PassCase(lines, Optional.empty());
    }
    return new PassCase(lines.substring(0, arrow), Optional.of(lines.substring(arrow + ARROW.length() + 1)));
  }

  /// The passes to run, as `PassCatalog.parse` reads them; empty if the text does not say.
  public String passes() {
    return header(RUN).orElse("");
  }

  /// The numbers bound to size names.
  ///
  /// @throws IllegalArgumentException when a binding is not of the form `NAME=NUMBER`
  public SortedMap<String, Long> sizes() {
    SortedMap<String, Long> sizes = new TreeMap<>();
    for (String binding : header(SIZES).orElse("").strip().split("\\s+")) {
      if (!binding.isEmpty()) {
        String[] parts = binding.split("=", 2);
        if (parts.length != 2 || !parts[1].matches("[0-9]{1,9}")) {
          throw new IllegalArgumentException("expected NAME=NUMBER after " + SIZES + ", but got '" + binding + "'");
        }
        sizes.put(parts[0], Long.valueOf(parts[1]));
      }
    }
    return Collections.unmodifiableSortedMap(sizes);
  }

  private Optional<String> header(String label) {
    return before.lines().takeWhile(line -> line.isBlank() || line.startsWith("#")).filter(line -> line.startsWith(label))
        .map(line -> line.substring(label.length()).strip()).findFirst();
  }

  public PassCase withAfter(String newAfter) {
    return new PassCase(before, Optional.of(newAfter));
  }

  /// The text that reads back as this case.
  public String text() {
    String end = before.endsWith("\n") || before.isEmpty() ? "" : "\n";
    return before + after.map(lines -> end + ARROW + "\n" + lines).orElse("");
  }
}
