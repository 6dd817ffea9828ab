package dev.einfall.frontend;

import dev.einfall.ir.Diagnostic;
import dev.einfall.ir.Names;
import dev.einfall.ir.Size;
import dev.einfall.ir.Source;
import dev.einfall.ir.Span;
import dev.einfall.ir.cascade.Cascade;
import dev.einfall.ir.cascade.Tensor;
import java.util.ArrayList;
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

  private EinReader() {}

  /// The program of `source`, which imports files of the standard library only.
  ///
  /// @throws dev.einfall.ir.CompileException with every error in the text
  public static EinProgram read(Source source, Optional<String> function) {
    return read(source, function, Imports.none());
  }

  /// The program of `source`, entered at `function`; at `main` or else the last function if that is empty.
  ///
  /// @throws dev.einfall.ir.CompileException with every error in the text and the files that it imports
  public static EinProgram read(Source source, Optional<String> function, Imports imports) {
    return new EinReader().program(source, function, imports);
  }

  private EinProgram program(Source source, Optional<String> wanted, Imports imports) {
    List<FileScope> files = new FileLoader(imports, diagnostics).load(source);
    files.forEach(file -> new Declarations(diagnostics).check(file.file()));
    FileScope main = files.getFirst();
    if (main.functions().isEmpty()) {
      diagnostics.report(new Span(source, 0, 0), "this file has no function: it needs a `def`");
    }
    diagnostics.throwIfAny();
    files.forEach(new Constants(diagnostics)::evaluate);
    Routine entry = entry(source, main, wanted);
    Elaboration elaboration = new Elaboration(diagnostics, false);
    Optional<Cascade> cascade = cascade(entry, elaboration);
    checkOthers(main, elaboration);
    diagnostics.throwIfAny();
    Syntax.File file = main.file();
    return new EinProgram(cascade.orElseThrow(),
        file.weights().map(this::plain), file.tokenizer().map(this::plain));
  }

  private Routine entry(Source source, FileScope main, Optional<String> wanted) {
    Map<String, Routine> functions = main.functions();
    if (wanted.isPresent() && !functions.containsKey(wanted.get())) {
      diagnostics.report(new Span(source, 0, 0), "this file has no function `" + wanted.get() + "`"
          + Spelling.suggestion(wanted.get(), functions.keySet()));
      diagnostics.throwIfAny();
    }
    return functions.get(wanted.orElse(functions.containsKey(MAIN) ? MAIN : List.copyOf(functions.keySet()).getLast()));
  }

  private Optional<Cascade> cascade(Routine routine, Elaboration elaboration) {
    Syntax.Function entry = routine.function();
    List<Tensor> inputs = new ArrayList<>();
    List<Optional<Tensor>> results = new ArrayList<>();
    diagnostics.attempt(entry.name().span(), () -> {
      checkSignature(entry);
      Functions reader = new Functions(elaboration);
      Frame frame = Frame.of(routine, Optional.empty(), Functions.symbols(routine, Optional.empty()), "");
      inputs.addAll(reader.inputs(frame));
      results.addAll(reader.call(routine, inputs, frame));
    });
    diagnostics.needs().forEach((span, size) ->
        diagnostics.report(span, "expected a number that is known here, not the size " + size));
    if (diagnostics.count() > 0) {
      return Optional.empty();
    }
    List<Cascade.Output> outputs = outputs(entry, results.stream().map(Optional::orElseThrow).toList(), elaboration);
    return Optional.of(elaboration.cascade(entry.name().text(), inputs, outputs));
  }

  private void checkSignature(Syntax.Function entry) {
    entry.types().stream().findFirst().ifPresent(type -> {
      throw diagnostics.reject(type.span(), "the function that a program starts with has tensors of known types; `<"
          + type.text() + ">` stands in the functions that it calls");
    });
    for (Syntax.Parameter parameter : entry.parameters()) {
      if (parameter.kind() != Syntax.Parameter.Kind.TENSOR) {
        throw diagnostics.reject(parameter.type().span(), "the function that a program starts with takes tensors only; a "
            + "`" + parameter.type().element().text() + "` is passed by a call");
      }
      checkRank(parameter.type());
    }
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
  private void checkOthers(FileScope main, Elaboration elaboration) {
    Optional<List<Size>> rest = Optional.of(List.of(Size.named("D0"), Size.named("D1")));
    Elaboration other = new Elaboration(diagnostics, true);
    other.called().addAll(elaboration.called());
    main.file().combiners().forEach(combiner ->
        diagnostics.attempt(combiner.span(), () -> other.combiner(combiner.name(), main)));
    for (Routine routine : main.functions().values()) {
      if (!other.called().contains(routine)) {
        Functions reader = new Functions(other);
        Frame frame = Frame.of(routine, Optional.empty(), Functions.symbols(routine, rest), "");
        diagnostics.attempt(routine.function().name().span(),
            () -> reader.call(routine, reader.inputs(frame), frame));
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
