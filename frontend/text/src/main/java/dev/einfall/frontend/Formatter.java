package dev.einfall.frontend;

import dev.einfall.frontend.Word.Role;
import dev.einfall.ir.InternalException;
import dev.einfall.ir.Source;
import java.util.ArrayList;
import java.util.List;

/// Lays out an `.ein` file in the one canonical way: an item a line, two spaces a level of `{`, lines up to 120 characters,
/// which break at the loosest place. Comments stay, and one blank line where there were any.
///
/// ```
/// def f(X:f32[N])->f32[N]{          def f(X: f32[N]) -> f32[N] {
///   Y[n]=-X [n]  # the negative       Y[n] = -X[n]  # the negative
///   return Y}                  =>     return Y
///                                   }
/// ```
///
/// A block of one item that stands on one line stays there if it fits. What a program means does not change, and a text
/// in the canonical layout stays as it is.
public final class Formatter {
  private static final int INDENT = 2;
  private static final int CONTINUATION = 4;

  private final List<Word> words;
  private final StringBuilder text = new StringBuilder();
  private final List<Word> line = new ArrayList<>();
  private int next;
  private int level;
  /// Where the item that stays on its line ends, or the last one did.
  private int flatEnd;
  /// Whether the line is a further one of an item.
  private boolean inItem;

  private Formatter(List<Word> words) {
    this.words = words;
  }

  /// The text of `source` in the canonical layout.
  ///
  /// @throws dev.einfall.ir.CompileException with every syntax error, if there is one
  public static String format(Source source) {
    Diagnostics diagnostics = new Diagnostics();
    SyntaxReader.read(source, diagnostics);
    diagnostics.throwIfAny();
    List<Word> words = Words.of(source);
    String text = new Formatter(words).text();
    if (!texts(Words.of(new Source(source.name(), text))).equals(texts(words))) {
      throw new InternalException("formatting would change what " + source.name() + " says");
    }
    return text;
  }

  private static List<String> texts(List<Word> words) {
    return words.stream().map(Word::text).toList();
  }

  private String text() {
    for (next = 0; next < words.size(); next++) {
      Word word = words.get(next);
      switch (word.role()) {
        case COMMENT -> comment(word);
        case BLOCK -> {
          line.add(word);
          openBlock();
        }
        case BLOCK_END -> closeBlock(word);
        default -> {
          if (word.startsItem()) {
            startItem(word);
          }
          line.add(word);
        }
      }
    }
    endLine();
    return text.toString();
  }

  private void startItem(Word word) {
    if (next >= flatEnd) {
      endLine();
      inItem = false;
      blankLine(word);
      int end = end(next);
      flatEnd = isFlat(next, end) ? end : next;
    }
  }

  private void openBlock() {
    boolean isEmpty = next + 1 < words.size() && words.get(next + 1).role() == Role.BLOCK_END;
    if (next >= flatEnd && !isEmpty) {
      boolean commented = next + 1 < words.size() && isTrailing(next + 1);
      if (!commented) {
        endLine();
        inItem = false;
      }
      level++;
    }
  }

  private void closeBlock(Word word) {
    boolean isEmpty = words.get(next - 1).role() == Role.BLOCK;
    if (next >= flatEnd && !isEmpty) {
      endLine();
      level--;
      inItem = false;
    }
    line.add(word);
  }

  /// A comment after something on its line stays there; another has a line of its own.
  private void comment(Word comment) {
    if (isTrailing(next)) {
      endLine(words.get(next - 1).role() == Role.BLOCK ? level - 1 : level, "  " + comment.text());
      inItem = inItem && isInside(next + 1);
      return;
    }
    boolean inside = inItem(next + 1);
    endLine();
    if (!inside) {
      inItem = false;
      blankLine(comment);
    }
    text.repeat(' ', INDENT * level + (inside ? CONTINUATION : 0)).append(comment.text()).append('\n');
  }

  private boolean isTrailing(int index) {
    return words.get(index).role() == Role.COMMENT && index > 0
        && words.get(index - 1).line() == words.get(index).line();
  }

  private boolean inItem(int index) {
    return (inItem || !line.isEmpty() && line.getLast().role() != Role.BLOCK_END) && isInside(index);
  }

  /// Whether the item before goes on at `index`, after comments.
  private boolean isInside(int index) {
    for (int i = index; i < words.size(); i++) {
      Word word = words.get(i);
      if (word.role() != Role.COMMENT) {
        return !word.startsItem() && word.role() != Role.BLOCK_END;
      }
    }
    return false;
  }

  /// One blank line before `word` if there were any, or if a block at the top ends before it.
  private void blankLine(Word word) {
    if (next == 0 || words.get(next - 1).role() == Role.BLOCK) {
      return;
    }
    Word before = words.get(next - 1);
    if (word.line() - before.line() > 1 || level == 0 && endsLongBlock()) {
      text.append('\n');
    }
  }

  private boolean endsLongBlock() {
    int length = text.length();
    return length > 2 && text.substring(length - 3).equals("\n}\n");
  }

  /// The index after the item that starts at `start`.
  private int end(int start) {
    int blocks = 0;
    for (int i = start; i < words.size(); i++) {
      Word word = words.get(i);
      if (blocks == 0 && i > start && (word.startsItem() || word.role() == Role.BLOCK_END)) {
        return i;
      }
      blocks += word.role() == Role.BLOCK ? 1 : word.role() == Role.BLOCK_END ? -1 : 0;
    }
    return words.size();
  }

  /// Whether an item with blocks stays on its line: it is on one, each block has one item, and it fits.
  private boolean isFlat(int start, int end) {
    List<Word> item = words.subList(start, end);
    List<Word> own = item.stream().filter(word -> word.role() != Role.COMMENT).toList();
    boolean oneLine = own.getFirst().line() == own.getLast().line();
    int inBlock = 0;
    for (Word word : own) {
      inBlock = word.role() == Role.BLOCK ? 0 : inBlock + (word.startsItem() ? 1 : 0);
      if (inBlock > 1) {
        return false;
      }
    }
    return oneLine && INDENT * level + LineBreaks.width(own) <= LineBreaks.LENGTH;
  }

  private void endLine() {
    endLine(level, "");
  }

  private void endLine(int depth, String comment) {
    if (!line.isEmpty()) {
      int indent = INDENT * depth;
      int start = inItem ? indent + CONTINUATION : indent;
      text.append(String.join("\n", LineBreaks.lines(line, start))).append(comment).append('\n');
      inItem = line.getLast().role() != Role.BLOCK_END;
      line.clear();
    }
  }
}
