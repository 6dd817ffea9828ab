package dev.einfall.backends.reference;

import dev.einfall.ir.ElementType;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.SplittableRandom;

/// A dense row-major array in the reference interpreters' precision: elements of floating-point types are `double`
/// numbers that only a kernel rounds, all others are `long`.
public final class Array {
  private static final ValueLayout.OfShort SHORT = ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
  private static final ValueLayout.OfInt INT = ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
  private static final ValueLayout.OfLong LONG = ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

  private final ElementType type;
  private final int[] shape;
  private final double[] numbers;
  private final long[] integers;

  /// An array of zeros.
  public Array(ElementType type, int... shape) {
    this.type = type;
    this.shape = shape.clone();
    int length = elements(shape);
    this.numbers = type.isFloat() ? new double[length] : null;
    this.integers = type.isFloat() ? null : new long[length];
  }

  /// An `f32` array that holds `values` in row-major order.
  public static Array of(float[] values, int... shape) {
    Array array = new Array(ElementType.F32, shape);
    array.requireElements(values.length);
    for (int i = 0; i < values.length; i++) {
      array.numbers[i] = values[i];
    }
    return array;
  }

  /// An array of a floating-point type that holds `values` in row-major order.
  public static Array of(ElementType type, double[] values, int... shape) {
    Array array = new Array(type, shape);
    array.requireElements(values.length);
    System.arraycopy(values, 0, array.numbers(), 0, values.length);
    return array;
  }

  /// An array of an integer type or `bool` that holds `values` in row-major order.
  public static Array of(ElementType type, long[] values, int... shape) {
    Array array = new Array(type, shape);
    array.requireElements(values.length);
    System.arraycopy(values, 0, array.integers(), 0, values.length);
    return array;
  }

  /// The elements that lie at `data`, little-endian and row-major.
  public static Array read(ElementType type, MemorySegment data, int... shape) {
    Array array = new Array(type, shape);
    for (int i = 0; i < array.elements(); i++) {
      if (type.isFloat()) {
        array.numbers[i] = readNumber(type, data, (long) i * type.bytes());
      } else {
        array.integers[i] = readInteger(type, data, (long) i * type.bytes());
      }
    }
    return array;
  }

  /// Pseudo-random elements: floats in -1..1 that are exact in their type, integers in 0..7, `bool` of either kind.
  public static Array random(ElementType type, long seed, int... shape) {
    SplittableRandom random = new SplittableRandom(seed);
    Array array = new Array(type, shape);
    for (int i = 0; i < array.elements(); i++) {
      if (type.isFloat()) {
        array.numbers[i] = Arithmetic.round(type, (random.nextInt(1 << 12) - (1 << 11)) / (double) (1 << 11));
      } else {
        array.integers[i] = random.nextInt(type.isBool() ? 2 : 8);
      }
    }
    return array;
  }

  /// Stores every element to `data`, little-endian and row-major, rounded to the type.
  public void write(MemorySegment data) {
    for (int i = 0; i < elements(); i++) {
      long offset = (long) i * type.bytes();
      switch (type) {
        case F64 -> data.set(LONG, offset, Double.doubleToRawLongBits(numbers[i]));
        case F32 -> data.set(INT, offset, Float.floatToRawIntBits((float) numbers[i]));
        case F16 -> data.set(SHORT, offset, Float.floatToFloat16((float) numbers[i]));
        case BF16 -> data.set(SHORT, offset, toBf16((float) numbers[i]));
        case I64 -> data.set(LONG, offset, integers[i]);
        case I32 -> data.set(INT, offset, (int) integers[i]);
        case I16 -> data.set(SHORT, offset, (short) integers[i]);
        case I8, U8, BOOL -> data.set(ValueLayout.JAVA_BYTE, offset, (byte) integers[i]);
      }
    }
  }

  public ElementType type() {
    return type;
  }

  public int[] shape() {
    return shape.clone();
  }

  public int rank() {
    return shape.length;
  }

  public int extent(int dimension) {
    return shape[dimension];
  }

  /// The number of elements.
  public int elements() {
    return numbers != null ? numbers.length : integers.length;
  }

  /// How many elements apart two neighbours along `dimension` are.
  public int stride(int dimension) {
    return elements(Arrays.copyOfRange(shape, dimension + 1, shape.length));
  }

  /// The elements of a floating-point array, in row-major order: the array's own memory.
  public double[] numbers() {
    if (numbers == null) {
      throw new IllegalStateException("array of " + type);
    }
    return numbers;
  }

  /// The elements of an array of another type, in row-major order: the array's own memory.
  public long[] integers() {
    if (integers == null) {
      throw new IllegalStateException("array of " + type);
    }
    return integers;
  }

  /// The elements rounded to `float`.
  public float[] floats() {
    float[] values = new float[elements()];
    for (int i = 0; i < values.length; i++) {
      values[i] = numbers != null ? (float) numbers[i] : integers[i];
    }
    return values;
  }

  /// Makes every element something that a result must not depend on: NaN, or the largest value of an integer type.
  public void poison() {
    if (numbers != null) {
      Arrays.fill(numbers, Double.NaN);
    } else {
      Arrays.fill(integers, type.isBool() ? 1 : type == ElementType.U8 ? 255 : ~(-1L << (8 * type.bytes() - 1)));
    }
  }

  /// A copy that shares nothing with this array.
  public Array copy() {
    Array copy = new Array(type, shape);
    if (numbers != null) {
      System.arraycopy(numbers, 0, copy.numbers, 0, numbers.length);
    } else {
      System.arraycopy(integers, 0, copy.integers, 0, integers.length);
    }
    return copy;
  }

  private static double readNumber(ElementType type, MemorySegment data, long offset) {
    return switch (type) {
      case F64 -> Double.longBitsToDouble(data.get(LONG, offset));
      case F32 -> Float.intBitsToFloat(data.get(INT, offset));
      case F16 -> Float.float16ToFloat(data.get(SHORT, offset));
      case BF16 -> Float.intBitsToFloat(data.get(SHORT, offset) << 16);
      case I64, I32, I16, I8, U8, BOOL -> throw new IllegalArgumentException("number of " + type);
    };
  }

  private static long readInteger(ElementType type, MemorySegment data, long offset) {
    return switch (type) {
      case I64 -> data.get(LONG, offset);
      case I32 -> data.get(INT, offset);
      case I16 -> data.get(SHORT, offset);
      case I8 -> data.get(ValueLayout.JAVA_BYTE, offset);
      case U8 -> data.get(ValueLayout.JAVA_BYTE, offset) & 0xFF;
      case BOOL -> data.get(ValueLayout.JAVA_BYTE, offset) != 0 ? 1 : 0;
      case F64, F32, F16, BF16 -> throw new IllegalArgumentException("integer of " + type);
    };
  }

  /// The bits of `value` as `bf16`: rounds to nearest, ties to even; NaN stays NaN.
  static short toBf16(float value) {
    int bits = Float.floatToRawIntBits(value);
    if (Float.isNaN(value)) {
      return (short) (bits >> 16 | 0x40);
    }
    return (short) (bits + 0x7FFF + (bits >> 16 & 1) >> 16);
  }

  private static int elements(int[] shape) {
    int elements = 1;
    for (int extent : shape) {
      elements = Math.multiplyExact(elements, extent);
    }
    return elements;
  }

  private void requireElements(int count) {
    if (count != elements()) {
      throw new IllegalArgumentException(count + " values for shape " + Arrays.toString(shape));
    }
  }

  /// The type and shape, such as `f32[2, 3]`.
  @Override
  public String toString() {
    return type + Arrays.toString(shape);
  }
}
