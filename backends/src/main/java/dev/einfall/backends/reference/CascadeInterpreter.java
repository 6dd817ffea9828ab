package dev.einfall.backends.reference;

import dev.einfall.ir.InternalException;
import dev.einfall.ir.Size;
import dev.einfall.ir.cascade.Cascade;
import dev.einfall.ir.cascade.Definition;
import dev.einfall.ir.cascade.Einsum;
import dev.einfall.ir.cascade.Recurrence;
import dev.einfall.ir.cascade.Tensor;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/// Computes a cascade point by point, in double precision and in the order of the source. The mapping is ignored.
///
/// A reduction inside a value that does not depend on every coordinate around it is computed once for each point that
/// it depends on, so that `exp(S[p, m] - max[m](S[p, m]))` costs what it seems to.
public final class CascadeInterpreter {
  private CascadeInterpreter() {}

  /// The arrays of all tensors that the cascade defines, in order. Symbolic sizes take their values from the shapes given.
  ///
  /// @throws IllegalArgumentException when an array is missing or its type or shape does not fit
  /// @throws dev.einfall.backends.KernelFault when an index leaves its bounds or an integer is divided by zero
  public static Map<Tensor, Array> run(Cascade cascade, Map<Tensor, Array> inputsAndWeights) {
    Map<Tensor, Array> arrays = new LinkedHashMap<>();
    cascade.inputs().forEach(tensor -> arrays.put(tensor, inputsAndWeights.get(tensor)));
    cascade.weights().forEach(weight -> arrays.put(weight.tensor(), inputsAndWeights.get(weight.tensor())));
    Sizes sizes = Sizes.of(arrays);
    Map<Tensor, Array> results = new LinkedHashMap<>();
    for (Definition definition : cascade.definitions()) {
      switch (definition) {
        case Einsum einsum -> arrays.put(einsum.tensor(), run(einsum, arrays, sizes));
        case Recurrence recurrence -> new RecurrenceInterpreter(recurrence, arrays, sizes).run();
      }
      definition.tensors().forEach(tensor -> results.put(tensor, arrays.get(tensor)));
    }
    return results;
  }

  private static Array run(Einsum einsum, Map<Tensor, Array> arrays, Sizes sizes) {
    Array result = new Array(einsum.tensor().type(), sizes.of(einsum.tensor().shape()));
    ExprCompiler compiler = new ExprCompiler(arrays, sizes, List.of());
    Points points = compiler.bind(einsum.ranks());
    Value value = compiler.compile(einsum.value());
    Frame frame = compiler.frame();
    int at = 0;
    for (boolean more = points.first(frame); more; more = points.next(frame)) {
      if (result.type().isFloat()) {
        result.numbers()[at++] = value.number(frame, 0);
      } else {
        result.integers()[at++] = value.integer(frame, 0);
      }
    }
    return result;
  }

  /// The values of a cascade's symbolic sizes.
  record Sizes(Map<String, Long> values) {

    /// The sizes that the shapes of the inputs say.
    static Sizes of(Map<Tensor, Array> arrays) {
      Sizes sizes = new Sizes(new LinkedHashMap<>());
      arrays.forEach((tensor, array) -> {
        boolean fits = array != null && array.type() == tensor.type() && array.rank() == tensor.shape().size();
        if (!fits) {
          throw new IllegalArgumentException("for " + tensor + " got " + array);
        }
        sizes.bindNames(tensor, array);
      });
      arrays.forEach((tensor, array) -> {
        int[] expected = sizes.of(tensor.shape());
        if (!Arrays.equals(expected, array.shape())) {
          throw new IllegalArgumentException("for " + tensor + " = " + Arrays.toString(expected) + " got " + array);
        }
      });
      return sizes;
    }

    private void bindNames(Tensor tensor, Array array) {
      for (int i = 0; i < array.rank(); i++) {
        Size size = tensor.shape().get(i);
        long extent = array.extent(i);
        size.names().stream().filter(name -> size.equals(Size.named(name)))
            .forEach(name -> values.putIfAbsent(name, extent));
      }
    }

    int of(Size size) {
      int value = number(size);
      if (value < 0) {
        throw new InternalException("size " + size + " is " + value);
      }
      return value;
    }

    /// The number of a size that is used as a value, which may be negative: `N - 2`.
    int number(Size size) {
      Size bound = size.substitute(name -> java.util.Optional.ofNullable(values.get(name)).map(Size::of));
      if (bound.constant().isEmpty()) {
        throw new IllegalArgumentException("no input says what the size " + bound + " is");
      }
      return bound.value();
    }

    int[] of(List<Size> shape) {
      return shape.stream().mapToInt(this::of).toArray();
    }
  }
}
