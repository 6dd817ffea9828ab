package dev.einfall.ir.loop;

import dev.einfall.ir.Span;
import java.util.List;

/// A loop nest over buffers that the caller provides. `PARALLEL` loops stand at the outside, one directly in the other; a backend
/// sees at most one there, whose iterations are the tasks that threads share.
///
/// Where none is at the outside they may stand inside, such as in the steps of a recurrence, but not in each other. There is one task then,
/// and threads share the iterations of each such loop: all that comes before it is done when it begins, and all of them are when it ends.
///
/// ```
/// for t in 0..T {
///   parallel for m1 in 0..16 { .. S[m1 * 16 + m0] = .. H[k] .. }
///   for m in 0..256 { H[m] = .. S[m] .. }
/// }
/// ```
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
