package dev.einfall.frontend;

import dev.einfall.frontend.Syntax.Expr;
import dev.einfall.frontend.Syntax.Statement;
import dev.einfall.ir.Diagnostic;
import dev.einfall.ir.ElementType;
import dev.einfall.ir.Size;
import dev.einfall.ir.cascade.Tensor;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/// Reads the body of a function once a call, with the sizes of that call.
final class Functions {
  private final Elaboration elaboration;
  private final Diagnostics diagnostics;

  Functions(Elaboration elaboration) {
    this.elaboration = elaboration;
    this.diagnostics = elaboration.diagnostics();
  }

  /// The results of `routine` for tensors.
  ///
  /// @param frame what the names of its signature stand for
  List<Optional<Tensor>> call(Routine routine, List<Optional<Tensor>> tensors, Frame frame) {
    elaboration.called().add(routine);
    Syntax.Function function = routine.function();
    List<Syntax.Parameter> parameters = tensors(function);
    for (int i = 0; i < tensors.size(); i++) {
      frame.bind(parameters.get(i).name().text(), tensors.get(i));
    }
    return switch (new Statements(elaboration, frame).run(function.body())) {
      case Statements.End.Returns(Statement.Return last) -> results(function, last, frame);
      case Statements.End.Unknown _ -> none(function);
      case Statements.End.Falls _ -> {
        diagnostics.report(function.name().span(), "`" + function.name().text() + "` does not end with `return`");
        yield none(function);
      }
    };
  }

  /// The input tensors of a function, with the sizes that its types name; none for one whose type is wrong.
  List<Optional<Tensor>> inputs(Frame frame) {
    return tensors(frame.function()).stream().map(parameter -> diagnostics.attempt(() -> input(parameter, frame))).toList();
  }

  private Tensor input(Syntax.Parameter parameter, Frame frame) {
    Sizes sizes = new Sizes(diagnostics, frame);
    Optional<ElementType> element = diagnostics.attempt(() -> sizes.element(parameter.type()));
    List<Size> shape = sizes.shape(parameter.type().dimensions(), parameter.type().span());
    return new Tensor(parameter.name().text(), element.orElseThrow(diagnostics::reject), shape, parameter.name().span());
  }

  private static List<Syntax.Parameter> tensors(Syntax.Function function) {
    return function.parameters().stream().filter(parameter -> parameter.kind() == Syntax.Parameter.Kind.TENSOR).toList();
  }

  /// What the names of a function's signature stand for where no call gives them: sizes stand for themselves, and types
  /// for `f32`.
  ///
  /// @param rest what `...` stands for
  static Bindings symbols(Routine routine, Optional<List<Size>> rest) {
    Map<String, Static> statics = new LinkedHashMap<>();
    Map<String, Callee> functions = new LinkedHashMap<>();
    Map<String, ElementType> types = new LinkedHashMap<>();
    routine.function().types().forEach(type -> types.put(type.text(), ElementType.F32));
    for (Syntax.Parameter parameter : routine.function().parameters()) {
      String name = parameter.name().text();
      switch (parameter.kind()) {
        case SIZE -> statics.put(name, new Static.Whole(Size.named(name)));
        case FUNCTION -> functions.put(name, new Callee.Unknown());
        case TENSOR -> names(parameter.type()).filter(size -> routine.file().constant(size).isEmpty())
            .forEach(size -> statics.put(size, new Static.Whole(Size.named(size))));
      }
    }
    return new Bindings(statics, types, functions, rest);
  }

  /// The sizes that stand alone in a type.
  private static Stream<String> names(Syntax.Type type) {
    return type.dimensions().stream().flatMap(Optional::stream)
        .flatMap(size -> size instanceof Expr.Reference(Syntax.Name name) ? Stream.of(name.text()) : Stream.empty());
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
    String declared = sizes.element(result.type()) + Wholes.list(shape);
    boolean fits = tensor.isEmpty() || tensor.get().type() == sizes.element(result.type())
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
