package dev.einfall.frontend;

import java.util.ArrayList;
import java.util.List;

/// Puts words into lines that are not too long, if they can be.
final class LineBreaks {
  /// The longest line.
  static final int LENGTH = 110;

  private LineBreaks() {}

  /// The lines of `words`, the first with `indent` spaces before it and the others with `continuation`.
  static List<String> lines(List<Word> words, int indent, int continuation) {
    List<String> lines = new ArrayList<>();
    int[] columns = columns(words);
    int start = 0;
    int spaces = indent;
    while (spaces + columns[words.size()] - columns[start] > LENGTH) {
      int end = best(words, columns, start, spaces, continuation);
      if (end == words.size()) {
        break;
      }
      lines.add(" ".repeat(spaces) + text(words.subList(start, end)));
      start = end;
      spaces = continuation;
    }
    lines.add(" ".repeat(spaces) + text(words.subList(start, words.size())));
    return lines;
  }

  /// The width of each number of first words, with the space after them.
  private static int[] columns(List<Word> words) {
    int[] columns = new int[words.size() + 1];
    for (int i = 0; i < words.size(); i++) {
      boolean isApart = i + 1 < words.size() && words.get(i).isApartFrom(words.get(i + 1));
      columns[i + 1] = columns[i] + words.get(i).text().length() + (isApart ? 1 : 0);
    }
    return columns;
  }

  /// The index of the word before which to break: the last of the loosest places within the line, or else the first place.
  private static int best(List<Word> words, int[] columns, int start, int spaces, int continuation) {
    int best = words.size();
    int least = Word.NEVER;
    for (int i = start + 1; i < words.size(); i++) {
      boolean isFull = spaces + columns[i] - columns[start] > LENGTH + 1;
      if (isFull && least != Word.NEVER) {
        break;
      }
      int badness = words.get(i - 1).breakBefore(words.get(i));
      boolean isUseful = !words.get(i - 1).isDefinition()
          || continuation + columns[words.size()] - columns[i] <= LENGTH;
      if (badness != Word.NEVER && badness <= least && isUseful) {
        best = i;
        least = badness;
      }
    }
    return best;
  }

  static int width(List<Word> words) {
    return columns(words)[words.size()];
  }

  private static String text(List<Word> words) {
    StringBuilder text = new StringBuilder();
    for (int i = 0; i < words.size(); i++) {
      text.append(i > 0 && words.get(i - 1).isApartFrom(words.get(i)) ? " " : "").append(words.get(i).text());
    }
    return text.toString();
  }
}
