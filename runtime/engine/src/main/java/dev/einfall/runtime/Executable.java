package dev.einfall.runtime;

import dev.einfall.backends.KernelFault;
import java.util.List;

/// A program compiled for certain sizes.
interface Executable {

  /// Computes the outputs, in order, from the inputs, in order and of the right types and shapes. Safe for many threads.
  ///
  /// @throws KernelFault when the values of an input are at fault, such as an index outside a table
  List<Tensor> run(List<Tensor> inputs);

  /// Who uses it: callers of [#run], and the cache that owns it.
  Usage usage();
}
