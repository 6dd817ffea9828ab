package dev.einfall.runtime.nativecode;

import dev.einfall.backends.CompiledKernel;
import dev.einfall.backends.KernelFault;
import dev.einfall.backends.Team;
import dev.einfall.backends.c.CKernel;
import dev.einfall.ir.InternalException;
import dev.einfall.runtime.plans.StoredCode;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.MethodType;
import java.util.List;

/// A kernel in a loaded library.
///
/// Its scratch memory is that of the C functions, and after it what they take in memory: for a run where a fault is told and the addresses of
/// the parameters, and the same for a section.
final class NativeKernel implements CompiledKernel {
  @SuppressWarnings("restricted") // Addresses are those of memory that the caller of a kernel provides.
  private static final MemorySegment EVERYTHING = MemorySegment.NULL.reinterpret(Long.MAX_VALUE);
  private static final long ALIGNMENT = 64;
  /// The bytes of a `struct fault`.
  private static final long FAULT = 16;
  private static final MethodHandle RUN = handle(FunctionDescriptor.of(ValueLayout.JAVA_INT, ValueLayout.JAVA_LONG, ValueLayout.JAVA_LONG,
      ValueLayout.JAVA_INT, ValueLayout.JAVA_INT, ValueLayout.JAVA_LONG, ValueLayout.JAVA_LONG));
  private static final MethodHandle SECTION = handle(FunctionDescriptor.of(ValueLayout.JAVA_INT, ValueLayout.JAVA_INT, ValueLayout.JAVA_LONG,
      ValueLayout.JAVA_LONG, ValueLayout.JAVA_INT, ValueLayout.JAVA_INT, ValueLayout.JAVA_LONG));
  private static final FunctionDescriptor SHARE = FunctionDescriptor.of(ValueLayout.JAVA_INT, ValueLayout.JAVA_LONG, ValueLayout.JAVA_INT,
      ValueLayout.JAVA_LONG, ValueLayout.JAVA_INT, ValueLayout.JAVA_INT, ValueLayout.JAVA_INT);

  /// A run that a thread leads, and what went wrong in a part that others did.
  private static final class Lead {
    private final Team team;
    private RuntimeException failure;

    Lead(Team team) {
      this.team = team;
    }
  }

  private final CKernel kernel;
  /// What its library is kept as.
  private final List<String> key;
  private final MemorySegment run;
  private final MemorySegment section;
  /// A `struct team`, whose function calls back.
  private final MemorySegment team;
  private final ThreadLocal<Lead> lead = new ThreadLocal<>();
  private final long runPlace;
  private final long sectionPlace;
  private final long bytes;

  NativeKernel(CKernel kernel, List<String> key, SymbolLookup library) {
    this.kernel = kernel;
    this.key = key;
    this.run = library.findOrThrow(kernel.name());
    boolean isShared = kernel.sections() > 0;
    this.section = isShared ? library.findOrThrow(kernel.sectionName()) : MemorySegment.NULL;
    this.team = isShared ? team() : MemorySegment.NULL;
    this.runPlace = aligned(kernel.scratchBytes());
    this.sectionPlace = runPlace + aligned(FAULT + (long) Long.BYTES * kernel.parameters());
    this.bytes = sectionPlace + aligned(FAULT + (long) Long.BYTES * kernel.mostArguments());
  }

  @SuppressWarnings("restricted") // The functions are those that the C backend writes.
  private static MethodHandle handle(FunctionDescriptor type) {
    return Linker.nativeLinker().downcallHandle(type);
  }

