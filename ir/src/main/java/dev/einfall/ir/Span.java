package dev.einfall.ir;

/// The characters `start` (inclusive) to `end` (exclusive) of a source.
public record Span(Source source, int start, int end) {

  /// The span of a thing that no source text stands for: a pass made it.
  public static final Span NONE = new Span(new Source("", ""), 0, 0);

  public Span {
    if (start < 0 || end < start) {
      throw new IllegalArgumentException("span from " + start + " to " + end);
    }
  }

  public boolean isNone() {
    return source.name().isEmpty() && source.text().isEmpty();
  }

  /// The 1-based line where the span starts; 0 for [#NONE].
  public int line() {
    return isNone() ? 0 : source.line(start);
  }

  /// The 1-based column where the span starts; 0 for [#NONE].
  public int column() {
    return isNone() ? 0 : source.column(start);
  }

  /// `file:line:column`.
  @Override
  public String toString() {
    return isNone() ? "<made by a pass>" : source.name() + ":" + line() + ":" + column();
  }
}
