package dev.einfall.tests.peers;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Map;
import java.util.stream.Stream;

/// Objects of oneDNN, by its C interface of version 3. All live until this is closed.
final class OneDnn implements AutoCloseable {
  static final String PROJECT = "dnnl";
  private static final String FILE = "libdnnl.so.3";
  private static final int CPU = 1;
  private static final int IN_ORDER = 1;
  private static final int ANY_LAYOUT = 1;
  private static final int INFERENCE = 96;
  private static final int BEST_ALGORITHM = 3;
  private static final int QUERY_SOURCE = 129;
  private static final int QUERY_WEIGHTS = 131;
  private static final int QUERY_DESTINATION = 133;
  private static final long ARGUMENT_BYTES = 16;
  /// The most dimensions that a tensor may have there.
  private static final int MOST_DIMENSIONS = 12;

  /// The types of elements that are compared.
  enum Type {
    BF16(2), F32(3), S8(5), U8(6);

    private final int number;

    Type(int number) {
      this.number = number;
    }
  }

  static final int SOURCE = 1;
  static final int DESTINATION = 17;
  static final int WEIGHTS = 33;

  private final Arena arena = Arena.ofShared();
  private final Deque<NativeLibrary.Call> destroyed = new ArrayDeque<>();
  private final NativeLibrary library = NativeLibrary.load(PROJECT, FILE);
  private final MemorySegment engine = made("engine", "engine_create", CPU, 0L);
  private final MemorySegment stream = made("stream", "stream_create", engine, IN_ORDER);

  static boolean isThere() {
    return NativeLibrary.isThere(PROJECT, FILE);
  }

  /// What `function` makes: it stores that where its first parameter points to. A function of `kind` destroys it.
  private MemorySegment made(String kind, String function, Object... arguments) {
    MemorySegment place = arena.allocate(ADDRESS);
    Object[] all = Stream.concat(Stream.of(place), Stream.of(arguments)).toArray();
    check(library.call("dnnl_" + function, all));
    MemorySegment result = place.get(ADDRESS, 0);
    destroyed.push(library.call("dnnl_" + kind + "_destroy", result));
    return result;
  }

  private static void check(NativeLibrary.Call call) {
    int status = (int) call.make();
    if (status != 0) {
      throw new IllegalStateException(call.name() + " returns " + status);
    }
  }

  /// The row-major layout of a matrix or of a tensor of `f32`.
  MemorySegment rowMajor(long... shape) {
    return rowMajor(Type.F32, shape);
  }

  /// The row-major layout of a matrix or of a tensor.
  MemorySegment rowMajor(Type type, long... shape) {
    long[] strides = new long[shape.length];
    long stride = 1;
    for (int i = shape.length - 1; i >= 0; i--) {
      strides[i] = stride;
      stride *= shape[i];
    }
    return strided(type, shape, strides);
  }

  /// The layout of a tensor of `f32` whose neighbours along each dimension are `strides` elements apart.
  MemorySegment strided(long[] shape, long[] strides) {
    return strided(Type.F32, shape, strides);
  }

  private MemorySegment strided(Type type, long[] shape, long[] strides) {
    return made("memory_desc", "memory_desc_create_with_strides", shape.length, longs(shape), type.number, longs(strides));
  }

  /// Whatever layout of a tensor of `f32` a primitive asks for.
  MemorySegment any(long... shape) {
    return any(Type.F32, shape);
  }

  /// Whatever layout of a tensor a primitive asks for.
  MemorySegment any(Type type, long... shape) {
    return made("memory_desc", "memory_desc_create_with_tag", shape.length, longs(shape), type.number, ANY_LAYOUT);
  }

  private MemorySegment longs(long... numbers) {
    MemorySegment array = arena.allocate(JAVA_LONG, MOST_DIMENSIONS);
    for (int i = 0; i < numbers.length; i++) {
      array.setAtIndex(JAVA_LONG, i, numbers[i]);
    }
    return array;
  }

  /// A product of matrices, described.
  MemorySegment product(MemorySegment source, MemorySegment weights, MemorySegment destination) {
    return made("primitive_desc", "matmul_primitive_desc_create", engine, source, weights, MemorySegment.NULL, destination,
        MemorySegment.NULL);
  }

  /// A convolution of images, described: by the algorithm that oneDNN takes for the best one.
  MemorySegment convolution(MemorySegment source, MemorySegment weights, MemorySegment destination, long stride, long padding) {
    return made("primitive_desc", "convolution_forward_primitive_desc_create", engine, INFERENCE, BEST_ALGORITHM, source, weights,
        MemorySegment.NULL, destination, longs(stride, stride), longs(0, 0), longs(padding, padding), longs(padding, padding),
        MemorySegment.NULL);
  }

  /// The layout that a primitive asks its source to have.
  MemorySegment sourceOf(MemorySegment primitive) {
    return asked(primitive, QUERY_SOURCE);
  }

  /// The layout that a primitive asks its weights to have.
  MemorySegment weightsOf(MemorySegment primitive) {
    return asked(primitive, QUERY_WEIGHTS);
  }

  /// The layout that a primitive gives its result.
  MemorySegment destinationOf(MemorySegment primitive) {
    return asked(primitive, QUERY_DESTINATION);
  }

  private MemorySegment asked(MemorySegment primitive, int query) {
    return MemorySegment.ofAddress(library.call("dnnl_primitive_desc_query_md", primitive, query, 0).make());
  }

  long bytes(MemorySegment layout) {
    return library.call("dnnl_memory_desc_get_size", layout).make();
  }

  /// A tensor over memory that the caller keeps.
  MemorySegment tensor(MemorySegment layout, MemorySegment memory) {
    return made("memory", "memory_create", layout, engine, memory);
  }

  /// Stores the same numbers in another layout.
  void reorder(MemorySegment layout, MemorySegment tensor, MemorySegment newLayout, MemorySegment newTensor) {
    MemorySegment description =
        made("primitive_desc", "reorder_primitive_desc_create", layout, engine, newLayout, engine, MemorySegment.NULL);
    check(execution(description, Map.of(SOURCE, tensor, DESTINATION, newTensor)));
    finish();
  }

  /// What computes `description` with tensors in these roles.
  NativeLibrary.Call execution(MemorySegment description, Map<Integer, MemorySegment> tensors) {
    MemorySegment primitive = made("primitive", "primitive_create", description);
    MemorySegment arguments = arena.allocate(ARGUMENT_BYTES * tensors.size(), ARGUMENT_BYTES);
    long offset = 0;
    for (Map.Entry<Integer, MemorySegment> tensor : tensors.entrySet()) {
      arguments.set(JAVA_INT, offset, tensor.getKey());
      arguments.set(ADDRESS, offset + ADDRESS.byteSize(), tensor.getValue());
      offset += ARGUMENT_BYTES;
    }
    return library.call("dnnl_primitive_execute", primitive, stream, tensors.size(), arguments);
  }

  /// A wait for all that was executed.
  NativeLibrary.Call finish() {
    NativeLibrary.Call wait = library.call("dnnl_stream_wait", stream);
    check(wait);
    return wait;
  }

  @Override
  public void close() {
    destroyed.forEach(NativeLibrary.Call::make);
    arena.close();
  }
}
