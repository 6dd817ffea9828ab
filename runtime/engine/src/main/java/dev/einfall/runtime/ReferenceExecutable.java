package dev.einfall.runtime;

import dev.einfall.backends.reference.Array;
import dev.einfall.backends.reference.CascadeInterpreter;
import dev.einfall.ir.Size;
import dev.einfall.ir.cascade.Cascade;
import dev.einfall.runtime.launch.Usage;
import java.util.Arrays;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/// A cascade of known sizes that is interpreted, in double precision.
final class ReferenceExecutable implements Executable {
  private final Cascade cascade;
  private final Map<dev.einfall.ir.cascade.Tensor, Array> weights = new IdentityHashMap<>();
  private final Usage usage = new Usage(() -> {});

  ReferenceExecutable(Cascade cascade, Weights stored) {
    this.cascade = cascade;
    cascade.weights().forEach(weight -> weights.put(weight.tensor(),
        Array.read(weight.tensor().type(), stored.get(weight.key()).data(), shape(weight.tensor()))));
  }

  @Override
  public Usage usage() {
    return usage;
  }

  @Override
  public List<Tensor> run(List<Tensor> inputs, Set<Integer> givenUp) {
    return exact(inputs).stream().map(ReferenceExecutable::tensor).toList();
  }

  /// The outputs in double precision.
  List<Array> exact(List<Tensor> inputs) {
    Map<dev.einfall.ir.cascade.Tensor, Array> known = new IdentityHashMap<>(weights);
    for (int i = 0; i < inputs.size(); i++) {
      dev.einfall.ir.cascade.Tensor declared = cascade.inputs().get(i);
      known.put(declared, Array.read(declared.type(), inputs.get(i).acquired(), shape(declared)));
    }
    Map<dev.einfall.ir.cascade.Tensor, Array> results = CascadeInterpreter.run(cascade, known);
    return cascade.outputs().stream().map(output -> results.get(output.tensor())).toList();
  }

  private static int[] shape(dev.einfall.ir.cascade.Tensor tensor) {
    return tensor.shape().stream().mapToInt(Size::value).toArray();
  }

  private static Tensor tensor(Array array) {
    long[] shape = Arrays.stream(array.shape()).asLongStream().toArray();
    Tensor tensor = Tensor.zeros(array.type(), shape);
    array.write(tensor.data());
    return tensor;
  }
}
