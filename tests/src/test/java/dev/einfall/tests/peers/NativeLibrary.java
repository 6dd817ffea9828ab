package dev.einfall.tests.peers;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodHandles;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;

/// A shared library of a peer, called by its C interface.
final class NativeLibrary {
  /// Where `tests/peers` unpacks them, on Linux with a processor of the x86-64 family.
  private static final Path UNPACKED = Path.of("target", "peers", "native", "org", "bytedeco");
  private static final String PLATFORM = "linux-x86_64";
  /// Resolve all symbols at once, and let libraries that are loaded later find them (`RTLD_NOW | RTLD_GLOBAL`).
  private static final int NOW_AND_GLOBAL = 0x102;

  private final Linker linker = Linker.nativeLinker();
  private final SymbolLookup symbols;

  /// A function and its arguments.
  record Call(String name, MethodHandle bound) {
    /// What is in the register of integers after the call: nothing that means anything, where the function returns nothing.
    long make() {
      try {
        return (long) bound.invokeExact();
      } catch (Throwable e) {
        throw new IllegalStateException(name, e);
      }
    }
  }

  private NativeLibrary(SymbolLookup symbols) {
    this.symbols = symbols;
  }

  private static Path path(String project, String file) {
    return UNPACKED.resolve(project).resolve(PLATFORM).resolve(file).toAbsolutePath();
  }

  /// Whether `tests/peers` could unpack the library `file` of `project`.
  static boolean isThere(String project, String file) {
    return Files.exists(path(project, file));
  }

  /// Loads a library for good.
  @SuppressWarnings("restricted")
  static NativeLibrary load(String project, String file) {
    Path path = path(project, file);
    try (Arena arena = Arena.ofConfined()) {
      new NativeLibrary(Linker.nativeLinker().defaultLookup()).call("dlopen", arena.allocateFrom(path.toString()), NOW_AND_GLOBAL).make();
    }
    return new NativeLibrary(SymbolLookup.libraryLookup(path, Arena.global()));
  }

  /// A call that can be made many times. The parameters have the types of the arguments: `Integer`, `Long`, `Float` or `MemorySegment`.
  @SuppressWarnings("restricted")
  Call call(String name, Object... arguments) {
    MemorySegment function = symbols.find(name).orElseThrow(() -> new IllegalStateException("no function " + name));
    MemoryLayout[] parameters = Arrays.stream(arguments).map(NativeLibrary::layout).toArray(MemoryLayout[]::new);
    MethodHandle handle = linker.downcallHandle(function, FunctionDescriptor.of(JAVA_LONG, parameters));
    return new Call(name, MethodHandles.insertArguments(handle, 0, arguments));
  }

  private static MemoryLayout layout(Object argument) {
    return switch (argument) {
      case Integer _ -> JAVA_INT;
      case Long _ -> JAVA_LONG;
      case Float _ -> JAVA_FLOAT;
      case MemorySegment _ -> ADDRESS;
      default -> throw new IllegalArgumentException("no parameter of C is a " + argument.getClass());
    };
  }
}
