package dev.einfall.passes.reduce;

import dev.einfall.passes.algebra.Polynomial;
import java.util.List;

/// How a member of a chain follows from what is kept: `shift`, plus the sum of the parts.
///
/// @param shift and the factors of the parts may depend on other members: they are applied at the end
record Plan(Chain.Member member, Polynomial shift, List<Part> parts) {
  Plan {
    parts = List.copyOf(parts);
  }

  /// `factor` times what is kept, or times its exponential if it is `outer`; 0 where a `masked` part has no element.
  record Part(Polynomial factor, Accumulator kept, boolean outer, boolean masked) {
    /// Whether what is kept needs no correction.
    boolean isPlain() {
      return kept instanceof Accumulator.Plain;
    }
  }

  /// Whether all that is kept for it needs no correction.
  boolean isPlain() {
    return parts.stream().allMatch(Part::isPlain);
  }
}
