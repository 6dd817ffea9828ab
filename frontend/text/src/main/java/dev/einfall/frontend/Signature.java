package dev.einfall.frontend;

import dev.einfall.frontend.Syntax.Expr;
import dev.einfall.ir.Diagnostic;
import dev.einfall.ir.Size;
import dev.einfall.ir.Span;
import dev.einfall.ir.cascade.Tensor;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// Matches the tensors of a call with the parameters' types, which gives the sizes of the function their values.
final class Signature {

  /// A size that has a value, and the argument that gave it.
  private record Given(Size size, String from, Span span) {}

  private final Elaboration elaboration;
  private final Diagnostics diagnostics;
  private final Syntax.Function function;
  private final Expr.Call call;
  private final Map<String, Given> given = new LinkedHashMap<>();
  private Optional<List<Size>> rest = Optional.empty();

  Signature(Elaboration elaboration, Syntax.Function function, Expr.Call call) {
    this.elaboration = elaboration;
    this.diagnostics = elaboration.diagnostics();
    this.function = function;
    this.call = call;
  }

  Map<String, Size> sizes() {
    Map<String, Size> sizes = new LinkedHashMap<>();
    given.forEach((name, value) -> sizes.put(name, value.size()));
    return sizes;
  }

  Optional<List<Size>> rest() {
    return rest;
  }

  void match(List<Tensor> arguments) {
    List<Runnable> later = new ArrayList<>();
    for (int i = 0; i < arguments.size(); i++) {
      match(function.parameters().get(i), arguments.get(i), call.arguments().get(i).span(), later);
    }
    later.forEach(Runnable::run);
  }

  /// @param later collects the checks of sizes that are computed from others
  private void match(Syntax.Parameter parameter, Tensor argument, Span span, List<Runnable> later) {
    var element = new Sizes(diagnostics, frame()).element(parameter.type().element());
    List<Optional<Expr>> dimensions = parameter.type().dimensions();
    int rank = argument.shape().size();
    long rests = dimensions.stream().filter(Optional::isEmpty).count();
    boolean fits = rests == 0 ? rank == dimensions.size() : rank >= dimensions.size() - 1;
    if (argument.type() != element || !fits) {
      throw mismatch(parameter, span, "this is " + Accesses.describe(argument) + ", and `" + parameter.name().text()
          + "` of `" + function.name().text() + "` is " + text(parameter.type()));
    }
    int position = 0;
    for (Optional<Expr> dimension : dimensions) {
      if (dimension.isEmpty()) {
        int count = rank - dimensions.size() + 1;
        matchRest(argument.shape().subList(position, position + count), parameter, span);
        position += count;
      } else {
        Size size = argument.shape().get(position);
        match(dimension.get(), size, "dimension " + position + " of `" + argument.name() + "`", parameter, span, later);
        position++;
      }
    }
  }

  private static String text(Syntax.Type type) {
    Span span = type.span();
    return span.source().text().substring(span.start(), span.end());
  }

  private void match(
      Expr dimension, Size size, String from, Syntax.Parameter parameter, Span span, List<Runnable> later) {
    if (!(dimension instanceof Expr.Reference(Syntax.Name name))) {
      later.add(() -> check(new Sizes(diagnostics, frame()).size(dimension), size, from, parameter, span));
      return;
    }
    Given first = given.putIfAbsent(name.text(), new Given(size, from, span));
    if (first != null && !elaboration.same(first.size(), size)) {
      throw diagnostics.reject(span, "size `" + name.text() + "` of `" + function.name().text() + "` is " + first.size()
          + " by " + first.from() + ", but " + size + " by " + from,
          new Diagnostic.Note(first.span(), "this gives it the value " + first.size()),
          new Diagnostic.Note(parameter.name().span(), "`" + parameter.name().text() + "` is declared here"));
    }
  }

  private void check(Size wanted, Size size, String from, Syntax.Parameter parameter, Span span) {
    if (!elaboration.same(wanted, size)) {
      throw mismatch(parameter, span, from + " has size " + size + ", and `" + parameter.name().text() + "` of `"
          + function.name().text() + "` needs " + wanted);
    }
  }

  private void matchRest(List<Size> sizes, Syntax.Parameter parameter, Span span) {
    boolean fits = rest.isEmpty() || rest.get().size() == sizes.size();
    for (int i = 0; fits && rest.isPresent() && i < sizes.size(); i++) {
      fits = elaboration.same(rest.get().get(i), sizes.get(i));
    }
    if (!fits) {
      throw mismatch(parameter, span, "`...` of `" + function.name().text() + "` is " + Wholes.list(rest.get())
          + " by an earlier tensor, but " + Wholes.list(sizes) + " by this one");
    }
    rest = Optional.of(rest.orElse(sizes));
  }

  private Frame frame() {
    return Frame.of(function, Optional.empty(), sizes(), rest, "");
  }

  private Diagnostics.Rejection mismatch(Syntax.Parameter parameter, Span span, String message) {
    return diagnostics.reject(span, message,
        new Diagnostic.Note(parameter.name().span(), "`" + parameter.name().text() + "` is declared here"));
  }
}
