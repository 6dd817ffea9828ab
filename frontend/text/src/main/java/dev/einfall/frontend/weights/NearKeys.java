package dev.einfall.frontend.weights;

import java.util.Collection;
import java.util.Comparator;
import java.util.List;
import java.util.stream.Collectors;

/// Names that a user may have meant.
public final class NearKeys {
  private static final int SHOWN = 3;

  private NearKeys() {}

  /// `; did you mean 'x' or 'y'?` for the names that are spelled much like `key`, nearest first; empty if there are none.
  public static String suggestion(String key, Collection<String> names) {
    int limit = Math.max(2, key.length() / 4);
    List<String> near = names.stream()
        .filter(name -> Math.abs(name.length() - key.length()) <= limit && distance(key, name) <= limit)
        .sorted(Comparator.comparingInt(name -> distance(key, name)))
        .limit(SHOWN)
        .toList();
    return near.isEmpty() ? ""
        : "; did you mean " + near.stream().map(name -> "'" + name + "'").collect(Collectors.joining(" or ")) + "?";
  }

  /// The least number of insertions, deletions and replacements of a character that make `left` of `right`.
  private static int distance(String left, String right) {
    int[] previous = new int[right.length() + 1];
    for (int j = 0; j <= right.length(); j++) {
      previous[j] = j;
    }
    for (int i = 1; i <= left.length(); i++) {
      int[] current = new int[right.length() + 1];
      current[0] = i;
      for (int j = 1; j <= right.length(); j++) {
        int replaced = previous[j - 1] + (left.charAt(i - 1) == right.charAt(j - 1) ? 0 : 1);
        current[j] = Math.min(replaced, 1 + Math.min(previous[j], current[j - 1]));
      }
      previous = current;
    }
    return previous[right.length()];
  }
}
