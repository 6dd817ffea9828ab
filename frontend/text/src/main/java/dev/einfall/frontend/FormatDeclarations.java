package dev.einfall.frontend;

import dev.einfall.frontend.Syntax.Parameter;
import dev.einfall.ir.Diagnostic;
import dev.einfall.ir.ElementType;
import java.util.List;
import java.util.Optional;
import java.util.stream.IntStream;

/// Checks that a format has one function that makes the stored tensors of the elements, and one that makes the elements of these.
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
    boolean isPair = format.functions().size() == 2 && encode.isPresent() && decode.isPresent();
    if (!isPair) {
      diagnostics.report(name.span(), "a format has two functions, `def encode` and `def decode`");
      return;
    }
    encode(encode.get());
    decode(decode.get(), encode.get());
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
    List<Parameter> stored = tensors(decode);
    boolean takesThem = stored.size() == encode.results().size() && IntStream.range(0, stored.size()).allMatch(i ->
        stored.get(i).type().element().text().equals(encode.results().get(i).type().element().text()));
    if (!takesThem) {
      diagnostics.report(decode.name().span(), "`decode` takes what `encode` gives, tensors of the same types in the same order, and sizes",
          new Diagnostic.Note(encode.name().span(), "this is what `encode` gives"));
    }
    if (decode.results().size() != 1 || !isReal(decode.results().getFirst().type())) {
      diagnostics.report(decode.name().span(), "`decode` gives one tensor of f32, the elements");
    }
    if (!sizes(decode).equals(sizes(encode))) {
      diagnostics.report(decode.name().span(), "`encode` and `decode` take the same sizes",
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
