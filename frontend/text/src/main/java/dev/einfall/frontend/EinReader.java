package dev.einfall.frontend;

import dev.einfall.ir.Diagnostic;
import dev.einfall.ir.Names;
import dev.einfall.ir.Size;
import dev.einfall.ir.Source;
import dev.einfall.ir.Span;
import dev.einfall.ir.cascade.Cascade;
import dev.einfall.ir.cascade.Tensor;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// Reads the text of an `.ein` file: from characters to the flat, checked cascade of one function.
///
/// Calls are inlined, static loops unrolled, and sizes and `...` resolved; the sizes of the entry function's
/// parameters stay symbolic.
public final class EinReader {
  private static final String MAIN = "main";

  private final Diagnostics diagnostics = new Diagnostics();
  private final Map<String, Syntax.Function> functions = new LinkedHashMap<>();

  private EinReader() {}

  /// The program of `source`, entered at `function`; at `main` or else the last function if that is empty.
  ///
  /// @throws dev.einfall.ir.CompileException with every error in the text
  public static EinProgram read(Source source, Optional<String> function) {
    return new EinReader().program(source, function);
  }

  private EinProgram program(Source source, Optional<String> wanted) {
    Syntax.File file = SyntaxReader.read(source, diagnostics);
    file.functions().forEach(this::declare);
    if (functions.isEmpty()) {
      diagnostics.report(new Span(source, 0, 0), "this file has no function: it needs a `def`");
    }
    diagnostics.throwIfAny();
    Syntax.Function entry = entry(source, wanted);
    Elaboration elaboration = new Elaboration(diagnostics, functions, false);
    Optional<Cascade> cascade = cascade(entry, elaboration);
    checkOthers(elaboration);
    diagnostics.throwIfAny();
    return new EinProgram(cascade.orElseThrow(),
        file.weights().map(this::plain), file.tokenizer().map(this::plain));
  }

  private void declare(Syntax.Function function) {
    Syntax.Name name = function.name();
    Syntax.Function first = functions.putIfAbsent(name.text(), function);
    if (first != null) {
      diagnostics.report(name.span(), "a second function is called `" + name.text() + "`",
          new Diagnostic.Note(first.name().span(), "the first one is here"));
    } else if (Scalars.functionNames().contains(name.text()) || Views.NAMES.contains(name.text())) {
      diagnostics.report(name.span(), "`" + name.text() + "` is a function of the language; choose another name");
    }
    Map<String, Syntax.Name> names = new LinkedHashMap<>();
    for (Syntax.Parameter parameter : function.parameters()) {
      Syntax.Name other = names.putIfAbsent(parameter.name().text(), parameter.name());
      if (other != null) {
        diagnostics.report(parameter.name().span(), "a second parameter is called `" + other.text() + "`",
            new Diagnostic.Note(other.span(), "the first one is here"));
      }
    }
  }

  private Syntax.Function entry(Source source, Optional<String> wanted) {
    if (wanted.isPresent() && !functions.containsKey(wanted.get())) {
      diagnostics.report(new Span(source, 0, 0), "this file has no function `" + wanted.get() + "`"
          + Spelling.suggestion(wanted.get(), functions.keySet()));
      diagnostics.throwIfAny();
    }
    return functions.get(wanted.orElse(functions.containsKey(MAIN) ? MAIN : List.copyOf(functions.keySet()).getLast()));
  }

  private Optional<Cascade> cascade(Syntax.Function entry, Elaboration elaboration) {
    List<Tensor> inputs = new ArrayList<>();
    List<Optional<Tensor>> results = new ArrayList<>();
    diagnostics.attempt(entry.name().span(), () -> {
      entry.parameters().forEach(parameter -> checkRank(parameter.type()));
      Functions reader = new Functions(elaboration);
      inputs.addAll(reader.inputs(entry, Optional.empty()));
      results.addAll(reader.entry(entry, inputs, Optional.empty()));
    });
    if (diagnostics.count() > 0) {
      return Optional.empty();
    }
    List<Cascade.Output> outputs = outputs(entry, results.stream().map(Optional::orElseThrow).toList(), elaboration);
    return Optional.of(elaboration.cascade(entry.name().text(), inputs, outputs));
  }

  private void checkRank(Syntax.Type type) {
    if (type.dimensions().stream().anyMatch(Optional::isEmpty)) {
      throw diagnostics.reject(type.span(), "the function that a program starts with names each dimension of its "
          + "parameters; `...` stands in the functions that it calls");
    }
  }

  /// A result that is no Einsum's, or that of an earlier result, is copied.
  private List<Cascade.Output> outputs(Syntax.Function entry, List<Tensor> tensors, Elaboration elaboration) {
    List<Cascade.Output> outputs = new ArrayList<>();
    Names names = new Names(List.of());
    for (int i = 0; i < tensors.size(); i++) {
      Tensor tensor = tensors.get(i);
      Syntax.Result result = entry.results().get(i);
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

  /// Checks the functions that the entry does not reach, for tensors of any sizes; `...` stands for two of them.
  private void checkOthers(Elaboration elaboration) {
    Optional<List<Size>> rest = Optional.of(List.of(Size.named("D0"), Size.named("D1")));
    Elaboration other = new Elaboration(diagnostics, functions, true);
    other.called().addAll(elaboration.called());
    for (Syntax.Function function : functions.values()) {
      if (!other.called().contains(function.name().text())) {
        Functions reader = new Functions(other);
        diagnostics.attempt(function.name().span(),
            () -> reader.entry(function, reader.inputs(function, rest), rest));
      }
    }
  }

  /// The characters of a string outside of all functions.
  private String plain(Syntax.Text text) {
    StringBuilder characters = new StringBuilder();
    for (Syntax.Part part : text.parts()) {
      switch (part) {
        case Syntax.Part.Characters(String value) -> characters.append(value);
        case Syntax.Part.Hole(Syntax.Expr value) ->
            diagnostics.report(value.span(), "there is nothing to put here outside of a function");
      }
    }
    diagnostics.throwIfAny();
    return characters.toString();
  }
}
