package dev.einfall.frontend;

import dev.einfall.ir.Size;
import dev.einfall.ir.cascade.Tensor;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// What the names of a function mean while its body is read: one frame a call, and one inside it for each round of a
/// static loop.
final class Frame {
  private final Optional<Frame> outer;
  private final Syntax.Function function;
  private final Optional<Frame> caller;
  private final Map<String, Size> sizes;
  private final Optional<List<Size>> rest;
  private final String prefix;
  private final Map<String, Optional<Tensor>> tensors = new LinkedHashMap<>();
  private final Map<String, Long> constants = new LinkedHashMap<>();

  private Frame(Optional<Frame> outer, Syntax.Function function, Optional<Frame> caller, Map<String, Size> sizes,
      Optional<List<Size>> rest, String prefix) {
    this.outer = outer;
    this.function = function;
    this.caller = caller;
    this.sizes = sizes;
    this.rest = rest;
    this.prefix = prefix;
  }

  /// The frame of a call.
  ///
  /// @param rest what `...` stands for in the function's types
  static Frame of(Syntax.Function function, Optional<Frame> caller, Map<String, Size> sizes,
      Optional<List<Size>> rest, String prefix) {
    return new Frame(Optional.empty(), function, caller, sizes, rest, prefix);
  }

  /// The frame of one round of a loop, in which `name` is the number `value`. New names live as long as the round.
  Frame round(String name, long value, String newPrefix) {
    Frame frame = new Frame(Optional.of(this), function, caller, sizes, rest, newPrefix);
    frame.constants.put(name, value);
    return frame;
  }

  /// Whether `called` is being read already, here or in a call around this one.
  boolean isInside(Syntax.Function called) {
    return function == called || caller.isPresent() && caller.get().isInside(called);
  }

  /// How many calls lead here.
  int depth() {
    return caller.map(frame -> frame.depth() + 1).orElse(0);
  }

  Syntax.Function function() {
    return function;
  }

  String prefix() {
    return prefix;
  }

  Map<String, Size> sizes() {
    return sizes;
  }

  Optional<List<Size>> rest() {
    return rest;
  }

  Optional<Long> constant(String name) {
    return Optional.ofNullable(constants.get(name)).or(() -> outer.flatMap(frame -> frame.constant(name)));
  }

  /// The number or size that `name` stands for.
  Optional<Size> size(String name) {
    return constant(name).map(Size::of).or(() -> Optional.ofNullable(sizes.get(name)));
  }

  /// What is known of the tensor `name`: nothing, that its definition is wrong, or the tensor.
  Optional<Optional<Tensor>> tensor(String name) {
    return Optional.ofNullable(tensors.get(name)).or(() -> outer.flatMap(frame -> frame.tensor(name)));
  }

  /// Binds `name` to a tensor; to none when its definition is wrong.
  void bind(String name, Optional<Tensor> tensor) {
    Frame frame = this;
    while (!frame.tensors.containsKey(name) && frame.outer.isPresent()) {
      frame = frame.outer.get();
    }
    (frame.tensors.containsKey(name) ? frame : this).tensors.put(name, tensor);
  }

  Collection<String> tensorNames() {
    Collection<String> names = new ArrayList<>(tensors.keySet());
    outer.ifPresent(frame -> names.addAll(frame.tensorNames()));
    return names;
  }

  Collection<String> sizeNames() {
    Collection<String> names = new ArrayList<>(constants.keySet());
    outer.ifPresentOrElse(frame -> names.addAll(frame.sizeNames()), () -> names.addAll(sizes.keySet()));
    return names;
  }
}
