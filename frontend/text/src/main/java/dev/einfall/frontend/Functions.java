package dev.einfall.frontend;

import dev.einfall.frontend.Syntax.Expr;
import dev.einfall.frontend.Syntax.Statement;
import dev.einfall.ir.Diagnostic;
import dev.einfall.ir.Size;
import dev.einfall.ir.Span;
import dev.einfall.ir.cascade.Tensor;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.IntStream;

/// Reads the body of a function once a call, with the sizes of that call.
final class Functions {
  private final Elaboration elaboration;
  private final Diagnostics diagnostics;

  Functions(Elaboration elaboration) {
    this.elaboration = elaboration;
    this.diagnostics = elaboration.diagnostics();
  }

  /// The results of a call.
  List<Optional<Tensor>> call(
      Syntax.Function function, List<Tensor> arguments, Expr.Call call, Frame caller, String prefix) {
    Signature signature = new Signature(elaboration, function, call);
    signature.match(arguments);
    Frame frame = Frame.of(function, Optional.of(caller), signature.sizes(), signature.rest(), prefix);
    return body(function, arguments, frame);
  }

  /// The results of `function` for tensors of symbolic sizes.
  ///
  /// @param rest what `...` stands for
  List<Optional<Tensor>> entry(Syntax.Function function, List<Tensor> inputs, Optional<List<Size>> rest) {
    return body(function, inputs, Frame.of(function, Optional.empty(), symbols(function), rest, ""));
  }

  /// The input tensors of `function` with the sizes that its types name.
  List<Tensor> inputs(Syntax.Function function, Optional<List<Size>> rest) {
    Sizes sizes = new Sizes(diagnostics, Frame.of(function, Optional.empty(), symbols(function), rest, ""));
    return function.parameters().stream().map(parameter -> new Tensor(parameter.name().text(),
        sizes.element(parameter.type().element()),
        sizes.shape(parameter.type().dimensions(), parameter.type().span()), parameter.name().span())).toList();
  }

  /// The sizes that stand alone in a parameter's type.
  private static Map<String, Size> symbols(Syntax.Function function) {
    Map<String, Size> sizes = new LinkedHashMap<>();
    for (Syntax.Parameter parameter : function.parameters()) {
      for (Optional<Expr> dimension : parameter.type().dimensions()) {
        if (dimension.isPresent() && dimension.get() instanceof Expr.Reference(Syntax.Name name)) {
          sizes.put(name.text(), Size.named(name.text()));
        }
      }
    }
    return sizes;
  }

  private List<Optional<Tensor>> body(Syntax.Function function, List<Tensor> arguments, Frame frame) {
    elaboration.called().add(function.name().text());
    for (int i = 0; i < arguments.size(); i++) {
      frame.bind(function.parameters().get(i).name().text(), Optional.of(arguments.get(i)));
    }
    Statements statements = new Statements(elaboration, frame);
    List<Statement> body = function.body();
    Statement.Return last = body.isEmpty() || !(body.getLast() instanceof Statement.Return end) ? null : end;
    statements.run(last == null ? body : body.subList(0, body.size() - 1));
    if (last == null) {
      Span name = function.name().span();
      diagnostics.report(name, "`" + function.name().text() + "` does not end with `return`");
      return none(function);
    }
    return results(function, last, frame);
  }

  private List<Optional<Tensor>> results(Syntax.Function function, Statement.Return last, Frame frame) {
    int count = function.results().size();
    List<Optional<Tensor>> tensors = new ArrayList<>();
    boolean good = diagnostics.attempt(last.span(), () -> {
      tensors.addAll(values(function, last, frame));
      diagnostics.each(IntStream.range(0, count).boxed().toList(), i -> checkResult(function.results().get(i),
          tensors.get(i), last.values().get(Math.min(i, last.values().size() - 1)), frame));
    });
    return good ? tensors : none(function);
  }

  private static List<Optional<Tensor>> none(Syntax.Function function) {
    return function.results().stream().map(_ -> Optional.<Tensor>empty()).toList();
  }

  private List<Optional<Tensor>> values(Syntax.Function function, Statement.Return last, Frame frame) {
    Wholes wholes = new Wholes(elaboration, frame);
    List<Expr> values = last.values();
    int count = function.results().size();
    if (values.size() == 1) {
      return wholes.tensors(values.getFirst(), count, wish(function, 0));
    }
    if (values.size() != count) {
      throw diagnostics.reject(last.span(), "`" + function.name().text() + "` returns " + count
          + (count == 1 ? " tensor" : " tensors") + ", not " + values.size(),
          new Diagnostic.Note(function.results().getFirst().type().span(), "its results are declared here"));
    }
    return diagnostics.each(IntStream.range(0, count).boxed().toList(),
        i -> wholes.tensors(values.get(i), 1, wish(function, i)).getFirst());
  }

  private static String wish(Syntax.Function function, int result) {
    return function.results().get(result).name().map(Syntax.Name::text).orElse("result");
  }

  private Syntax.Result checkResult(Syntax.Result result, Optional<Tensor> tensor, Expr value, Frame frame) {
    Sizes sizes = new Sizes(diagnostics, frame);
    List<Size> shape = sizes.shape(result.type().dimensions(), result.type().span());
    String declared = sizes.element(result.type().element()) + Wholes.list(shape);
    boolean fits = tensor.isEmpty() || tensor.get().type() == sizes.element(result.type().element())
        && same(tensor.get().shape(), shape);
    if (!fits) {
      throw diagnostics.reject(value.span(), "this is " + Accesses.describe(tensor.get()) + ", and the result is declared "
          + declared, new Diagnostic.Note(result.type().span(), "it is declared here"));
    }
    return result;
  }

  private boolean same(List<Size> left, List<Size> right) {
    boolean same = left.size() == right.size();
    for (int i = 0; same && i < left.size(); i++) {
      same = elaboration.same(left.get(i), right.get(i));
    }
    return same;
  }
}
