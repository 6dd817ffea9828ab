package dev.einfall.runtime;

import dev.einfall.ir.ElementType;
import dev.einfall.runtime.device.Device;
import dev.einfall.runtime.launch.LargePages;
import dev.einfall.runtime.launch.Usage;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.ref.Cleaner;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.List;
import java.util.OptionalLong;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.function.Supplier;
import java.util.stream.Collectors;

/// A dense array outside the Java heap, row-major and little-endian.
///
/// What a program for a GPU computes stays in the memory of the device until [#data] is called: then it is moved to the host's. As long as it is there, a
/// program for the same device takes it as it is.
///
/// Its memory is freed by [#close], or some time after the last reference is gone. A tensor may be closed while a program
/// reads it: the run finishes first. Safe for reading by many threads.
public final class Tensor implements AutoCloseable {
  private static final Cleaner CLEANER = Cleaner.create();

  private final ElementType type;
  private final List<Long> shape;
  private final Elements elements;
  private final Usage usage;
  /// Whether a tensor with this memory is unreachable; who has its [#data] may read that still.
  private final AtomicBoolean forgotten;
  private final Cleaner.Cleanable cleanable;

  /// @param isCleaned whether the memory is given back when the tensor is unreachable
  private Tensor(ElementType type, List<Long> shape, Elements elements, Usage usage, AtomicBoolean forgotten, boolean isCleaned) {
    this.type = type;
    this.shape = List.copyOf(shape);
    this.elements = elements;
    this.usage = usage;
    this.forgotten = forgotten;
    this.cleanable = isCleaned ? CLEANER.register(this, () -> forget(usage, forgotten)) : () -> { };
  }

  /// A tensor that was closed before is not forgotten.
  private static void forget(Usage usage, AtomicBoolean forgotten) {
    if (!usage.isClosed()) {
      forgotten.set(true);
      usage.close();
    }
  }

  /// The memory of a tensor.
  record Memory(Arena arena, MemorySegment data) {
    void free() {
      arena.close();
    }
  }

  /// A tensor of zeros.
  ///
  /// @throws IllegalArgumentException when a size is negative or the whole does not fit into memory
  public static Tensor zeros(ElementType type, long... shape) {
    return in(allocate(type, shape), type, shape, Memory::free);
  }

  /// Memory of zeros for a tensor.
  ///
  /// @throws IllegalArgumentException as [#zeros] does
  static Memory allocate(ElementType type, long... shape) {
    long bytes = bytes(type, shape);
    Arena arena = Arena.ofShared();
    try {
      return new Memory(arena, LargePages.allocate(arena, bytes));
    } catch (OutOfMemoryError e) {
      arena.close();
      throw new IllegalArgumentException(
          "there is no memory for a tensor of type " + describe(type, boxed(shape)) + ": " + e.getMessage());
    }
  }

  /// A tensor in `memory`, with what that holds.
  ///
  /// @param closed takes the memory of a tensor that is closed; that of one that is only forgotten is freed
  static Tensor in(Memory memory, ElementType type, long[] shape, Consumer<Memory> closed) {
    AtomicBoolean forgotten = new AtomicBoolean();
    Usage usage = new Usage(() -> (forgotten.get() ? (Consumer<Memory>) Memory::free : closed).accept(memory));
    return new Tensor(type, boxed(shape), new Elements.OnHost(memory.data), usage, forgotten, true);
  }

  /// A tensor of `elements`.
  ///
  /// @param closed takes the elements of a tensor that is closed; those of one that is only forgotten are freed
  static Tensor in(DeviceElements elements, Consumer<DeviceElements> closed) {
    AtomicBoolean forgotten = new AtomicBoolean();
    Usage usage = new Usage(() -> (forgotten.get() ? (Consumer<DeviceElements>) DeviceElements::free : closed).accept(elements));
    return new Tensor(elements.type(), boxed(elements.shape()), elements, usage, forgotten, true);
  }

  /// An `f32` tensor with a copy of `values`.
  ///
  /// @throws IllegalArgumentException when their number is not that of the shape's elements
  public static Tensor of(float[] values, long... shape) {
    return copyOf(ElementType.F32, MemorySegment.ofArray(values), shape);
  }

  /// An `f64` tensor with a copy of `values`.
  public static Tensor of(double[] values, long... shape) {
    return copyOf(ElementType.F64, MemorySegment.ofArray(values), shape);
  }

  /// An `i64` tensor with a copy of `values`.
  public static Tensor of(long[] values, long... shape) {
    return copyOf(ElementType.I64, MemorySegment.ofArray(values), shape);
  }

  /// An `i32` tensor with a copy of `values`.
  public static Tensor of(int[] values, long... shape) {
    return copyOf(ElementType.I32, MemorySegment.ofArray(values), shape);
  }

  /// A tensor with a copy of `values`, which hold its elements in row-major order.
  ///
  /// @throws IllegalArgumentException when they are not as many bytes as the tensor has
  public static Tensor copyOf(ElementType type, MemorySegment values, long... shape) {
    requireBytes(type, shape, values);
    Tensor tensor = zeros(type, shape);
    tensor.acquired().copyFrom(values);
    return tensor;
  }

