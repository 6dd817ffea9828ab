package dev.einfall.ir;

/// A text that a program was read from: a file's name as the user gave it, and its characters.
public record Source(String name, String text) {

  /// The 1-based line of the character at `offset`.
  public int line(int offset) {
    int line = 1;
    for (int i = 0; i < Math.min(offset, text.length()); i++) {
      if (text.charAt(i) == '\n') {
        line++;
      }
    }
    return line;
  }

  /// The 1-based column of the character at `offset`.
  public int column(int offset) {
    return offset - lineStart(offset) + 1;
  }

  /// The line that holds `offset`, without its end.
  public String lineText(int offset) {
    int start = lineStart(offset);
    int end = text.indexOf('\n', start);
    String line = end < 0 ? text.substring(start) : text.substring(start, end);
    return line.endsWith("\r") ? line.substring(0, line.length() - 1) : line;
  }

  private int lineStart(int offset) {
    return offset == 0 ? 0 : text.lastIndexOf('\n', Math.min(offset, text.length()) - 1) + 1;
  }
}
