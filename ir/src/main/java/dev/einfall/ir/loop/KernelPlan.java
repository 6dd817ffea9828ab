package dev.einfall.ir.loop;

import java.util.List;
import java.util.Optional;

/// A compiled program: kernels launched in order over buffers that are planned ahead.
///
/// `setup` runs once, when the weights are known, and fills the buffers in `constants`; `launches` run at every call.
/// All buffers here are `GLOBAL`.
public record KernelPlan(
    String name,
    List<Buffer> inputs,
    List<Weight> weights,
    List<Buffer> constants,
    List<Launch> setup,
    List<Launch> launches,
    List<Output> outputs,
    Arena arena) {

  /// A buffer that holds the tensor `key` of the weights file.
  public record Weight(Buffer buffer, String key) {}

  /// A buffer that the caller receives as `name`. If it starts as an input, it holds the elements of that before the first
  /// launch; no launch reads such an input, so that a caller who gives it up gets the same memory back, changed in place.
  public record Output(String name, Buffer buffer, Optional<Buffer> start) {
    public Output(String name, Buffer buffer) {
      this(name, buffer, Optional.empty());
    }
  }

  /// A kernel, and the buffers that stand for its parameters, in order. A parameter has the type and the number of
  /// elements of its buffer; it may divide them into other dimensions.
  public record Launch(Kernel kernel, List<Buffer> arguments) {
    public Launch {
      arguments = List.copyOf(arguments);
      if (arguments.size() != kernel.parameters().size()) {
        throw new IllegalArgumentException(kernel.name() + " launched with " + arguments.size() + " buffers");
      }
    }
  }

  /// Where an intermediate buffer lies in the arena, in bytes from its start; a multiple of 64.
  public record Placement(Buffer buffer, long offset) {}

  /// The memory of the intermediate buffers of one run: those that live at the same time do not overlap.
  public record Arena(List<Placement> placements, long bytes) {
    public static final Arena EMPTY = new Arena(List.of(), 0);

    public Arena {
      placements = List.copyOf(placements);
    }
  }

  public KernelPlan {
    inputs = List.copyOf(inputs);
    weights = List.copyOf(weights);
    constants = List.copyOf(constants);
    setup = List.copyOf(setup);
    launches = List.copyOf(launches);
    outputs = List.copyOf(outputs);
  }
}
