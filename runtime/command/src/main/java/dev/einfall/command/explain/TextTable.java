package dev.einfall.command.explain;

import java.util.ArrayList;
import java.util.List;

/// Rows of text in aligned columns.
final class TextTable {
  private static final String GAP = "  ";

  private final String alignment;
  private final List<List<String>> rows = new ArrayList<>();

  /// A table with a column for each letter of `alignment`: `l` for left, `r` for right.
  TextTable(String alignment) {
    this.alignment = alignment;
  }

  void row(String... cells) {
    row(List.of(cells));
  }

  void row(List<String> cells) {
    if (cells.size() != alignment.length()) {
      throw new IllegalArgumentException(cells.size() + " cells for " + alignment.length() + " columns");
    }
    rows.add(List.copyOf(cells));
  }

  boolean isEmpty() {
    return rows.isEmpty();
  }

  /// Adds the rows to `text`, indented.
  void append(StringBuilder text) {
    int[] widths = new int[alignment.length()];
    for (List<String> row : rows) {
      for (int i = 0; i < widths.length; i++) {
        widths[i] = Math.max(widths[i], row.get(i).length());
      }
    }
    for (List<String> row : rows) {
      StringBuilder line = new StringBuilder();
      for (int i = 0; i < widths.length; i++) {
        String cell = row.get(i);
        String space = " ".repeat(widths[i] - cell.length());
        line.append(GAP).append(alignment.charAt(i) == 'r' ? space + cell : cell + space);
      }
      text.append(line.toString().stripTrailing()).append('\n');
    }
  }
}
