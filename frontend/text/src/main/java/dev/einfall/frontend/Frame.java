package dev.einfall.frontend;

import dev.einfall.ir.ElementType;
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
  private final Routine routine;
  private final Optional<Frame> caller;
  private final Bindings bindings;
  private final String prefix;
  private final Map<String, Optional<Tensor>> tensors = new LinkedHashMap<>();
  private final Map<String, Static> constants = new LinkedHashMap<>();

  private Frame(Optional<Frame> outer, Routine routine, Optional<Frame> caller, Bindings bindings, String prefix) {
    this.outer = outer;
    this.routine = routine;
    this.caller = caller;
    this.bindings = bindings;
    this.prefix = prefix;
  }

  /// The frame of a call.
  static Frame of(Routine routine, Optional<Frame> caller, Bindings bindings, String prefix) {
    return new Frame(Optional.empty(), routine, caller, bindings, prefix);
  }

  /// The frame of one round of a loop, in which `name` is the number `value`. New names live as long as the round.
  Frame round(String name, long value, String newPrefix) {
    Frame frame = new Frame(Optional.of(this), routine, caller, bindings, newPrefix);
    frame.define(name, new Static.Whole(Size.of(value)));
    return frame;
  }

  /// Whether `called` is being read already, here or in a call around this one.
  boolean isInside(Routine called) {
    return routine == called || caller.isPresent() && caller.get().isInside(called);
  }

  /// How many calls lead here.
  int depth() {
    int depth = 0;
    for (Optional<Frame> frame = caller; frame.isPresent(); frame = frame.get().caller) {
      depth++;
    }
    return depth;
  }

  Syntax.Function function() {
    return routine.function();
  }

  FileScope file() {
    return routine.file();
  }

  String prefix() {
    return prefix;
  }

  Optional<List<Size>> rest() {
    return bindings.rest();
  }

  /// Gives the constant `name` its value.
  void define(String name, Static value) {
    constants.put(name, value);
  }

  /// The constant of the function, or number of a loop, `name`.
  Optional<Static> constant(String name) {
    for (Frame frame = this; ; frame = frame.outer.get()) {
      Static value = frame.constants.get(name);
      if (value != null || frame.outer.isEmpty()) {
        return Optional.ofNullable(value);
      }
    }
  }

  /// The value that `name` has in this function, whatever it means in the file.
  Optional<Static> own(String name) {
    return constant(name).or(() -> Optional.ofNullable(bindings.statics().get(name)));
  }

  /// The value that `name` stands for, if it is known when the program is read. Tensors hide the constants of the file.
  Optional<Static> known(String name) {
    return own(name).or(() -> tensor(name).isPresent() ? Optional.empty() : file().constant(name).flatMap(value -> value));
  }

  /// The element type `name`.
  Optional<ElementType> element(String name) {
    return Optional.ofNullable(bindings.types().get(name)).or(() -> ElementType.named(name));
  }

  /// The names of types that a call gives.
  Collection<String> typeNames() {
    return bindings.types().keySet();
  }

  /// A call by the name of the built-in function that a parameter of this function stands for, or as it is.
  Syntax.Expr.Call named(Syntax.Expr.Call call) {
    return bindings.functions().get(call.name().text()) instanceof Callee.BuiltIn(String builtIn)
        ? new Syntax.Expr.Call(new Syntax.Name(builtIn, call.name().span()), call.arguments(), call.prefix(), call.span())
        : call;
  }

  /// The names of functions that can be called here.
  Collection<String> functionNames() {
    Collection<String> names = new ArrayList<>(bindings.functions().keySet());
    names.addAll(file().functionNames());
    return names;
  }

  /// The function that `name` stands for.
  Optional<Callee> callee(String name) {
    return Optional.ofNullable(bindings.functions().get(name))
        .or(() -> file().function(name).map(Callee.Defined::new));
  }

  /// What is known of the tensor `name`: nothing, that its definition is wrong, or the tensor.
  Optional<Optional<Tensor>> tensor(String name) {
    for (Frame frame = this; ; frame = frame.outer.get()) {
      Optional<Tensor> tensor = frame.tensors.get(name);
      if (tensor != null || frame.outer.isEmpty()) {
        return Optional.ofNullable(tensor);
      }
    }
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
    outer.ifPresentOrElse(frame -> names.addAll(frame.sizeNames()), () -> names.addAll(bindings.statics().keySet()));
    return names;
  }
}
