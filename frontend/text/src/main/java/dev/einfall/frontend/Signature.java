package dev.einfall.frontend;

import dev.einfall.frontend.Syntax.Expr;
import dev.einfall.frontend.Syntax.Parameter;
import dev.einfall.ir.Diagnostic;
import dev.einfall.ir.ElementType;
import dev.einfall.ir.Size;
import dev.einfall.ir.Span;
import dev.einfall.ir.cascade.Tensor;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// Matches the arguments of a call with the parameters of the function, which gives the names in their types a meaning.
final class Signature {

  /// A size or type that has a value, and the argument that gave it.
  private record Given<T>(T value, String from, Span span) {}

  private final Elaboration elaboration;
  private final Diagnostics diagnostics;
  private final Routine routine;
  private final Map<String, Given<Size>> sizes = new LinkedHashMap<>();
  private final Map<String, Static> truths = new LinkedHashMap<>();
  private final Map<String, Given<ElementType>> types = new LinkedHashMap<>();
  private final Map<String, Callee> functions = new LinkedHashMap<>();
  private final List<Runnable> later = new ArrayList<>();
  private Optional<List<Size>> rest = Optional.empty();
  private Span restSpan = Span.NONE;

  Signature(Elaboration elaboration, Routine routine) {
    this.elaboration = elaboration;
    this.diagnostics = elaboration.diagnostics();
    this.routine = routine;
  }

  Bindings bindings() {
    Map<String, Static> statics = new LinkedHashMap<>(truths);
    sizes.forEach((name, given) -> statics.put(name, new Static.Whole(given.value())));
    Map<String, ElementType> elements = new LinkedHashMap<>();
    types.forEach((name, given) -> elements.put(name, given.value()));
    return new Bindings(statics, elements, functions, rest);
  }

  /// Gives a parameter that is known when the program is read its value.
  void value(Parameter parameter, Static value, Span span) {
    String name = parameter.name().text();
    if (value instanceof Static.Whole(Size size)) {
      sizes.put(name, new Given<>(size, "its argument", span));
    } else {
      truths.put(name, value);
    }
  }

  void function(Parameter parameter, Callee callee) {
    functions.put(parameter.name().text(), callee);
  }

  /// The element type of a parameter, if that is known by now.
  Optional<ElementType> element(Parameter parameter) {
    String name = parameter.type().element().text();
    return isGeneric(name) ? Optional.ofNullable(types.get(name)).map(Given::value) : ElementType.named(name);
  }

  private boolean isGeneric(String type) {
    return routine.function().types().stream().anyMatch(name -> name.text().equals(type));
  }

  /// Matches a tensor with the type of its parameter.
  void tensor(Parameter parameter, Tensor argument, Span span) {
    matchElement(parameter, argument, span);
    List<Optional<Expr>> dimensions = parameter.type().dimensions();
    int rank = argument.shape().size();
    long rests = dimensions.stream().filter(Optional::isEmpty).count();
    boolean fits = rests == 0 ? rank == dimensions.size() : rank >= dimensions.size() - 1;
    if (!fits) {
      throw otherType(parameter, argument, span);
    }
    int position = 0;
    for (Optional<Expr> dimension : dimensions) {
      if (dimension.isEmpty()) {
        int count = rank - dimensions.size() + 1;
        matchRest(argument.shape().subList(position, position + count), parameter, span);
        position += count;
      } else {
        Size size = argument.shape().get(position);
        match(dimension.get(), size, "dimension " + position + " of `" + argument.name() + "`", parameter, span);
        position++;
      }
    }
  }

  /// Checks the sizes that are computed from others.
  void finish() {
    later.forEach(Runnable::run);
  }

  private void matchElement(Parameter parameter, Tensor argument, Span span) {
    Syntax.Name element = parameter.type().element();
    if (!isGeneric(element.text())) {
      if (argument.type() != new Sizes(diagnostics, frame()).element(parameter.type())) {
        throw otherType(parameter, argument, span);
      }
      return;
    }
    Given<ElementType> first =
        types.putIfAbsent(element.text(), new Given<>(argument.type(), "`" + argument.name() + "`", span));
    if (first != null && first.value() != argument.type()) {
      throw diagnostics.reject(span, "type `" + element.text() + "` of `" + routine.name() + "` is " + first.value()
          + " by " + first.from() + ", but " + argument.type() + " by `" + argument.name() + "`",
          new Diagnostic.Note(first.span(), "this gives it the value " + first.value()), declared(parameter));
    }
  }

  private Diagnostics.Rejection otherType(Parameter parameter, Tensor argument, Span span) {
    return mismatch(parameter, span, "this is " + Accesses.describe(argument) + ", and `" + parameter.name().text()
        + "` of `" + routine.name() + "` is " + text(parameter.type()));
  }

  private static String text(Syntax.Type type) {
    Span span = type.span();
    return span.source().text().substring(span.start(), span.end());
  }

  private void match(Expr dimension, Size size, String from, Parameter parameter, Span span) {
    if (!(dimension instanceof Expr.Reference(Syntax.Name name)) || isKnown(name.text())) {
      later.add(() -> check(new Sizes(diagnostics, frame()).size(dimension), size, from, parameter, span));
      return;
    }
    Given<Size> first = sizes.putIfAbsent(name.text(), new Given<>(size, from, span));
    if (first != null && !elaboration.same(first.value(), size)) {
      throw diagnostics.reject(span, "size `" + name.text() + "` of `" + routine.name() + "` is " + first.value()
          + " by " + first.from() + ", but " + size + " by " + from,
          new Diagnostic.Note(first.span(), "this gives it the value " + first.value()), declared(parameter));
    }
  }

  /// Whether a name in a type is a constant, which no argument changes.
  private boolean isKnown(String name) {
    return !sizes.containsKey(name) && routine.file().constant(name).isPresent();
  }

  private void check(Size wanted, Size size, String from, Parameter parameter, Span span) {
    if (!elaboration.same(wanted, size)) {
      throw mismatch(parameter, span, from + " has size " + size + ", and `" + parameter.name().text() + "` of `"
          + routine.name() + "` needs " + wanted);
    }
  }

  private void matchRest(List<Size> dimensions, Parameter parameter, Span span) {
    boolean fits = rest.isEmpty() || rest.get().size() == dimensions.size();
    for (int i = 0; fits && rest.isPresent() && i < dimensions.size(); i++) {
      fits = elaboration.same(rest.get().get(i), dimensions.get(i));
    }
    if (!fits) {
      throw diagnostics.reject(span, "`...` of `" + routine.name() + "` is " + Wholes.list(rest.get())
          + " by an earlier tensor, but " + Wholes.list(dimensions) + " by this one",
          new Diagnostic.Note(restSpan, "this gives it the value " + Wholes.list(rest.get())), declared(parameter));
    }
    restSpan = rest.isEmpty() ? span : restSpan;
    rest = Optional.of(rest.orElse(dimensions));
  }

  private Frame frame() {
    return Frame.of(routine, Optional.empty(), bindings(), "");
  }

  private Diagnostics.Rejection mismatch(Parameter parameter, Span span, String message) {
    return diagnostics.reject(span, message, declared(parameter));
  }

  private static Diagnostic.Note declared(Parameter parameter) {
    return new Diagnostic.Note(parameter.name().span(), "`" + parameter.name().text() + "` is declared here");
  }
}
