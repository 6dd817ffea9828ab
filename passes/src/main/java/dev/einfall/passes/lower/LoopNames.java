package dev.einfall.passes.lower;

import dev.einfall.ir.cascade.Rank;
import dev.einfall.ir.loop.Var;
import java.util.LinkedHashSet;
import java.util.Set;

/// The names of a kernel's loops: each once, by which its schedule knows them.
final class LoopNames {
  private final Set<String> taken = new LinkedHashSet<>();

  /// The names taken at some moment.
  record Mark(Set<String> taken) {}

  /// A counter of its own name for a loop over `rank`.
  Var counter(Rank rank) {
    String stem = rank.name();
    String candidate = stem;
    for (char letter = 'a'; !taken.add(candidate); letter++) {
      if (letter > 'z') {
        stem += "z";
        letter = 'a';
      }
      candidate = stem + letter;
    }
    return Var.counter(candidate);
  }

  Mark mark() {
    return new Mark(new LinkedHashSet<>(taken));
  }

  /// Frees the names taken since `mark`: a copy of the loops is scheduled as the original is.
  void reset(Mark mark) {
    taken.retainAll(mark.taken);
  }
}
