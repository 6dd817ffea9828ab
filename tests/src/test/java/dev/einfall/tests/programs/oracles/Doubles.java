package dev.einfall.tests.programs.oracles;

import dev.einfall.backends.reference.Array;
import dev.einfall.ir.ElementType;
import java.util.Arrays;
import java.util.Objects;
import java.util.function.ToDoubleFunction;

/// A dense array of `double` numbers with a shape, for formulas that are written as plain loops. Integers and truth are
/// numbers too.
public final class Doubles {
  private final int[] shape;
  private final double[] values;

  private Doubles(int[] shape, double[] values) {
    this.shape = shape;
    this.values = values;
  }

  /// An array of zeros.
  public static Doubles zeros(int... shape) {
    return full(0, shape);
  }

  /// An array of which every element is `value`.
  public static Doubles full(double value, int... shape) {
    double[] values = new double[Arrays.stream(shape).reduce(1, Math::multiplyExact)];
    Arrays.fill(values, value);
    return new Doubles(shape.clone(), values);
  }

  /// An array of which every element is what `formula` says for its index.
  public static Doubles of(ToDoubleFunction<int[]> formula, int... shape) {
    Doubles result = zeros(shape);
    int[] index = new int[shape.length];
    for (int i = 0; i < result.values.length; i++) {
      result.values[i] = formula.applyAsDouble(index);
      advance(index, shape);
    }
    return result;
  }

  /// An array of one dimension.
  public static Doubles vector(double... values) {
    return new Doubles(new int[] {values.length}, values.clone());
  }

  static Doubles of(Array array) {
    double[] values = array.type().isFloat() ? array.numbers().clone()
        : Arrays.stream(array.integers()).asDoubleStream().toArray();
    return new Doubles(array.shape(), values);
  }

  /// As an array of `type`: of the values that it holds where it is an integer type.
  Array array(ElementType type) {
    return type.isFloat() ? Array.of(type, values, shape)
        : Array.of(type, Arrays.stream(values).mapToLong(value -> (long) value).toArray(), shape);
  }

  private static void advance(int[] index, int[] shape) {
    for (int d = shape.length - 1; d >= 0; d--) {
      if (++index[d] < shape[d]) {
        return;
      }
      index[d] = 0;
    }
  }

  public double get(int... index) {
    return values[offset(index)];
  }

  /// The element as a whole number: an index, an integer, or truth.
  public int whole(int... index) {
    return Math.toIntExact((long) get(index));
  }

  public void set(double value, int... index) {
    values[offset(index)] = value;
  }

  public void add(double value, int... index) {
    values[offset(index)] += value;
  }

  /// The extent of dimension `dimension`.
  public int size(int dimension) {
    return shape[dimension];
  }

  public int[] shape() {
    return shape.clone();
  }

  public Doubles copy() {
    return new Doubles(shape, values.clone());
  }

  /// The elements in row-major order.
  public double[] values() {
    return values.clone();
  }

  /// The elements in row-major order in another shape.
  public Doubles reshape(int... newShape) {
    return new Doubles(newShape.clone(), values);
  }

  private int offset(int[] index) {
    if (index.length != shape.length) {
      throw new IllegalArgumentException(index.length + " indices for the shape " + Arrays.toString(shape));
    }
    int offset = 0;
    for (int d = 0; d < shape.length; d++) {
      offset = offset * shape[d] + Objects.checkIndex(index[d], shape[d]);
    }
    return offset;
  }

  @Override
  public String toString() {
    return Arrays.toString(shape);
  }
}
