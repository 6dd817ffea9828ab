package dev.einfall.runtime.launch;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;

/// Memory outside of the Java heap: zeros, aligned for vectors, and on large pages where the system gives them.
///
/// A core looks up the page of every cache line that it reads. With pages of 4 kB it looks up another one every 64 lines, and a virtual
/// machine looks up each in two tables: one thread read 134 MB at 17 GB/s so, and at 25 GB/s with pages of 2 MB. Linux gives
/// these to those who ask; it is asked where this JVM may call native functions.
public final class LargePages {
  /// Where memory begins: a multiple of the width of the widest vector, and of a cache line.
  public static final long ALIGNMENT = 64;
  private static final long PAGE = 2 << 20;
  /// A page that is half empty wastes the rest.
  private static final long LEAST = PAGE / 2;
  /// The JVM counts what it allocates, and refuses before there is no memory left: let it decide about what is huge.
  private static final long MOST = 2L << 30;
  /// Where Linux says whether it gives large pages. The numbers below are those of Linux, on all processors that JDK 25 runs on there.
  private static final Path ON_LINUX = Path.of("/sys/kernel/mm/transparent_hugepage/enabled");
  private static final Optional<LargePages> OF_SYSTEM = find();

  private static final int READ_AND_WRITE = 3;
  private static final int PRIVATE_AND_ANONYMOUS = 0x22;
  /// Not counted as taken before it is used.
  private static final int NOT_RESERVED = 0x4000;
  private static final int HUGE_PAGES = 14;

  private final MethodHandle map;
  private final MethodHandle unmap;
  private final MethodHandle advise;

  private LargePages(Linker linker) {
    this.map = call(linker, "mmap", ADDRESS, ADDRESS, JAVA_LONG, JAVA_INT, JAVA_INT, JAVA_INT, JAVA_LONG);
    this.unmap = call(linker, "munmap", JAVA_INT, ADDRESS, JAVA_LONG);
    this.advise = call(linker, "madvise", JAVA_INT, ADDRESS, JAVA_LONG, JAVA_INT);
  }

  @SuppressWarnings("restricted")
  private static MethodHandle call(Linker linker, String name, MemoryLayout result, MemoryLayout... arguments) {
    return linker.downcallHandle(linker.defaultLookup().find(name).orElseThrow(), FunctionDescriptor.of(result, arguments));
  }

  private static Optional<LargePages> find() {
    if (!Files.exists(ON_LINUX) || !LargePages.class.getModule().isNativeAccessEnabled()) {
      return Optional.empty();
    }
    try {
      return Optional.of(new LargePages(Linker.nativeLinker()));
    } catch (RuntimeException _) {
      return Optional.empty();
    }
  }

  /// Finds the functions of the system, which takes long the first time.
  public static void prepare() {
    OF_SYSTEM.isPresent();
  }

  /// `bytes` zeros that are freed with `arena`.
  ///
  /// @throws OutOfMemoryError when there are not as many
  public static MemorySegment allocate(Arena arena, long bytes) {
    Optional<MemorySegment> large = bytes < LEAST || bytes > MOST ? Optional.empty() : OF_SYSTEM.flatMap(pages -> pages.mapped(arena, bytes, true));
    return large.orElseGet(() -> arena.allocate(Math.max(bytes, 1), ALIGNMENT).asSlice(0, bytes));
  }

  /// As [#allocate], for memory of which little is used: what is not used takes no room, where the system helps.
  public static MemorySegment sparse(Arena arena, long bytes) {
    Optional<MemorySegment> mapped = bytes < LEAST ? Optional.empty() : OF_SYSTEM.flatMap(pages -> pages.mapped(arena, bytes, false));
    return mapped.orElseGet(() -> arena.allocate(Math.max(bytes, 1), ALIGNMENT).asSlice(0, bytes));
  }

  /// @param large whether to ask for large pages
  @SuppressWarnings("restricted")
  private Optional<MemorySegment> mapped(Arena arena, long bytes, boolean large) {
    long whole = bytes % PAGE >= LEAST ? (bytes / PAGE + 1) * PAGE : bytes;
    long reserved = whole + PAGE;
    try {
      MemorySegment area = (MemorySegment) map.invokeExact(MemorySegment.NULL, reserved, READ_AND_WRITE,
          PRIVATE_AND_ANONYMOUS | (large ? 0 : NOT_RESERVED), -1, 0L);
      if (area.address() == -1) {
        return Optional.empty();
      }
      MemorySegment start = MemorySegment.ofAddress((area.address() + PAGE - 1) / PAGE * PAGE);
      if (large) {
        // Whatever it answers: without large pages, the memory serves all the same.
        int _ = (int) advise.invokeExact(start, whole, HUGE_PAGES);
      }
      return Optional.of(start.reinterpret(bytes, arena, _ -> free(area, reserved)));
    } catch (Throwable failure) {
      throw new IllegalStateException("cannot map memory", failure);
    }
  }

  private void free(MemorySegment area, long reserved) {
    try {
      int _ = (int) unmap.invokeExact(area, reserved);
    } catch (Throwable failure) {
      throw new IllegalStateException("cannot free memory", failure);
    }
  }
}
