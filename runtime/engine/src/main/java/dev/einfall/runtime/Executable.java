package dev.einfall.runtime;

import dev.einfall.backends.KernelFault;
import dev.einfall.runtime.launch.Usage;
import java.util.List;
import java.util.Set;

/// A program compiled for certain sizes.
sealed interface Executable permits CompiledPlan, DevicePlan, ReferenceExecutable {

  /// Computes the outputs, in order, from the inputs, in order and of the right types and shapes. Safe for many threads.
  ///
  /// @param givenUp the positions of the inputs whose memory outputs may take, which closes these inputs
  /// @throws KernelFault when the values of an input are at fault, such as an index outside a table
  List<Tensor> run(List<Tensor> inputs, Set<Integer> givenUp);

  /// Who uses it: callers of [#run], and the cache that owns it.
  Usage usage();
}
