package dev.einfall.frontend;

import java.util.Collection;
import java.util.Comparator;

/// Names that a user may have meant.
final class Spelling {
  private static final int LONGEST = 60;

  private Spelling() {}

  /// `; did you mean `x`?` for the name that is spelled most like `name`, or nothing.
  static String suggestion(String name, Collection<String> known) {
    int limit = name.length() <= 2 ? 0 : name.length() <= 5 ? 1 : 2;
    return known.stream()
        .filter(other -> !other.equals(name) && Math.max(name.length(), other.length()) <= LONGEST)
        .filter(other -> other.equalsIgnoreCase(name) || begins(name, other) || distance(name, other) <= limit)
        .min(Comparator.comparingInt(other -> distance(name, other)))
        .map(other -> "; did you mean `" + other + "`?")
        .orElse("");
  }

  /// Whether one name is the other with a few letters more.
  private static boolean begins(String name, String other) {
    boolean isPart = name.startsWith(other) || other.startsWith(name);
    return isPart && Math.min(name.length(), other.length()) > 2 && Math.abs(name.length() - other.length()) <= 3;
  }

  /// The least number of insertions, deletions, replacements and swaps of neighbours that make `right` of `left`.
  private static int distance(String left, String right) {
    int[][] least = new int[left.length() + 1][right.length() + 1];
    for (int i = 0; i <= left.length(); i++) {
      for (int j = 0; j <= right.length(); j++) {
        least[i][j] = i == 0 ? j : j == 0 ? i : least(least, left, right, i, j);
      }
    }
    return least[left.length()][right.length()];
  }

  private static int least(int[][] least, String left, String right, int i, int j) {
    int replaced = least[i - 1][j - 1] + (left.charAt(i - 1) == right.charAt(j - 1) ? 0 : 1);
    int moved = Math.min(replaced, 1 + Math.min(least[i - 1][j], least[i][j - 1]));
    boolean swaps = i > 1 && j > 1
        && left.charAt(i - 1) == right.charAt(j - 2) && left.charAt(i - 2) == right.charAt(j - 1);
    return swaps ? Math.min(moved, least[i - 2][j - 2] + 1) : moved;
  }
}
