package dev.einfall.frontend;

import dev.einfall.frontend.Syntax.Expr;
import dev.einfall.frontend.Syntax.Parameter;
import dev.einfall.ir.Diagnostic;
import dev.einfall.ir.ElementType;
import dev.einfall.ir.cascade.Tensor;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.IntStream;

/// Reads the arguments of a call, and finds what they give the names of the function's signature.
final class Arguments {

  /// The tensors for the parameters that are tensors, in order.
  record Read(List<Tensor> tensors, Bindings bindings) {}

  private final Diagnostics diagnostics;
  private final Frame frame;
  private final Wholes wholes;
  private final Routine routine;
  private final Expr.Call call;
  private final Signature signature;

  /// @param frame that of the call
  Arguments(Elaboration elaboration, Frame frame, Wholes wholes, Routine routine, Expr.Call call) {
    this.diagnostics = elaboration.diagnostics();
    this.frame = frame;
    this.wholes = wholes;
    this.routine = routine;
    this.call = call;
    this.signature = new Signature(elaboration, routine);
  }

  Read read() {
    checkCount();
    Map<Integer, Tensor> tensors = new LinkedHashMap<>();
    each((position, parameter, argument) -> {
      switch (parameter.kind()) {
        case SIZE -> signature.value(parameter, value(parameter, argument), argument.span());
        case FUNCTION -> signature.function(parameter, callee(parameter, argument));
        case TENSOR -> { }
      }
    });
    each((position, parameter, argument) -> {
      if (parameter.kind() == Parameter.Kind.TENSOR && !isOpen(parameter, argument)) {
        tensors.put(position, tensor(parameter, argument, ElementType.named(parameter.type().element().text())));
      }
    });
    each((position, parameter, argument) -> {
      if (parameter.kind() == Parameter.Kind.TENSOR && isOpen(parameter, argument)) {
        tensors.put(position, tensor(parameter, argument, signature.element(parameter)));
      }
    });
    signature.finish();
    return new Read(tensors.keySet().stream().sorted().map(tensors::get).toList(), signature.bindings());
  }

  private interface Action {
    void accept(int position, Parameter parameter, Expr argument);
  }

  private void each(Action action) {
    diagnostics.each(IntStream.range(0, call.arguments().size()).boxed().toList(), i -> {
      action.accept(i, routine.function().parameters().get(i), call.arguments().get(i));
      return i;
    });
  }

  private void checkCount() {
    List<Parameter> parameters = routine.function().parameters();
    int count = parameters.size();
    if (call.arguments().size() != count) {
      boolean onlyTensors = parameters.stream().allMatch(parameter -> parameter.kind() == Parameter.Kind.TENSOR);
      throw diagnostics.reject(call.span(), "`" + routine.name() + "` takes " + count
          + (onlyTensors ? " tensor" : " argument") + (count == 1 ? "" : "s") + ", not " + call.arguments().size(),
          new Diagnostic.Note(routine.function().name().span(), "it is defined here"));
    }
  }

  /// Whether the argument is a number that takes the type that other arguments give the parameter.
  private boolean isOpen(Parameter parameter, Expr argument) {
    boolean isNamed = routine.function().types().stream()
        .anyMatch(type -> type.text().equals(parameter.type().element().text()));
    return isNamed && isNumber(argument);
  }

  private boolean isNumber(Expr expr) {
    return switch (expr) {
      case Expr.Whole _, Expr.Real _ -> true;
      case Expr.Reference(Syntax.Name name) -> frame.tensor(name.text()).isEmpty();
      case Expr.Prefix prefix -> isNumber(prefix.operand());
      case Expr.Infix infix -> isNumber(infix.left()) && isNumber(infix.right());
      case Expr.Call other -> frame.callee(other.name().text()).isEmpty()
          && ElementType.named(other.name().text()).isEmpty() && other.arguments().stream().allMatch(this::isNumber);
      case Expr _ -> false;
    };
  }

  private Static value(Parameter parameter, Expr argument) {
    Static value = new Sizes(diagnostics, frame).value(argument, Statics.Purpose.ARGUMENT);
    if (value instanceof Static.Real) {
      throw diagnostics.reject(argument.span(), "`" + parameter.name().text() + "` of `" + routine.name()
          + "` is a size, this is a real number", declared(parameter));
    }
    return value;
  }

  private Callee callee(Parameter parameter, Expr argument) {
    if (!(argument instanceof Expr.Reference(Syntax.Name name))) {
      throw diagnostics.reject(argument.span(), "`" + parameter.name().text() + "` of `" + routine.name()
          + "` is a function; pass its name", declared(parameter));
    }
    Optional<Callee> callee = frame.callee(name.text());
    if (callee.isEmpty() && Scalars.functionNames().contains(name.text())) {
      return new Callee.BuiltIn(name.text());
    }
    return callee.orElseThrow(() -> new UnknownFunctions(diagnostics, frame).call(name));
  }

  private Diagnostic.Note declared(Parameter parameter) {
    return new Diagnostic.Note(parameter.name().span(), "`" + parameter.name().text() + "` is declared here");
  }

  private Tensor tensor(Parameter parameter, Expr argument, Optional<ElementType> type) {
    Tensor tensor = wholes.tensor(argument, parameter.name().text(), type);
    signature.tensor(parameter, tensor, argument.span());
    return tensor;
  }
}
