package dev.einfall.runtime.device;

import dev.einfall.backends.cuda.CudaTargets;
import dev.einfall.ir.CompileException;
import dev.einfall.runtime.launch.Usage;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.concurrent.ConcurrentLinkedDeque;
import java.util.function.Consumer;
import java.util.function.Supplier;

/// A GPU. Safe for use by many threads.
///
/// What is done with it happens in its primary context, which all that use CUDA in this process share: an address that one of them got, the others can
/// use. A thread has the context only while it does something here.
public final class Device implements AutoCloseable {
  private static final int COMPUTE_CAPABILITY_MAJOR = 75;
  private static final int COMPUTE_CAPABILITY_MINOR = 76;
  private static final int SHARED_BYTES_OF_BLOCK = 97;
  /// The first compute capability that generated code is for: 7.0.
  private static final int LEAST_CAPABILITY = 70;

  private final CudaDriver driver;
  private final int handle;
  private final String name;
  private final int capability;
  private final int sharedBytes;
  private final long context;
  private final Usage usage = new Usage(this::release);
  /// For copies that nothing else waits for: to make a stream takes longer than a small one.
  private final ConcurrentLinkedDeque<DeviceStream> idle = new ConcurrentLinkedDeque<>();

  private Device(CudaDriver driver, int handle, String name, int capability) {
    this.driver = driver;
    this.handle = handle;
    this.name = name;
    this.capability = capability;
    this.sharedBytes = driver.deviceAttribute(handle, SHARED_BYTES_OF_BLOCK);
    this.context = driver.out(CudaFunction.PRIMARY_CONTEXT_RETAIN, name,
        place -> driver.li(CudaFunction.PRIMARY_CONTEXT_RETAIN, place, handle)).bits();
  }

  /// The device that `tools` name. The caller closes it.
  ///
  /// @throws CompileException when there is no driver or no such device, or generated code does not run there
  public static Device open(CudaTools tools) {
    CudaDriver driver = CudaDriver.load(tools.driver());
    int handle = driver.device(tools.device());
    int capability = 10 * driver.deviceAttribute(handle, COMPUTE_CAPABILITY_MAJOR) + driver.deviceAttribute(handle, COMPUTE_CAPABILITY_MINOR);
    String name = driver.deviceName(handle);
    if (capability < LEAST_CAPABILITY) {
      throw CompileException.of("the backend cuda needs a GPU of compute capability " + text(LEAST_CAPABILITY) + " or more, but " + name + " has "
          + text(capability));
    }
    return new Device(driver, handle, name, capability);
  }

  private static String text(int capability) {
    return capability / 10 + "." + capability % 10;
  }

  /// What its maker calls it.
  public String name() {
    return name;
  }

  /// What compilers call its kind, such as `sm_80` or `sm_90a`.
  public String architecture() {
    return CudaTargets.nameOf(capability);
  }

  /// The most memory that the threads of a block may share, if they ask for it.
  public int sharedBytes() {
    return sharedBytes;
  }

  /// The version of CUDA that its driver is for, such as `12.4`.
  public String driverVersion() {
    return driver.versionText();
  }

  CudaDriver driver() {
    return driver;
  }

  /// Whether what lies in the memory of one can be used by the other.
  public boolean sharesMemoryWith(Device other) {
    return context == other.context;
  }

  /// What `action` gives, on this thread with the device's context.
  public <T> T with(Supplier<T> action) {
    driver.check(CudaFunction.CONTEXT_PUSH, driver.l(CudaFunction.CONTEXT_PUSH, context), name);
    try {
      return action.get();
    } finally {
      try (Arena arena = Arena.ofConfined()) {
        driver.l(CudaFunction.CONTEXT_POP, arena.allocate(ValueLayout.JAVA_LONG).address());
      }
    }
  }

  /// Does `action` on this thread with the device's context.
  public void run(Runnable action) {
    with(() -> {
      action.run();
      return null;
    });
  }

  /// Memory of the device, whose bytes are anything. The caller frees it.
  ///
  /// @param purpose what it is for, as errors say it, such as `the arena`
  /// @throws DeviceException when there is not so much
  public DeviceMemory allocate(long bytes, String purpose) {
    long size = Math.max(1, bytes);
    long address = with(() -> driver.out(CudaFunction.MEMORY_ALLOCATE, Bytes.text(bytes) + " for " + purpose,
        place -> driver.ll(CudaFunction.MEMORY_ALLOCATE, place, size)).bits());
    return new DeviceMemory(this, address, bytes);
  }

  void free(DeviceMemory memory) {
    // What goes wrong where something is freed, here and below, went wrong before, and was told then.
    run(() -> driver.l(CudaFunction.MEMORY_FREE, memory.address()));
    usage.release();
  }

  /// Memory of the host that the device reads and writes while the host goes on, of zeros. The caller frees it.
  ///
  /// @throws DeviceException when there is not so much
  public PinnedMemory pin(long bytes, String purpose) {
    long size = Math.max(1, bytes);
    long address = with(() -> driver.out(CudaFunction.HOST_ALLOCATE, Bytes.text(bytes) + " of the host for " + purpose,
        place -> driver.ll(CudaFunction.HOST_ALLOCATE, place, size)).bits());
    return new PinnedMemory(this, address, size);
  }

  void unpin(PinnedMemory memory) {
    run(() -> driver.l(CudaFunction.HOST_FREE, memory.data().address()));
    usage.release();
  }

  /// Copies memory of the device to the host, and waits for it.
  public void read(DeviceMemory from, MemorySegment to, String what) {
    copy(stream -> stream.copyToHost(to, from.address(), what), what);
  }

  /// Copies memory of the host to the device, and waits for it.
  public void write(MemorySegment from, DeviceMemory to, String what) {
    copy(stream -> stream.copyToDevice(to.address(), from, what), what);
  }

  private void copy(Consumer<DeviceStream> copying, String what) {
    run(() -> {
      DeviceStream known = idle.pollFirst();
      DeviceStream stream = known == null ? new DeviceStream(this) : known;
      try {
        copying.accept(stream);
        stream.synchronize(what);
      } finally {
        idle.addFirst(stream);
      }
    });
  }

  /// Keeps the device until [#letGo], whoever closes it.
  ///
  /// @throws IllegalStateException when it is closed
  void hold() {
    if (!usage.acquire()) {
      throw new IllegalStateException("the device " + name + " is closed");
    }
  }

  void letGo() {
    usage.release();
  }

  private void release() {
    run(() -> {
      for (DeviceStream stream = idle.pollFirst(); stream != null; stream = idle.pollFirst()) {
        stream.close();
      }
    });
    driver.i(CudaFunction.PRIMARY_CONTEXT_RELEASE, handle);
  }

  /// Lets it go when all memory of it that is in use is free.
  @Override
  public void close() {
    usage.close();
  }

  /// Its name and kind.
  @Override
  public String toString() {
    return name + " (" + architecture() + ")";
  }
}
