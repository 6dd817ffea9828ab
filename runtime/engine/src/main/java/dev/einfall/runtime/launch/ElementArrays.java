package dev.einfall.runtime.launch;

import dev.einfall.ir.ElementType;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/// The Java arrays that hold the elements of inputs and outputs: `float[]` for `f32`, `double[]` for `f64`, `long[]`, `int[]`, `short[]` and
/// `byte[]` for integers of as many bits, `short[]` with the bits of `f16` and `bf16`, and `boolean[]` for `bool`.
public final class ElementArrays {
  private ElementArrays() {}

  /// The type of the array, as it is written in Java.
  public static String javaType(ElementType type) {
    return switch (type) {
      case F64 -> "double[]";
      case F32 -> "float[]";
      case I64 -> "long[]";
      case I32 -> "int[]";
      case I16, F16, BF16 -> "short[]";
      case I8, U8 -> "byte[]";
      case BOOL -> "boolean[]";
    };
  }

  /// Copies `array` to `memory`.
  ///
  /// @throws IllegalArgumentException when it has another number of elements
  static void store(ArchivedPlan.Port port, Object array, MemorySegment memory) {
    if (array instanceof boolean[] truths) {
      requireElements(port, truths.length);
      for (int i = 0; i < truths.length; i++) {
        memory.set(ValueLayout.JAVA_BOOLEAN, i, truths[i]);
      }
      return;
    }
    MemorySegment elements = segment(array);
    requireElements(port, elements.byteSize() / port.type().bytes());
    memory.copyFrom(elements);
  }

  private static void requireElements(ArchivedPlan.Port port, long given) {
    if (given != port.elements()) {
      throw new IllegalArgumentException("'" + port.name() + "' is " + port.type() + port.shape() + ", compiled ahead of time: expected "
          + port.elements() + " elements, not " + given);
    }
  }

  /// A new array with the elements in `memory`.
  static Object load(ArchivedPlan.Port port, MemorySegment memory) {
    return switch (port.type()) {
      case F64 -> memory.toArray(ValueLayout.JAVA_DOUBLE);
      case F32 -> memory.toArray(ValueLayout.JAVA_FLOAT);
      case I64 -> memory.toArray(ValueLayout.JAVA_LONG);
      case I32 -> memory.toArray(ValueLayout.JAVA_INT);
      case I16, F16, BF16 -> memory.toArray(ValueLayout.JAVA_SHORT);
      case I8, U8 -> memory.toArray(ValueLayout.JAVA_BYTE);
      case BOOL -> truths(memory);
    };
  }

  private static boolean[] truths(MemorySegment memory) {
    boolean[] truths = new boolean[Math.toIntExact(memory.byteSize())];
    for (int i = 0; i < truths.length; i++) {
      truths[i] = memory.get(ValueLayout.JAVA_BOOLEAN, i);
    }
    return truths;
  }

  private static MemorySegment segment(Object array) {
    return switch (array) {
      case double[] doubles -> MemorySegment.ofArray(doubles);
      case float[] floats -> MemorySegment.ofArray(floats);
      case long[] longs -> MemorySegment.ofArray(longs);
      case int[] ints -> MemorySegment.ofArray(ints);
      case short[] shorts -> MemorySegment.ofArray(shorts);
      case byte[] bytes -> MemorySegment.ofArray(bytes);
      default -> throw new IllegalArgumentException("no array of elements: " + array.getClass().getName());
    };
  }
}
