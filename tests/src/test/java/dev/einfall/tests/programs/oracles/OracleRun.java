package dev.einfall.tests.programs.oracles;

import dev.einfall.backends.reference.Array;
import dev.einfall.ir.ElementType;
import dev.einfall.ir.Size;
import dev.einfall.runtime.Port;
import dev.einfall.tests.Comparison;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SplittableRandom;
import java.util.stream.IntStream;

/// One run of a program: its inputs at the sizes of a round, and what its formula says of them.
///
/// @param inputs the inputs in the order of their declaration
/// @param expected the outputs in the order of their declaration
/// @param within the part of the length of an output of floats by which it may differ; 0 where each element is compared
public record OracleRun(List<Array> inputs, List<Doubles> expected, double within) {

  /// @param ports the program's inputs
  public static OracleRun of(OracleCase oracle, List<Port> ports, Map<String, Integer> sizes) {
    SplittableRandom random = new SplittableRandom(oracle.program().hashCode());
    Map<String, Array> arrays = new LinkedHashMap<>();
    for (Port port : ports) {
      Fill fill = oracle.fills().getOrDefault(port.name(), Fill.any());
      arrays.put(port.name(), rounded(fill.array(port.type(), shape(port, sizes), random, sizes)));
    }
    for (String name : oracle.fills().keySet()) {
      if (!arrays.containsKey(name)) {
        throw new IllegalArgumentException("the oracle of " + oracle + " fills " + name + ", but the inputs are " + ports);
      }
    }
    Map<String, Doubles> doubles = new LinkedHashMap<>();
    arrays.forEach((name, array) -> doubles.put(name, Doubles.of(array)));
    return new OracleRun(List.copyOf(arrays.values()), oracle.formula().apply(new Inputs(doubles, sizes)), oracle.within());
  }

  /// Where `actual`, of the program's `outputs`, is not what the formula says; nothing if it is.
  public Optional<String> difference(List<Port> outputs, List<Array> actual, Comparison comparison) {
    if (outputs.size() != expected.size()) {
      return Optional.of("the oracle gives " + expected.size() + " outputs for " + outputs);
    }
    for (int i = 0; i < outputs.size(); i++) {
      Array right = expected.get(i).array(outputs.get(i).type());
      Optional<String> difference = within > 0 && right.type().isFloat() ? distance(right.numbers(), actual.get(i).numbers()) : comparison.difference(right, actual.get(i));
      if (difference.isPresent()) {
        return Optional.of(outputs.get(i).name() + ": " + difference.get());
      }
    }
    return Optional.empty();
  }

  /// How far `actual` is from what it should be, if that is too far.
  private Optional<String> distance(double[] right, double[] actual) {
    double distance = Math.sqrt(IntStream.range(0, right.length).mapToDouble(i -> Math.pow(right[i] - actual[i], 2)).sum());
    double part = distance / Math.sqrt(Arrays.stream(right).map(value -> value * value).sum());
    return part <= within ? Optional.empty() : Optional.of("the distance is " + part + " of the length, and not at most " + within);
  }

  private static int[] shape(Port port, Map<String, Integer> sizes) {
    return port.shape().stream()
        .mapToInt(size -> size.substitute(name -> Optional.ofNullable(sizes.get(name)).map(Size::of)).value()).toArray();
  }

  /// The elements as the program sees them: rounded to their type.
  private static Array rounded(Array array) {
    if (array.type() == ElementType.F64 || !array.type().isFloat()) {
      return array;
    }
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment data = arena.allocate((long) array.elements() * array.type().bytes());
      array.write(data);
      return Array.read(array.type(), data, array.shape());
    }
  }
}
