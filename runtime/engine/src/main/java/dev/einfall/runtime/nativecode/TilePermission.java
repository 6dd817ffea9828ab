package dev.einfall.runtime.nativecode;

import dev.einfall.ir.InternalException;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Set;

/// The permission to use the registers for tiles of AMX, which Linux saves for those processes that have asked.
final class TilePermission {
  /// The number of the system call `arch_prctl` on x86-64, its request, and what is asked for.
  private static final long ARCH_PRCTL = 158;
  private static final long REQUEST_PERMISSION = 0x1023;
  private static final long TILE_DATA = 18;

  private TilePermission() {}

  /// Asks for it, where there is somebody to ask. To ask again changes nothing.
  ///
  /// @param macros what a compiler defines for this machine
  @SuppressWarnings("restricted") // The function is one of the C library.
  static boolean request(Set<String> macros) {
    if (!macros.contains("__linux__") || !macros.contains("__x86_64__")) {
      return true;
    }
    Linker linker = Linker.nativeLinker();
    MemorySegment call = linker.defaultLookup().findOrThrow("syscall");
    FunctionDescriptor type = FunctionDescriptor.of(ValueLayout.JAVA_LONG, ValueLayout.JAVA_LONG, ValueLayout.JAVA_LONG, ValueLayout.JAVA_LONG);
    try {
      return (long) linker.downcallHandle(call, type, Linker.Option.firstVariadicArg(1)).invokeExact(ARCH_PRCTL, REQUEST_PERMISSION, TILE_DATA) == 0;
    } catch (Throwable e) {
      throw new InternalException("asking for registers for tiles", e);
    }
  }
}
