package dev.einfall.runtime.quantize;

import dev.einfall.frontend.weights.StoredTensor;
import dev.einfall.ir.CompileException;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/// The elements of a weight as they are to be stored: rows of the rank along which they are grouped.
record Matrix(int rows, int length, float[] elements) {

  /// The elements of `stored`, with its dimensions in `order`.
  ///
  /// @throws CompileException when one is infinite or NaN
  static Matrix of(StoredTensor stored, List<Integer> order) {
    float[] source = floats(stored);
    int[] shape = stored.shape().stream().mapToInt(Math::toIntExact).toArray();
    int[] strides = new int[shape.length];
    int stride = 1;
    for (int i = shape.length - 1; i >= 0; i--) {
      strides[i] = stride;
      stride *= shape[i];
    }
    requireFinite(stored, source, strides);
    int length = shape[order.getLast()];
    float[] elements = new float[source.length];
    int[] place = new int[shape.length];
    int offset = 0;
    for (int i = 0; i < elements.length; i++) {
      elements[i] = source[offset];
      for (int dimension = order.size() - 1; dimension >= 0; dimension--) {
        int of = order.get(dimension);
        offset += strides[of];
        if (++place[of] < shape[of]) {
          break;
        }
        offset -= shape[of] * strides[of];
        place[of] = 0;
      }
    }
    return new Matrix(elements.length / length, length, elements);
  }

  private static void requireFinite(StoredTensor stored, float[] values, int[] strides) {
    for (int i = 0; i < values.length; i++) {
      if (!Float.isFinite(values[i])) {
        List<Integer> index = new ArrayList<>();
        int rest = i;
        for (int stride : strides) {
          index.add(rest / stride);
          rest %= stride;
        }
        throw CompileException.of("weight '" + stored.key() + "' cannot be quantized: its element " + index + " is " + values[i]);
      }
    }
  }

  private static float[] floats(StoredTensor stored) {
    return switch (stored.type()) {
      case F32 -> stored.data().toArray(ValueLayout.JAVA_FLOAT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN));
      case F64 -> narrowed(stored.data().toArray(ValueLayout.JAVA_DOUBLE_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN)));
      case F16 -> halves(stored, false);
      case BF16 -> halves(stored, true);
      case I64, I32, I16, I8, U8, BOOL -> throw CompileException.of("weight '" + stored.key() + "' is of " + stored.type() + ": only floats are quantized");
    };
  }

  private static float[] narrowed(double[] values) {
    float[] floats = new float[values.length];
    for (int i = 0; i < values.length; i++) {
      floats[i] = (float) values[i];
    }
    return floats;
  }

  private static float[] halves(StoredTensor stored, boolean isBrain) {
    short[] bits = stored.data().toArray(ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN));
    float[] floats = new float[bits.length];
    for (int i = 0; i < bits.length; i++) {
      floats[i] = isBrain ? Float.intBitsToFloat(bits[i] << 16) : Float.float16ToFloat(bits[i]);
    }
    return floats;
  }

  /// These less `other`, which has as many elements.
  float[] less(double[] other) {
    float[] difference = new float[elements.length];
    for (int i = 0; i < elements.length; i++) {
      difference[i] = (float) (elements[i] - other[i]);
    }
    return difference;
  }

  /// The norm of the difference to `other`, over the norm of these; 0 if both are 0.
  double errorOf(double[] other) {
    double error = 0;
    double size = 0;
    for (int i = 0; i < elements.length; i++) {
      error += (elements[i] - other[i]) * (elements[i] - other[i]);
      size += (double) elements[i] * elements[i];
    }
    return error == 0 ? 0 : Math.sqrt(error / size);
  }

  /// The index of the first element of `other` that is no number; the number of elements if there is none.
  static int firstOf(double[] other) {
    int first = 0;
    while (first < other.length && Double.isFinite(other[first])) {
      first++;
    }
    return first;
  }

  static double[] widened(float[] values) {
    double[] doubles = new double[values.length];
    Arrays.setAll(doubles, i -> values[i]);
    return doubles;
  }
}
