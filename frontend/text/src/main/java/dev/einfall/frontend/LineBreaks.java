package dev.einfall.frontend;

import java.util.ArrayList;
import java.util.List;

/// Puts words into lines that are not too long, if they can be.
///
/// What does not fit a line breaks where it holds together least: outside of brackets, at the loosest operator, at as
/// few places as do. A part that still does not fit breaks in turn, indented more.
///
/// ```
/// Y[b, p in 0..(N - 1) * stride + R] =
///     sum[c, r](where((p - r) % stride == 0,
///         F[c, r] * X[b, c, (p - r) / stride], 0))
/// ```
final class LineBreaks {
  /// The longest line.
  static final int LENGTH = 120;

  private static final int CONTINUATION = 4;

  private final List<Word> words;
  private final int[] columns;

  private LineBreaks(List<Word> words) {
    this.words = words;
    this.columns = columns(words);
  }

  /// The lines of `words`, the first with `indent` spaces before it.
  static List<String> lines(List<Word> words, int indent) {
    LineBreaks breaks = new LineBreaks(words);
    List<String> lines = breaks.lines(new Part(0, words.size(), indent, indent + CONTINUATION), true);
    List<String> others = breaks.lines(new Part(0, words.size(), indent, indent + CONTINUATION), false);
    return lines.size() <= others.size() ? lines : others;
  }

  /// Words from `start` to `end` that start at the column `indent`; further lines of theirs start at `continuation`.
  private record Part(int start, int end, int indent, int continuation) {}

  /// How many characters `words` have on one line.
  static int width(List<Word> words) {
    return new LineBreaks(words).width(0, words.size());
  }

  /// The column of each word, if all are on one line.
  private static int[] columns(List<Word> words) {
    int[] columns = new int[words.size()];
    for (int i = 1; i < words.size(); i++) {
      Word before = words.get(i - 1);
      columns[i] = columns[i - 1] + before.text().length() + (before.isApartFrom(words.get(i)) ? 1 : 0);
    }
    return columns;
  }

  private int width(int start, int end) {
    return columns[end - 1] + words.get(end - 1).text().length() - columns[start];
  }

  /// The lines of a part; with a break after `=` only if `afterDefinition`.
  private List<String> lines(Part part, boolean afterDefinition) {
    List<Integer> places = fits(part.start, part.end, part.indent) ? List.of() : places(part.start, part.end, afterDefinition);
    List<String> lines = new ArrayList<>();
    int lineStart = part.start;
    int spaces = part.indent;
    for (int i = 0; i <= places.size() && !places.isEmpty(); i++) {
      int from = i == 0 ? part.start : places.get(i - 1);
      int to = i == places.size() ? part.end : places.get(i);
      if (!fits(lineStart, to, spaces) && from > lineStart) {
        lines.add(line(lineStart, from, spaces));
        lineStart = from;
        spaces = part.continuation;
      }
      if (!fits(lineStart, to, spaces)) {
        // What stands alone after `=` needs no further indentation for its operators.
        boolean isValue = from > part.start && words.get(from - 1).isDefinition();
        lines.addAll(lines(new Part(from, to, spaces, isValue && hasOperators(from, to) ? spaces : spaces + CONTINUATION),
            afterDefinition));
        lineStart = to;
        spaces = part.continuation;
      }
    }
    if (lineStart < part.end) {
      lines.add(line(lineStart, part.end, spaces));
    }
    return lines;
  }

  private boolean fits(int start, int end, int indent) {
    return indent + width(start, end) <= LENGTH;
  }

  private boolean hasOperators(int start, int end) {
    int place = places(start, end, false).stream().findFirst().orElse(start);
    return words.get(place).role() == Word.Role.OPERATOR && words.get(place).depth() == words.get(start - 1).depth();
  }

  /// The places between `start` and `end` where the words hold together least.
  private List<Integer> places(int start, int end, boolean afterDefinition) {
    int depth = Integer.MAX_VALUE;
    int tightness = Word.NEVER;
    List<Integer> places = new ArrayList<>();
    for (int i = start + 1; i < end; i++) {
      Word before = words.get(i - 1);
      int here = before.isDefinition() && !afterDefinition ? Word.NEVER : before.tightness(words.get(i));
      int hereDepth = before.breakDepth(words.get(i));
      boolean isLooser = hereDepth < depth || hereDepth == depth && here < tightness;
      if (here != Word.NEVER && isLooser) {
        places.clear();
        depth = hereDepth;
        tightness = here;
      }
      if (here != Word.NEVER && hereDepth == depth && here == tightness) {
        places.add(i);
      }
    }
    return places;
  }

  private String line(int start, int end, int indent) {
    StringBuilder line = new StringBuilder(" ".repeat(indent));
    for (int i = start; i < end; i++) {
      line.append(i > start && words.get(i - 1).isApartFrom(words.get(i)) ? " " : "").append(words.get(i).text());
    }
    return line.toString();
  }
}
