package dev.einfall.ir.loop;

import dev.einfall.ir.Span;
import java.util.List;

/// A loop nest over buffers that the caller provides. `PARALLEL` loops stand only at the outside, one directly in the
/// other; a backend sees at most one, whose iterations are the tasks that threads share.
///
/// Parameters never overlap in memory, unless both are only read.
public record Kernel(String name, List<Buffer> parameters, Stmt body, Span span) {
  public Kernel {
    parameters = List.copyOf(parameters);
  }

  public Kernel withBody(Stmt newBody) {
    return newBody == body ? this : new Kernel(name, parameters, newBody, span);
  }
}
