package dev.einfall.ir;

/// Lines of text under construction, indented by two spaces a level.
public final class Lines {
  private final StringBuilder text = new StringBuilder();
  private int level;

  public void add(String line) {
    text.append("  ".repeat(level)).append(line).append('\n');
  }

  /// Adds `head {`, what `body` adds one level deeper, and `}`.
  public void block(String head, Runnable body) {
    add(head + " {");
    inside(body);
    add("}");
  }

  /// Adds what `body` adds, one level deeper.
  public void inside(Runnable body) {
    level++;
    body.run();
    level--;
  }

  /// A string literal of both text syntaxes.
  public static String quoted(String value) {
    return "\"" + value.replace("\\", "\\\\").replace("\"", "\\\"").replace("\n", "\\n") + "\"";
  }

  @Override
  public String toString() {
    return text.toString();
  }
}
