package dev.einfall.runtime.tuning;

import dev.einfall.passes.Decision;
import dev.einfall.passes.Decisions;
import java.util.List;

/// Where a program is compiled with one choice after another, and run.
public interface Workbench {

  /// The program with the choices that `findings` makes. The caller closes it.
  Sample make(Decisions.Findings findings);

  /// The program, compiled.
  interface Sample extends AutoCloseable {

    /// What there was to decide, with what was chosen, in order; some may be equal.
    List<Decision> decisions();

    /// Names for the launches of a run, in order: equal for those of equal code.
    List<String> launches();

    /// Runs it once.
    ///
    /// @return the nanoseconds of each launch
    long[] run();

    @Override
    void close();
  }
}
