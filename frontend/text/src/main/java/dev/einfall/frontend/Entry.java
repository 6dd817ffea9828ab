package dev.einfall.frontend;

import dev.einfall.ir.Names;
import dev.einfall.ir.Size;
import dev.einfall.ir.Span;
import dev.einfall.ir.cascade.Cascade;
import dev.einfall.ir.cascade.Tensor;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SortedMap;

/// The function that a program starts with, whose sizes no call gives.
record Entry(Routine routine) {

  /// What was read of it.
  ///
  /// @param cascade none if there are errors, or `needs`
  /// @param needs where the number of a size is needed to go on
  record Reading(List<Tensor> inputs, Optional<Cascade> cascade, Map<Span, Size> needs) {}

  /// Whether a program may start with the function.
  boolean isPossible() {
    Syntax.Function function = routine.function();
    return function.types().isEmpty() && function.parameters().stream().allMatch(parameter ->
        parameter.kind() == Syntax.Parameter.Kind.TENSOR && !hasRest(parameter.type()));
  }

  private static boolean hasRest(Syntax.Type type) {
    return type.dimensions().stream().anyMatch(Optional::isEmpty);
  }

  /// Reads the function and what it calls.
  ///
  /// @param sizes the numbers of some sizes; the others stay names
  Reading read(SortedMap<String, Long> sizes, Elaboration elaboration) {
    Diagnostics diagnostics = elaboration.diagnostics();
    Frame frame = frame(sizes);
    List<Tensor> inputs = new ArrayList<>();
    List<Optional<Tensor>> results = new ArrayList<>();
    diagnostics.attempt(routine.function().name().span(), () -> {
      checkSignature(diagnostics);
      Functions reader = new Functions(elaboration);
      List<Optional<Tensor>> tensors = inputs(reader, frame, diagnostics);
      tensors.forEach(tensor -> tensor.ifPresent(inputs::add));
      results.addAll(reader.call(routine, tensors, frame));
    });
    Map<Span, Size> needs = new LinkedHashMap<>(diagnostics.needs());
    diagnostics.forgetNeeds();
    if (diagnostics.count() > 0 || !needs.isEmpty()) {
      return new Reading(inputs, Optional.empty(), needs);
    }
    List<Cascade.Output> outputs = outputs(results.stream().map(Optional::orElseThrow).toList(), elaboration);
    return new Reading(inputs, Optional.of(elaboration.cascade(routine.name(), inputs, outputs)), needs);
  }

  Frame frame(SortedMap<String, Long> sizes) {
    Bindings symbols = Functions.symbols(routine, Optional.empty());
    return Frame.of(routine, Optional.empty(), symbols.withNumbers(sizes), "");
  }

  /// The tensors that the program takes; none for one whose type is wrong. The sizes of a run follow from their shapes.
  private static List<Optional<Tensor>> inputs(Functions reader, Frame frame, Diagnostics diagnostics) {
    List<Optional<Tensor>> inputs = reader.inputs(frame);
    diagnostics.needs().keySet().forEach(span -> diagnostics.report(span,
        "a size of a program's input is made of names, numbers, and + - * / between them"));
    diagnostics.forgetNeeds();
    return inputs;
  }

  private void checkSignature(Diagnostics diagnostics) {
    Syntax.Function entry = routine.function();
    entry.types().stream().findFirst().ifPresent(type -> {
      throw diagnostics.reject(type.span(), "the function that a program starts with has tensors of known types; `<"
          + type.text() + ">` stands in the functions that it calls");
    });
    for (Syntax.Parameter parameter : entry.parameters()) {
      if (parameter.kind() != Syntax.Parameter.Kind.TENSOR) {
        throw diagnostics.reject(parameter.type().span(), "the function that a program starts with takes tensors only; a "
            + "`" + parameter.type().element().text() + "` is passed by a call");
      }
      if (hasRest(parameter.type())) {
        throw diagnostics.reject(parameter.type().span(), "the function that a program starts with names each dimension "
            + "of its parameters; `...` stands in the functions that it calls");
      }
    }
  }

  /// A result that is no Einsum's, or that of an earlier result, is copied.
  private List<Cascade.Output> outputs(List<Tensor> tensors, Elaboration elaboration) {
    List<Cascade.Output> outputs = new ArrayList<>();
    Names names = new Names(List.of());
    for (int i = 0; i < tensors.size(); i++) {
      Tensor tensor = tensors.get(i);
      Syntax.Result result = routine.function().results().get(i);
      String name = names.of(result, result.name().map(Syntax.Name::text).orElse(tensor.name()));
      boolean isNew = elaboration.definition(tensor).isPresent()
          && outputs.stream().noneMatch(output -> output.tensor() == tensor);
      outputs.add(new Cascade.Output(name, isNew ? tensor : copy(name, tensor, elaboration)));
    }
    return outputs;
  }

  private static Tensor copy(String name, Tensor tensor, Elaboration elaboration) {
    Views.View view = Views.copy(tensor);
    return elaboration.define(name, tensor.span(), view.ranks(), view.value(), tensor.span());
  }
}