  /// A tensor over the caller's memory, which is not copied: what the caller stores there, the tensor holds. Memory that
  /// the caller frees is out of this class's control; close the tensor first.
  ///
  /// @throws IllegalArgumentException when the memory is on the heap or not as large as the tensor
  public static Tensor over(ElementType type, MemorySegment memory, long... shape) {
    requireBytes(type, shape, memory);
    if (!memory.isNative()) {
      throw new IllegalArgumentException("a tensor cannot lie over memory of the Java heap: copy it");
    }
    return new Tensor(type, boxed(shape), new Elements.OnHost(memory), new Usage(() -> {}), new AtomicBoolean(), false);
  }

  private static void requireBytes(ElementType type, long[] shape, MemorySegment values) {
    if (values.byteSize() != bytes(type, shape)) {
      throw new IllegalArgumentException("a tensor of type " + describe(type, boxed(shape)) + " has "
          + bytes(type, shape) + " bytes, not " + values.byteSize());
    }
  }

  static long bytes(ElementType type, long[] shape) {
    long bytes = type.bytes();
    for (long extent : shape) {
      if (extent < 0) {
        throw new IllegalArgumentException("negative size in shape " + Arrays.toString(shape));
      }
      try {
        bytes = Math.multiplyExact(bytes, extent);
      } catch (ArithmeticException _) {
        throw new IllegalArgumentException("a tensor of shape " + Arrays.toString(shape) + " is too large");
      }
    }
    return bytes;
  }

  private static List<Long> boxed(long[] shape) {
    return Arrays.stream(shape).boxed().toList();
  }

  public ElementType type() {
    return type;
  }

  public List<Long> shape() {
    return shape;
  }

  /// The number of elements.
  public long elements() {
    return shape.stream().mapToLong(Long::longValue).reduce(1, (a, b) -> a * b);
  }

  /// The tensor's memory, until [#close]. If it is on a device, it is moved to the host first: who only reads it once copies it by [#floats] and its like,
  /// which leave it where it is.
  ///
  /// @throws IllegalStateException after [#close]
  public MemorySegment data() {
    return used(elements::data);
  }

  /// What `action` gives, during which the memory stays.
  private <T> T used(Supplier<T> action) {
    acquire();
    try {
      return action.get();
    } finally {
      release();
    }
  }

  /// The tensor's memory, for a run that has [#acquire]d it.
  MemorySegment acquired() {
    return elements.data();
  }

  /// What `reader` makes of the elements of a tensor that it has [#acquire]d, which stay where they are.
  <T> T read(Function<MemorySegment, T> reader) {
    return elements.read(reader);
  }

  /// Where it is for a run on `device` that has [#acquire]d it; empty if it is not in the device's memory.
  OptionalLong acquiredOn(Device device) {
    return switch (elements) {
      case Elements.OnHost _ -> OptionalLong.empty();
      case DeviceElements onDevice -> onDevice.address(device);
    };
  }

  /// Whether it is in the memory of a device, and not of the host.
  public boolean isOnDevice() {
    return elements instanceof DeviceElements onDevice && onDevice.isOnDevice();
  }

  /// A copy of the elements of an `f32` tensor, in row-major order.
  ///
  /// @throws IllegalStateException after [#close], or when the tensor has another type
  public float[] floats() {
    return copy(ElementType.F32, data -> data.toArray(ValueLayout.JAVA_FLOAT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN)));
  }

  /// A copy of the elements of an `f64` tensor.
  public double[] doubles() {
    return copy(ElementType.F64, data -> data.toArray(ValueLayout.JAVA_DOUBLE_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN)));
  }

  /// A copy of the elements of an `i64` tensor.
  public long[] longs() {
    return copy(ElementType.I64, data -> data.toArray(ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN)));
  }

  /// A copy of the elements of an `i32` tensor.
  public int[] ints() {
    return copy(ElementType.I32, data -> data.toArray(ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN)));
  }

  private <T> T copy(ElementType expected, Function<MemorySegment, T> copying) {
    if (type != expected) {
      throw new IllegalStateException("the elements are " + type + ", not " + expected);
    }
    return used(() -> elements.read(copying));
  }

  /// Keeps the memory until [#release], whoever closes the tensor meanwhile.
  ///
  /// @throws IllegalStateException after [#close]
  void acquire() {
    if (!usage.acquire()) {
      throw closed();
    }
  }

  void release() {
    usage.release();
  }

  /// A tensor that takes the memory of this one, which the caller has [#acquire]d; this one is closed.
  ///
  /// @throws IllegalStateException when another run uses this tensor, or it is closed
  Tensor takeOver() {
    if (!usage.handOver()) {
      throw new IllegalStateException("the tensor " + this + " is given up while it is used elsewhere");
    }
    cleanable.clean();
    return new Tensor(type, shape, elements, new Usage(usage::release), forgotten, true);
  }

  private IllegalStateException closed() {
    return new IllegalStateException("the tensor " + this + " is closed");
  }

  /// Frees the memory, once no run reads it, or leaves it to the program that computed the tensor: from then on what [#data]
  /// gave must not be used, as it may hold the results of later runs. A second call does nothing.
  @Override
  public void close() {
    usage.close();
    // Else the cleaner would keep track of it until the garbage collector has found it: of each output of each run.
    cleanable.clean();
  }

  /// The type and shape, such as `f32[2, 3]`.
  @Override
  public String toString() {
    return describe(type, shape);
  }

  static String describe(ElementType type, List<Long> shape) {
    return type + shape.stream().map(String::valueOf).collect(Collectors.joining(", ", "[", "]"));
  }
}
