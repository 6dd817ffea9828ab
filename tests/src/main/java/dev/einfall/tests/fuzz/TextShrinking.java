package dev.einfall.tests.fuzz;

import java.util.ArrayList;
import java.util.List;
import java.util.function.Predicate;

/// Makes a text that fails smaller while it still fails: runs of lines are left out, then runs of tokens, long runs first.
final class TextShrinking {
  private static final int MOST_TRIES = 3000;
  private static final long MOST_NANOS = 20_000_000_000L;

  private final Predicate<String> fails;
  private final long begin = System.nanoTime();
  private int tries;

  private TextShrinking(Predicate<String> fails) {
    this.fails = fails;
  }

  static String shrink(String text, Predicate<String> fails) {
    TextShrinking shrinking = new TextShrinking(fails);
    String smaller = shrinking.without(List.of(text.split("(?<=\n)")));
    return shrinking.without(parts(Tokens.of(smaller)));
  }

  private static List<String> parts(Tokens tokens) {
    return tokens.size() == 0 ? List.of() : tokens.get(new Tokens.Range(0, tokens.size()));
  }

  private String without(List<String> parts) {
    List<String> left = new ArrayList<>(parts);
    for (int length = Math.max(1, left.size() / 2); length >= 1; length /= 2) {
      for (int start = 0; start < left.size() && isWorthwhile(); ) {
        List<String> fewer = new ArrayList<>(left);
        fewer.subList(start, Math.min(left.size(), start + length)).clear();
        if (fails.test(String.join("", fewer))) {
          left = fewer;
        } else {
          start += length;
        }
      }
    }
    return String.join("", left);
  }

  private boolean isWorthwhile() {
    return tries++ < MOST_TRIES && System.nanoTime() - begin < MOST_NANOS;
  }
}
