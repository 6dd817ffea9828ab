package dev.einfall.backends.jvm;

import dev.einfall.backends.CompiledKernel;
import dev.einfall.backends.Team;
import dev.einfall.generated.Anchor;
import dev.einfall.ir.InternalException;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.MethodType;
import java.util.Map;
import java.util.Set;

/// An instance of a generated class, and what the backend knows about it.
///
/// @param written its class
/// @param compiledMethods the methods that the JIT compiles on their own; others are inlined
public record Generated(CompiledKernel code, KernelCode written, Set<String> compiledMethods) implements CompiledKernel {
  @SuppressWarnings("restricted") // Everything in bounds is proved by the KernelVerifier, and nothing else is checked.
  private static final MemorySegment EVERYTHING = MemorySegment.NULL.reinterpret(Long.MAX_VALUE);

  /// Defines a hidden class, and makes the instance of it.
  public static Generated define(KernelCode written) {
    try {
      MethodHandles.Lookup lookup = MethodHandles.privateLookupIn(Anchor.class, MethodHandles.lookup());
      MethodHandles.Lookup defined = lookup.defineHiddenClassWithClassData(written.classFile(), EVERYTHING, true);
      CompiledKernel code = (CompiledKernel) defined
          .findConstructor(defined.lookupClass(), MethodType.methodType(void.class)).invoke();
      return new Generated(code, written, written.compiledMethods());
    } catch (Throwable e) {
      throw new InternalException("cannot define the class of kernel " + written.name(), e);
    }
  }

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
