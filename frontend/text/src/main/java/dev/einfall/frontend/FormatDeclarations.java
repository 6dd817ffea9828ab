package dev.einfall.frontend;

import dev.einfall.frontend.Syntax.Parameter;
import dev.einfall.ir.Diagnostic;
import dev.einfall.ir.ElementType;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/// Checks that a format has one function that makes the stored tensors of the elements, one that makes the elements of these, and perhaps one that makes
/// the last of the stored tensors of the elements and the others, and one that gives sizes which depend on the elements.
final class FormatDeclarations {
  private final Diagnostics diagnostics;

  FormatDeclarations(Diagnostics diagnostics) {
    this.diagnostics = diagnostics;
  }

  void check(Syntax.Format format) {
    Syntax.Name name = format.name();
    if (ElementType.named(name.text()).isPresent()) {
      diagnostics.report(name.span(), "`" + name.text() + "` is a type of the language; choose another name");
    }
    Optional<Syntax.Function> encode = function(format, Syntax.Format.ENCODE);
    Optional<Syntax.Function> decode = function(format, Syntax.Format.DECODE);
    Optional<Syntax.Function> code = function(format, Syntax.Format.CODE);
    Optional<Syntax.Function> measure = function(format, Syntax.Format.MEASURE);
    long known = Stream.of(encode, decode, code, measure).filter(Optional::isPresent).count();
    if (format.functions().size() != known || encode.isEmpty() || decode.isEmpty()) {
      diagnostics.report(name.span(), "a format has two functions, `def encode` and `def decode`, and perhaps `def code` and `def measure`");
      return;
    }
    encode(encode.get());
    decode(decode.get(), encode.get());
    code.ifPresent(function -> code(function, encode.get()));
    measure.ifPresent(function -> measure(function, encode.get()));
  }

  private static Optional<Syntax.Function> function(Syntax.Format format, String role) {
    return format.functions().stream().filter(function -> function.name().text().equals(format.function(role))).findFirst();
  }

  private void encode(Syntax.Function encode) {
    List<Parameter> tensors = tensors(encode);
    if (tensors.size() != 1 || !isReal(tensors.getFirst().type()) || !encode.types().isEmpty()) {
      diagnostics.report(encode.name().span(), "`encode` takes one tensor of f32, the elements, and sizes");
    }
    encode.results().stream().filter(result -> result.name().isEmpty()).forEach(result ->
        diagnostics.report(result.type().span(), "what `encode` gives has names, as in `-> (scale: f16[..., N / 32], code: u8[..., N])`"));
  }

  private void decode(Syntax.Function decode, Syntax.Function encode) {
    if (!takes(tensors(decode), encode.results())) {
      diagnostics.report(decode.name().span(), "`decode` takes what `encode` gives, tensors of the same types in the same order, and sizes",
          new Diagnostic.Note(encode.name().span(), "this is what `encode` gives"));
    }
    if (decode.results().size() != 1 || !isReal(decode.results().getFirst().type())) {
      diagnostics.report(decode.name().span(), "`decode` gives one tensor of f32, the elements");
    }
    sameSizes(decode, Syntax.Format.DECODE, encode);
  }

  private void code(Syntax.Function code, Syntax.Function encode) {
    List<Parameter> given = tensors(code);
    List<Syntax.Result> stored = encode.results();
    boolean takesThem = !stored.isEmpty() && !given.isEmpty() && isReal(given.getFirst().type())
        && takes(given.subList(1, given.size()), stored.subList(0, stored.size() - 1));
    boolean givesLast = code.results().size() == 1 && !stored.isEmpty() && haveOneType(code.results().getFirst().type(), stored.getLast().type());
    if (!takesThem || !givesLast) {
      diagnostics.report(code.name().span(),
          "`code` takes a tensor of f32, the elements, all that `encode` gives but the last, and sizes, and gives what `encode` gives last",
          new Diagnostic.Note(encode.name().span(), "this is what `encode` gives"));
    }
    sameSizes(code, Syntax.Format.CODE, encode);
  }

  private void measure(Syntax.Function measure, Syntax.Function encode) {
    List<Parameter> given = tensors(measure);
    List<String> sizes = new ArrayList<>(sizes(measure));
    measure.results().forEach(result -> sizes.add(result.name().map(Syntax.Name::text).orElse("")));
    boolean takesElements = given.size() == 1 && isReal(given.getFirst().type());
    boolean givesNumbers = !measure.results().isEmpty() && measure.results().stream()
        .allMatch(result -> result.type().element().text().equals(ElementType.I32.text()) && result.type().dimensions().isEmpty());
    if (!takesElements || !givesNumbers || !sizes.stream().sorted().toList().equals(sizes(encode))) {
      diagnostics.report(measure.name().span(),
          "`measure` takes a tensor of f32, the elements, and some of the sizes of `encode`, and gives the others, each an `i32[]` of that name",
          new Diagnostic.Note(encode.name().span(), "these are those of `encode`"));
    }
  }

  private static boolean takes(List<Parameter> parameters, List<Syntax.Result> results) {
    return parameters.size() == results.size()
        && IntStream.range(0, results.size()).allMatch(i -> haveOneType(parameters.get(i).type(), results.get(i).type()));
  }

  private static boolean haveOneType(Syntax.Type left, Syntax.Type right) {
    return left.element().text().equals(right.element().text());
  }

  private void sameSizes(Syntax.Function function, String role, Syntax.Function encode) {
    if (!sizes(function).equals(sizes(encode))) {
      diagnostics.report(function.name().span(), "`encode` and `" + role + "` take the same sizes",
          new Diagnostic.Note(encode.name().span(), "these are those of `encode`"));
    }
  }

  private static boolean isReal(Syntax.Type type) {
    return type.element().text().equals(ElementType.F32.text());
  }

  private static List<Parameter> tensors(Syntax.Function function) {
    return function.parameters().stream().filter(parameter -> parameter.kind() == Parameter.Kind.TENSOR).toList();
  }

  private static List<String> sizes(Syntax.Function function) {
    return function.parameters().stream().filter(parameter -> parameter.kind() != Parameter.Kind.TENSOR)
        .map(parameter -> parameter.name().text()).sorted().toList();
  }
}
