package dev.einfall.backends.jvm;

import java.util.Arrays;
import java.util.LinkedHashSet;
import java.util.Map;
import java.util.Set;

/// The class of a kernel before it is defined. It depends on the kernel, the shape and the options of the backend alone, and holds no
/// addresses: another process may define it.
///
/// @param name the kernel's name
/// @param methods the size in bytes of each method that holds the kernel's code, by name
public record KernelCode(String name, byte[] classFile, Map<String, Integer> methods) {
  /// HotSpot compiles no method that is as large.
  static final int NEVER_COMPILED_BYTES = 8_000;
  /// HotSpot's `FreqInlineSize`.
  static final int MAX_INLINED_BYTES = 325;
  static final String PACKAGE = "dev/einfall/generated/";
  /// The method with the loop over tasks.
  static final String LOOP = "loop";

  /// Whether `other` is the same class file.
  public boolean hasSameClass(KernelCode other) {
    return Arrays.equals(classFile, other.classFile);
  }

  /// The methods that the JIT compiles on their own: the loop over tasks, and those that are too large to inline.
  Set<String> compiledMethods() {
    Set<String> large = new LinkedHashSet<>(Set.of(LOOP));
    methods.forEach((method, size) -> {
      if (size > MAX_INLINED_BYTES) {
        large.add(method);
      }
    });
    return large;
  }
}
