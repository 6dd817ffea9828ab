package dev.einfall.tests.cases;

import dev.einfall.backends.reference.Array;
import dev.einfall.ir.Diagnostic;
import dev.einfall.passes.Pass;
import java.util.Map;
import java.util.SortedMap;
import java.util.function.Consumer;

/// A program at one of the levels that passes work on: what a case runs its passes over.
interface Stage {

  /// The program as text.
  String text();

  /// What [#text] gives when it is read and printed again.
  String textReadBack();

  /// @throws dev.einfall.ir.InternalException if the program breaks a rule of its level
  void verify();

  Stage apply(Pass pass, Consumer<Diagnostic> remarks);

  /// Pseudo-random arrays for everything that the program reads, by a name that is the same at all levels.
  Map<String, Array> randomInputs(SortedMap<String, Long> sizes);

  /// What the reference interpreter makes of `inputs`, by name.
  Map<String, Array> run(Map<String, Array> inputs);

  /// A pass that cannot run on this level.
  static IllegalArgumentException misplaced(Pass pass, String level) {
    return new IllegalArgumentException(pass.name() + " does not run on " + level);
  }

  static Array randomInput(Map<String, Array> soFar, dev.einfall.ir.ElementType type, int... shape) {
    return Array.random(type, 1000 + soFar.size(), shape);
  }
}
