package dev.einfall.passes.analysis;

import dev.einfall.ir.cascade.Tensor;
import java.util.List;

/// What a value is computed of: an element of a tensor, or a reduction.
sealed interface Operand permits Operand.Read, Scope {

  /// An access. What picks its arbitrary indices is another operand of the same scope.
  record Read(Tensor tensor, List<Index> indices) implements Operand {}
}
