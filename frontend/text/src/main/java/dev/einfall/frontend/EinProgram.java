package dev.einfall.frontend;

import dev.einfall.ir.CompileException;
import dev.einfall.ir.Diagnostic;
import dev.einfall.ir.ElementType;
import dev.einfall.ir.Names;
import dev.einfall.ir.Size;
import dev.einfall.ir.Span;
import dev.einfall.ir.cascade.Cascade;
import dev.einfall.ir.cascade.Tensor;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SortedMap;
import java.util.SortedSet;
import java.util.TreeSet;
import java.util.stream.Collectors;

/// What an `.ein` file means: the cascade of its entry function, and the weights file and tokenizer that it names.
///
/// Most programs are one cascade for all sizes. One whose static choices, loops or recursions depend on a size is another
/// cascade for each number of that size.
public final class EinProgram {

  /// A result of the program. A dimension that is only known with numbers is a size that is called as it is written.
  public record Result(String name, ElementType type, List<Size> shape) {}

  private final Entry entry;
  private final Entry.Reading reading;
  private final Optional<String> weights;
  private final Optional<String> tokenizer;

  /// @param reading what can be read without numbers
  EinProgram(Entry entry, Entry.Reading reading, Optional<String> weights, Optional<String> tokenizer) {
    this.entry = entry;
    this.reading = reading;
    this.weights = weights;
    this.tokenizer = tokenizer;
  }

  /// The name of the entry function.
  public String name() {
    return entry.routine().name();
  }

  /// The place of the weights file that the program names.
  public Optional<String> weights() {
    return weights;
  }

  /// The place of the tokenizer that the program names.
  public Optional<String> tokenizer() {
    return tokenizer;
  }

  /// The tensors that the program takes; their sizes are names.
  public List<Tensor> inputs() {
    return List.copyOf(reading.inputs());
  }

  /// The sizes whose numbers are needed to read the program; none if it is one cascade for all sizes.
  public SortedSet<String> neededSizes() {
    SortedSet<String> names = new TreeSet<>();
    reading.needs().values().forEach(size -> names.addAll(size.names()));
    return names;
  }

  /// The cascade for all sizes.
  ///
  /// @throws CompileException if there are [#neededSizes]
  public Cascade cascade() {
    return cascade(Collections.emptySortedMap());
  }

  /// The cascade for these numbers of sizes; its sizes may stay names where it is the same for all.
  ///
  /// @throws CompileException when the program is wrong at these sizes, or one that is needed is missing
  public Cascade cascade(SortedMap<String, Long> sizes) {
    if (reading.cascade().isPresent()) {
      return reading.cascade().get();
    }
    Diagnostics diagnostics = new Diagnostics();
    Entry.Reading read = entry.read(sizes, new Elaboration(diagnostics, false));
    read.needs().forEach((span, size) -> diagnostics.report(span, needed(size)));
    throwIfAny(diagnostics, sizes);
    return read.cascade().orElseThrow();
  }

  private static String needed(Size size) {
    return "this needs a number for the size" + (size.names().size() == 1 ? " " : "s ") + String.join(", ", size.names());
  }

  private static void throwIfAny(Diagnostics diagnostics, Map<String, Long> sizes) {
    try {
      diagnostics.throwIfAny();
    } catch (CompileException e) {
      String numbers = sizes.entrySet().stream().map(size -> size.getKey() + "=" + size.getValue())
          .collect(Collectors.joining(", "));
      throw sizes.isEmpty() ? e : new CompileException(e.diagnostics().stream().map(error -> new Diagnostic(
          error.severity(), error.span(), error.message() + ", for " + numbers, error.notes())).toList());
    }
  }

  /// What the program gives, in order.
  public List<Result> results() {
    if (reading.cascade().isPresent()) {
      return reading.cascade().get().outputs().stream()
          .map(output -> new Result(output.name(), output.tensor().type(), output.tensor().shape())).toList();
    }
    List<Result> results = new ArrayList<>();
    Names names = new Names(List.of());
    List<Syntax.Result> declared = entry.routine().function().results();
    for (int i = 0; i < declared.size(); i++) {
      String name = names.of(declared.get(i), declared.get(i).name().map(Syntax.Name::text).orElse(returned(i)));
      results.add(declared(name, declared.get(i).type()));
    }
    return results;
  }

  /// The name that the last statement returns as result `index`.
  private String returned(int index) {
    List<Syntax.Statement> body = entry.routine().function().body();
    return !body.isEmpty() && body.getLast() instanceof Syntax.Statement.Return last && index < last.values().size()
        && last.values().get(index) instanceof Syntax.Expr.Reference(Syntax.Name name) ? name.text() : "result";
  }

  private Result declared(String name, Syntax.Type type) {
    Sizes sizes = new Sizes(new Diagnostics(), entry.frame(Collections.emptySortedMap()));
    List<Size> shape = type.dimensions().stream().flatMap(Optional::stream).map(size -> size(sizes, size)).toList();
    return new Result(name, sizes.element(type), shape);
  }

  private static Size size(Sizes sizes, Syntax.Expr expr) {
    try {
      return sizes.size(expr);
    } catch (Diagnostics.Rejection _) {
      Span span = expr.span();
      return Size.named(span.source().text().substring(span.start(), span.end()));
    }
  }
}