  @SuppressWarnings("restricted") // The stub is of the type that the C backend declares.
  private MemorySegment team() {
    try {
      MethodHandle share = MethodHandles.lookup().findVirtual(NativeKernel.class, "share",
          MethodType.methodType(int.class, long.class, int.class, long.class, int.class, int.class, int.class)).bindTo(this);
      Arena arena = Arena.ofAuto();
      MemorySegment table = arena.allocate(ValueLayout.ADDRESS);
      table.set(ValueLayout.ADDRESS, 0, Linker.nativeLinker().upcallStub(share, SHARE, arena));
      return table;
    } catch (NoSuchMethodException | IllegalAccessException e) {
      throw new InternalException("no method for C to call back", e);
    }
  }

  private static long aligned(long size) {
    return Math.ceilDiv(size, ALIGNMENT) * ALIGNMENT;
  }

  StoredCode.Native stored() {
    return new StoredCode.Native(key, new CKernel(kernel.name(), "", kernel.parameters(), kernel.mostArguments(), kernel.sections(), kernel.tasks(),
        kernel.scratchBytes(), kernel.requirements()));
  }

  @Override
  public int tasks() {
    return kernel.tasks();
  }

  @Override
  public long scratchBytes() {
    return bytes;
  }

  @Override
  public int sections() {
    return kernel.sections();
  }

  @Override
  public void run(long[] addresses, long scratch, int begin, int end, Team sharing) {
    long fault = scratch + runPlace;
    long parameters = fault + FAULT;
    copy(addresses, kernel.parameters(), parameters);
    if (kernel.sections() == 0) {
      check(call(parameters, scratch, begin, end, 0, fault), fault);
      return;
    }
    Lead before = lead.get();
    Lead now = new Lead(sharing);
    lead.set(now);
    try {
      int result = call(parameters, scratch, begin, end, team.address(), fault);
      if (now.failure != null) {
        throw now.failure;
      }
      check(result, fault);
    } finally {
      lead.set(before);
    }
  }

  private int call(long parameters, long scratch, int begin, int end, long sharing, long fault) {
    try {
      return (int) RUN.invokeExact(run, parameters, scratch, begin, end, sharing, fault);
    } catch (Throwable e) {
      throw new InternalException("calling kernel " + kernel.name(), e);
    }
  }

  /// What the C function of a kernel calls where a team shares a loop. An exception must not reach C.
  private int share(long ignored, int number, long arguments, int count, int begin, int end) {
    Lead current = lead.get();
    try {
      long[] values = current.team.arguments(count);
      MemorySegment.copy(EVERYTHING, ValueLayout.JAVA_LONG, arguments, values, 0, count);
      current.team.share(number, begin, end);
      return 0;
    } catch (RuntimeException e) {
      current.failure = e;
    } catch (Throwable e) {
      current.failure = new InternalException("sharing a loop of kernel " + kernel.name(), e);
    }
    return -1;
  }

  @Override
  public void section(int number, long[] arguments, long scratch, int begin, int end) {
    long fault = scratch + sectionPlace;
    long values = fault + FAULT;
    copy(arguments, Math.min(arguments.length, kernel.mostArguments()), values);
    int result;
    try {
      result = (int) SECTION.invokeExact(section, number, values, scratch, begin, end, fault);
    } catch (Throwable e) {
      throw new InternalException("calling a section of kernel " + kernel.name(), e);
    }
    check(result, fault);
  }

  private static void copy(long[] values, int count, long address) {
    MemorySegment.copy(values, 0, EVERYTHING, ValueLayout.JAVA_LONG, address, count);
  }

  private void check(int result, long fault) {
    if (result > 0) {
      CKernel.Requirement requirement = kernel.requirements().get(result - 1);
      throw new KernelFault(requirement.message(), requirement.isNumber()
          ? Double.toString(EVERYTHING.get(ValueLayout.JAVA_DOUBLE, fault + Long.BYTES)) : Long.toString(EVERYTHING.get(ValueLayout.JAVA_LONG, fault)));
    }
  }

  /// It is as fast as it gets.
  @Override
  public void rehearse(long[] addresses, long scratch, Team sharing) {
  }

  @Override
  public String toString() {
    return kernel.name();
  }
}
