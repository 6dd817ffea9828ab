package dev.einfall.backends.c;

import dev.einfall.ir.Lines;
import dev.einfall.ir.Span;

/// Writes `#line` directives, so that debuggers, profilers and sanitizers show lines of the `.ein` file.
public final class SourceLines {
  private final boolean isOn;
  private int last = -1;

  public SourceLines(boolean isOn) {
    this.isOn = isOn;
  }

  /// What follows comes from `span`.
  public void at(Span span, Lines lines) {
    if (isOn && !span.isNone() && span.line() != last) {
      last = span.line();
      lines.add("#line " + span.line() + " " + Lines.quoted(span.source().name()));
    }
  }
}
