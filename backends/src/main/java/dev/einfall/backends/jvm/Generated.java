package dev.einfall.backends.jvm;

import dev.einfall.backends.CompiledKernel;
import dev.einfall.backends.Team;
import dev.einfall.ir.Span;
import java.util.Map;
import java.util.Set;

/// An instance of a generated class, and what the backend knows about it.
///
/// @param span the place of the kernel in the source
/// @param written its class
/// @param compiledMethods the methods that the JIT compiles on their own; others are inlined
record Generated(CompiledKernel code, Span span, KernelCode written, Set<String> compiledMethods)
    implements CompiledKernel {

  /// The size in bytes of each method that holds code of the kernel.
  Map<String, Integer> methods() {
    return written.methods();
  }

  @Override
  public int tasks() {
    return code.tasks();
  }

  @Override
  public long scratchBytes() {
    return code.scratchBytes();
  }

  @Override
  public int sections() {
    return code.sections();
  }

  @Override
  public void run(long[] addresses, long scratch, int begin, int end, Team team) {
    code.run(addresses, scratch, begin, end, team);
  }

  @Override
  public void section(int section, long[] arguments, long scratch, int begin, int end) {
    code.section(section, arguments, scratch, begin, end);
  }

  @Override
  public void rehearse(long[] addresses, long scratch, Team team) {
    code.rehearse(addresses, scratch, team);
  }

  @Override
  public String toString() {
    return code.toString();
  }
}
