package dev.einfall.backends.jvm;

import dev.einfall.backends.CompiledKernel;
import dev.einfall.ir.Diagnostic;
import dev.einfall.ir.loop.Kernel;
import java.util.List;
import java.util.function.Consumer;

/// Turns kernels into bytecode: a hidden class each.
public record JvmBackend(JvmOptions options) {

  /// A kernel and memory for it to run on, before there is real work: see [CompiledKernel#rehearse].
  public record Rehearsal(CompiledKernel kernel, long[] addresses, long scratch) {}

  /// The kernels compiled to bytecode, in order. Kernels that are equal but for the identity of their parameters should
  /// be given once.
  public List<CompiledKernel> compile(List<Kernel> kernels, Consumer<Diagnostic> remarks) {
    throw new UnsupportedOperationException("not yet");
  }

  /// Runs all kernels on tiny extents, in turn, until the just-in-time compiler has compiled them. What they store is
  /// meaningless. Remarks name kernels that stay slow.
  public void warmUp(List<Rehearsal> rehearsals, Consumer<Diagnostic> remarks) {
    throw new UnsupportedOperationException("not yet");
  }

  /// The class file of a kernel, for people to look at.
  public byte[] classFile(Kernel kernel) {
    throw new UnsupportedOperationException("not yet");
  }
}
