package dev.einfall.runtime;

import dev.einfall.backends.KernelFault;
import dev.einfall.backends.reference.Array;
import dev.einfall.frontend.weights.NearKeys;
import dev.einfall.runtime.launch.Usage;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeSet;
import java.util.function.Function;
import java.util.function.Supplier;

/// A compiled program. Safe for use by many threads at once.
///
/// Where the declared shapes have names in them, the first run with inputs of new shapes compiles for these; later ones find
/// the code, as long as it is among the last used.
public final class Program implements AutoCloseable {
  private final String name;
  private final List<Port> inputs;
  private final List<String> inputNames;
  private final List<Port> outputs;
  private final SizeBinding known;
  private final Placing placing;
  private final BoundedCache<SortedMap<String, Long>, Executable> executables;
  private final Usage usage;
  /// What the last run used: most have inputs of the same shapes as the one before.
  private volatile Specialized last = new Specialized(List.of(), Optional.empty());

  /// The code for inputs of these shapes.
  private record Specialized(List<List<Long>> shapes, Optional<Executable> executable) {

    boolean fits(List<Tensor> tensors) {
      for (int i = 0; i < shapes.size(); i++) {
        if (!shapes.get(i).equals(tensors.get(i).shape())) {
          return false;
        }
      }
      return executable.isPresent();
    }
  }

  /// @param known what the weights tell of the sizes
  /// @param compile makes the program for an assignment of all sizes
  /// @param placing where its tensors are
  /// @param release frees what all of these share
  Program(String name, List<Port> inputs, List<Port> outputs, SizeBinding known, int specializations,
      Function<SortedMap<String, Long>, Executable> compile, Placing placing, Runnable release) {
    this.name = name;
    this.inputs = List.copyOf(inputs);
    this.inputNames = this.inputs.stream().map(Port::name).toList();
    this.outputs = List.copyOf(outputs);
    this.known = known.copy();
    this.placing = placing;
    this.executables = new BoundedCache<>(specializations, compile, executable -> executable.usage().close());
    this.usage = new Usage(() -> {
      executables.clear();
      release.run();
    });
  }

  /// The name of the function that was compiled.
  public String name() {
    return name;
  }

  /// What [#run] expects.
  public List<Port> inputs() {
    return inputs;
  }

  /// What [#run] gives.
  public List<Port> outputs() {
    return outputs;
  }

  /// Compiles for inputs in which the size names have these values, so that the first run with them does not wait.
  ///
  /// @throws IllegalArgumentException when a size is missing or less than 1
  public void prepare(Map<String, Long> sizes) {
    compiled(sizes, _ -> List.of());
  }

  /// What `action` makes of the code for these sizes.
  ///
  /// @throws IllegalArgumentException as [#prepare] does
  <T> T compiled(Map<String, Long> sizes, Function<Executable, T> action) {
    SortedMap<String, Long> all = known.sizes();
    all.putAll(sizes);
    for (Port input : inputs) {
      input.shape().stream().flatMap(size -> size.names().stream()).filter(size -> all.getOrDefault(size, 0L) < 1)
          .findFirst().ifPresent(size -> {
            throw new IllegalArgumentException("no value for the size " + size + " of input '" + input.name() + "'");
          });
    }
    return use(() -> {
      Executable executable = acquire(all);
      try {
        return action.apply(executable);
      } finally {
        executable.usage().release();
      }
    });
  }

  /// Compiles for the shapes of `tensors`, so that a run with such inputs does not wait.
  ///
  /// @throws IllegalArgumentException as [#run] does
  public void prepareFor(Map<String, Tensor> tensors) {
    prepare(sizes(order(tensors)));
  }

  /// The sizes of `tensors`.
  ///
  /// @throws IllegalArgumentException as [#run] does
  SortedMap<String, Long> sizes(Map<String, Tensor> tensors) {
    return sizes(order(tensors));
  }

  /// What `action` makes of the inputs in order, which stay open until then.
  <T> T with(Map<String, Tensor> tensors, Function<List<Tensor>, T> action) {
    List<Tensor> ordered = order(tensors);
    return use(() -> held(ordered, () -> action.apply(ordered)));
  }

  /// Computes the outputs, by name and in the order of their declaration. The caller closes them.
  ///
  /// @throws IllegalArgumentException when an input is missing or unknown, when its type or shape is not the declared one,
  ///     or when its values are at fault, such as an index outside a table
  /// @throws dev.einfall.ir.CompileException when the program reads outside of a tensor at these sizes
  /// @throws IllegalStateException when the program or an input is closed
  /// @throws dev.einfall.runtime.device.DeviceException when a device fails, or has too little memory
  public Map<String, Tensor> run(Map<String, Tensor> tensors) {
    return run(tensors, Set.of());
  }

  /// As [#run(Map)], for inputs some of which the caller gives up: they are closed, and an output that starts as such an
  /// input and changes some of its elements (a cache that grows, a state) takes its memory instead of a copy.
  ///
  /// @param givenUp the names of these inputs
  /// @throws IllegalStateException also when another run uses a tensor that is given up, or two inputs are that tensor
  public Map<String, Tensor> run(Map<String, Tensor> tensors, Set<String> givenUp) {
    List<Tensor> ordered = order(tensors);
    Set<Integer> positions = positions(givenUp);
    return named(use(() -> with(ordered, executable -> {
      List<Tensor> results = executable.run(ordered, positions);
      positions.forEach(position -> ordered.get(position).close());
      return results;
    })));
  }

