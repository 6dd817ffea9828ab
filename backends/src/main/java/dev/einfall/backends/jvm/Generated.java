package dev.einfall.backends.jvm;

import dev.einfall.backends.CompiledKernel;
import dev.einfall.ir.Span;
import java.util.Set;

/// An instance of a generated class, and what the backend knows about it.
///
/// @param compiledMethods the methods that the JIT compiles on their own; others are inlined
record Generated(CompiledKernel code, Span span, Set<String> compiledMethods) implements CompiledKernel {

  @Override
  public int tasks() {
    return code.tasks();
  }

  @Override
  public long scratchBytes() {
    return code.scratchBytes();
  }

  @Override
  public void run(long[] addresses, long scratch, int begin, int end) {
    code.run(addresses, scratch, begin, end);
  }

  @Override
  public void rehearse(long[] addresses, long scratch) {
    code.rehearse(addresses, scratch);
  }

  @Override
  public String toString() {
    return code.toString();
  }
}
