package dev.einfall.ir;

import java.util.List;

/// A message about a place in a user's program: what is wrong, where, and the other places involved.
public record Diagnostic(Severity severity, Span span, String message, List<Note> notes) {

  /// Of a longer line, the part around the place is shown.
  private static final int LONGEST_LINE = 160;

  /// How bad it is. A `REMARK` reports a decision of the compiler.
  public enum Severity { ERROR, WARNING, REMARK }

  /// A further place and what it has to do with the message.
  public record Note(Span span, String message) {}

  public Diagnostic {
    notes = List.copyOf(notes);
  }

  public static Diagnostic error(Span span, String message, Note... notes) {
    return new Diagnostic(Severity.ERROR, span, message, List.of(notes));
  }

  public static Diagnostic remark(Span span, String message) {
    return new Diagnostic(Severity.REMARK, span, message, List.of());
  }

  /// The message as the command prints it: place, message, source line and carets, then each note.
  public String render() {
    StringBuilder text = new StringBuilder();
    append(text, span, severity.name().toLowerCase(java.util.Locale.ROOT), message);
    for (Note note : notes) {
      append(text, note.span(), "note", note.message());
    }
    return text.toString();
  }

  private static void append(StringBuilder text, Span span, String label, String message) {
    if (!span.isNone()) {
      text.append(span).append(": ");
    }
    text.append(label).append(": ").append(message).append('\n');
    if (!span.isNone()) {
      appendCarets(text, span);
    }
  }

  private static void appendCarets(StringBuilder text, Span span) {
    String whole = span.source().lineText(span.start());
    int from = Math.max(0, span.column() - 1 - LONGEST_LINE / 2);
    String line = whole.length() <= LONGEST_LINE ? whole
        : whole.substring(from, Math.min(whole.length(), from + LONGEST_LINE));
    int column = whole.length() <= LONGEST_LINE ? span.column() - 1 : span.column() - 1 - from;
    int width = Math.max(1, Math.min(span.end() - span.start(), line.length() - column));
    text.append("  ").append(line.replace('\t', ' ')).append('\n');
    text.append("  ").repeat(' ', column).repeat('^', width).append('\n');
  }
}