  /// A copy of `tensor` where runs of this program need not copy it: in the memory of its device, for the backend `CUDA`. Outputs are there from the
  /// start. The caller closes it.
  ///
  /// @throws IllegalStateException when the program or the tensor is closed
  /// @throws dev.einfall.runtime.device.DeviceException when a device has no memory for it
  public Tensor resident(Tensor tensor) {
    return use(() -> held(List.of(tensor), () -> placing.copy(tensor)));
  }

  /// The outputs in double precision, rounded nowhere.
  ///
  /// @throws IllegalArgumentException as [#run] does
  /// @throws IllegalStateException as [#run] does, and when the program is not for the reference backend
  Map<String, Array> exact(Map<String, Tensor> tensors) {
    List<Tensor> ordered = order(tensors);
    return named(use(() -> with(ordered, executable -> switch (executable) {
      case ReferenceExecutable reference -> reference.exact(ordered);
      case CompiledPlan _, DevicePlan _ -> throw new IllegalStateException("the program " + name + " rounds: it is compiled");
    })));
  }

  private <T> Map<String, T> named(List<T> results) {
    Map<String, T> named = new LinkedHashMap<>();
    for (int i = 0; i < results.size(); i++) {
      named.put(outputs.get(i).name(), results.get(i));
    }
    return named;
  }

  private <T> T use(Supplier<T> action) {
    if (!usage.acquire()) {
      throw new IllegalStateException("the program " + name + " is closed");
    }
    try {
      return action.get();
    } finally {
      usage.release();
    }
  }

  private Set<Integer> positions(Set<String> names) {
    Set<Integer> positions = new TreeSet<>();
    for (String name : names) {
      if (!inputNames.contains(name)) {
        throw new IllegalArgumentException("the program " + this.name + " has no input '" + name + "' to give up"
            + NearKeys.suggestion(name, inputNames));
      }
      positions.add(inputNames.indexOf(name));
    }
    return positions;
  }

  /// What `action` makes of the code for `ordered`, which stay open until then.
  private <T> T with(List<Tensor> ordered, Function<Executable, T> action) {
    return held(ordered, () -> {
      Executable executable = acquire(ordered);
      try {
        return action.apply(executable);
      } finally {
        executable.usage().release();
      }
    });
  }

  private static <T> T held(List<Tensor> tensors, Supplier<T> action) {
    List<Tensor> held = new ArrayList<>();
    try {
      for (Tensor tensor : tensors) {
        tensor.acquire();
        held.add(tensor);
      }
      return action.get();
    } catch (KernelFault fault) {
      throw new IllegalArgumentException(fault.getMessage());
    } finally {
      held.forEach(Tensor::release);
    }
  }

  /// The code for the shapes of `ordered`, held until released.
  private Executable acquire(List<Tensor> ordered) {
    Specialized before = last;
    if (before.fits(ordered)) {
      Executable executable = before.executable.orElseThrow();
      if (executable.usage().acquire()) {
        return executable;
      }
    }
    Executable executable = acquire(sizes(ordered));
    last = new Specialized(ordered.stream().map(Tensor::shape).toList(), Optional.of(executable));
    return executable;
  }

  /// The code for `sizes`, held until released. Code that is evicted between finding and holding it is made again.
  private Executable acquire(SortedMap<String, Long> sizes) {
    Executable executable = executables.get(sizes);
    while (!executable.usage().acquire()) {
      executable = executables.get(sizes);
    }
    return executable;
  }

  private List<Tensor> order(Map<String, Tensor> tensors) {
    for (String given : tensors.keySet()) {
      if (!inputNames.contains(given)) {
        throw new IllegalArgumentException("the program " + name + " has no input '" + given + "'"
            + NearKeys.suggestion(given, inputNames) + " (its inputs are " + String.join(", ", inputNames) + ")");
      }
    }
    List<Tensor> ordered = new ArrayList<>(inputs.size());
    for (Port input : inputs) {
      ordered.add(checked(input, Optional.ofNullable(tensors.get(input.name()))));
    }
    return ordered;
  }

  private Tensor checked(Port input, Optional<Tensor> given) {
    Tensor tensor = given.orElseThrow(() ->
        new IllegalArgumentException("input '" + input.name() + "' is missing; it is declared " + input));
    if (tensor.type() != input.type()) {
      throw new IllegalArgumentException(
          "input '" + input.name() + "' has the type " + tensor.type() + ", but is declared " + input);
    }
    return tensor;
  }

  private SortedMap<String, Long> sizes(List<Tensor> ordered) {
    SizeBinding binding = known.copy();
    for (int i = 0; i < inputs.size(); i++) {
      binding.add("input '" + inputs.get(i).name() + "'", inputs.get(i).shape(), ordered.get(i).shape());
    }
    binding.finish();
    return binding.sizes();
  }

  /// Frees everything, when the runs that have begun are over. A second call does nothing.
  @Override
  public void close() {
    usage.close();
  }
}
