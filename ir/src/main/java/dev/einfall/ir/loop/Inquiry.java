package dev.einfall.ir.loop;

import dev.einfall.ir.loop.Facts.Fact;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/// How far the questions about one place of a kernel are followed. A fact about a sum leads to other sums, these to other facts,
/// and each minimum or maximum to two sums: to follow all takes time that is exponential in the facts. So they are followed up to
/// a number of sums; later ones get the ranges of their atoms added up, which are right and may be wider.
final class Inquiry {
  /// The most sums that are looked into by facts about others.
  private static final int SUMS = 500;

  private final Map<List<Fact>, Ranges> parts = new HashMap<>();
  private int sums;

  /// Whether facts may be used for one more sum.
  boolean goesOn() {
    if (sums < SUMS) {
      sums++;
      return true;
    }
    return false;
  }

  /// What is known by `fewer` of the facts: the same, whichever atoms were left out first.
  Ranges part(Facts fewer) {
    Ranges part = parts.get(fewer.facts());
    if (part == null) {
      part = new Ranges(fewer, this);
      parts.put(fewer.facts(), part);
    }
    return part;
  }
}
