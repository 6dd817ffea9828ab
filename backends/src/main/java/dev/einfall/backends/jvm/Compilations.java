package dev.einfall.backends.jvm;

import java.util.LinkedHashSet;
import java.util.Set;
import javax.management.JMException;

/// What HotSpot's optimizing compiler has done with generated methods, and what it still has to do. Methods are named
/// `package.Class.method`, with `+` for `/`.
final class Compilations {
  private static final String GENERATED = KernelCode.PACKAGE.replace('/', '.');
  /// Tier 4, in use.
  private static final String OPTIMIZED = " 4 0 ";

  private Compilations() {}

  /// The name of `method` of `kernel`.
  static String name(Generated kernel, String method) {
    return kernel.code().getClass().getName().replace('/', '+') + "." + method;
  }

  /// The methods that are compiled and in use. HotSpot writes down all code that it has, which takes about 20 ms; empty where it cannot be asked.
  static Set<String> compiled() {
    try {
      return compiled(CompilerDirectives.command("compilerCodelist"));
    } catch (JMException e) {
      return Set.of();
    }
  }

  /// The methods that are being compiled, or wait for it. It takes a fraction of a millisecond to ask; empty where that is not possible.
  static Set<String> pending() {
    try {
      return pending(CompilerDirectives.command("compilerQueue"));
    } catch (JMException e) {
      return Set.of();
    }
  }

  /// Those in `list`, whose lines are `number tier state package.Class.method(types)result ...`. There are thousands, few of them
  /// about generated methods: searching for these keeps HotSpot from compiling code that takes lines apart instead of kernels.
  private static Set<String> compiled(String list) {
    Set<String> methods = new LinkedHashSet<>();
    for (int at = list.indexOf(GENERATED); at >= 0; at = list.indexOf(GENERATED, at + 1)) {
      int open = list.indexOf('(', at);
      if (open >= 0 && list.startsWith(OPTIMIZED, at - OPTIMIZED.length())) {
        methods.add(list.substring(at, open).replace('/', '+'));
      }
    }
    return methods;
  }

  /// Those in `queue`, whose lines are `number tier package.Class::method (7 bytes)`. A line with `@` is about the rest of a loop that runs,
  /// and not about the method.
  private static Set<String> pending(String queue) {
    Set<String> methods = new LinkedHashSet<>();
    for (int at = queue.indexOf(GENERATED); at >= 0; at = queue.indexOf(GENERATED, at + 1)) {
      int open = queue.indexOf(" (", at);
      String method = open < 0 ? "" : queue.substring(at, open);
      if (!method.contains("@")) {
        methods.add(method.replace('/', '+').replace("::", "."));
      }
    }
    return methods;
  }
}
