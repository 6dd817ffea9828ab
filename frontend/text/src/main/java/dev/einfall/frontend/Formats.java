package dev.einfall.frontend;

import dev.einfall.frontend.Syntax.Parameter;
import dev.einfall.ir.Diagnostic;
import dev.einfall.ir.ElementType;
import dev.einfall.ir.Size;
import dev.einfall.ir.cascade.Tensor;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// Reads weights that are stored in a format: what is stored are weights of their own, of which the function `decode` of the format makes the elements.
///
/// ```
/// weight W: q4_0[N, K] = "w"     =>     weight W_scale: f16[N, K / 32] = "w.scale"
///                                       weight W_code: u8[N, K / 32, 16] = "w.code"
///                                       W = decode_q4_0(W_scale, W_code)
/// ```
final class Formats {
  private final Elaboration elaboration;
  private final Diagnostics diagnostics;
  private final Frame frame;

  /// @param frame that of the statement
  Formats(Elaboration elaboration, Frame frame) {
    this.elaboration = elaboration;
    this.diagnostics = elaboration.diagnostics();
    this.frame = frame;
  }

  /// The format that `type` names, if that is no element type.
  Optional<Format> format(Syntax.Type type) {
    String name = type.element().text();
    if (frame.element(name).isPresent()) {
      return Optional.empty();
    }
    List<FileScope> files = frame.file().filesWithFormat(name);
    if (files.size() > 1) {
      throw diagnostics.reject(type.element().span(), "`" + name + "` is a format of several imported files: "
          + String.join(", ", files.stream().map(FileScope::name).toList()));
    }
    return frame.file().format(name);
  }

  /// The elements of a weight.
  ///
  /// @param key that of its elements; each of the stored tensors has its name behind it
  Tensor weight(Syntax.Statement.Weight weight, Format format, String key) {
    Syntax.Type type = weight.type();
    List<Size> shape = new Sizes(diagnostics, frame).shape(type.dimensions(), type.span());
    Map<String, Static> arguments = arguments(type, format);
    List<Tensor> stored = stored(weight, format, key, shape, arguments);
    Tensor elements = decoded(weight, format, stored, arguments);
    if (!elements.shape().equals(shape)) {
      throw diagnostics.reject(type.span(), "`" + format.name() + "` stores " + Wholes.list(elements.shape()) + " of " + Wholes.list(shape)
          + ": its blocks do not divide it", new Diagnostic.Note(format.decode().function().name().span(), "this gives the elements"));
    }
    elaboration.rename(elements, weight.name().text());
    return elements;
  }

  private Map<String, Static> arguments(Syntax.Type type, Format format) {
    List<String> wanted = format.encode().function().parameters().stream().filter(parameter -> parameter.kind() != Parameter.Kind.TENSOR)
        .map(parameter -> parameter.name().text()).toList();
    Map<String, Static> values = new LinkedHashMap<>();
    for (Syntax.Argument argument : type.arguments()) {
      String name = argument.name().text();
      if (!wanted.contains(name) || values.containsKey(name)) {
        throw diagnostics.reject(argument.name().span(), values.containsKey(name) ? "`" + name + "` is given twice"
            : "`" + format.name() + "` takes " + (wanted.isEmpty() ? "nothing" : String.join(", ", wanted)) + ", and no `" + name + "`");
      }
      values.put(name, new Sizes(diagnostics, frame).value(argument.value(), Statics.Purpose.ARGUMENT));
    }
    wanted.stream().filter(name -> !values.containsKey(name)).findFirst().ifPresent(name -> {
      throw diagnostics.reject(type.span(), "`" + format.name() + "` takes `" + name + "`: write `" + format.name() + "(" + name + " = ...)`");
    });
    return values;
  }

  /// The weights that are stored, with the shapes that `encode` would give for elements of `shape`.
  private List<Tensor> stored(Syntax.Statement.Weight weight, Format format, String key, List<Size> shape, Map<String, Static> arguments) {
    Routine encode = format.encode();
    Tensor elements = new Tensor(weight.name().text(), ElementType.F32, shape, weight.name().span());
    Frame inside = frame(encode, List.of(elements), arguments, weight.type());
    Sizes sizes = new Sizes(diagnostics, inside);
    List<Tensor> stored = new ArrayList<>();
    for (Syntax.Result result : encode.function().results()) {
      String name = result.name().orElseThrow().text();
      stored.add(elaboration.weight(new Syntax.Name(weight.name().text() + "_" + name, weight.name().span()),
          sizes.element(result.type()), sizes.shape(result.type().dimensions(), result.type().span()), key + "." + name));
    }
    return stored;
  }

  private Tensor decoded(Syntax.Statement.Weight weight, Format format, List<Tensor> stored, Map<String, Static> arguments) {
    Frame inside = frame(format.decode(), stored, arguments, weight.type());
    return new Functions(elaboration).call(format.decode(), stored.stream().map(Optional::of).toList(), inside)
        .getFirst().orElseThrow(diagnostics::reject);
  }

  /// What the names of a function's signature stand for, given its tensors and sizes.
  private Frame frame(Routine routine, List<Tensor> tensors, Map<String, Static> arguments, Syntax.Type type) {
    Signature signature = new Signature(elaboration, routine);
    int next = 0;
    for (Parameter parameter : routine.function().parameters()) {
      if (parameter.kind() == Parameter.Kind.TENSOR) {
        signature.tensor(parameter, tensors.get(next++), type.span());
      } else {
        signature.value(parameter, arguments.get(parameter.name().text()), type.span());
      }
    }
    signature.finish();
    return Frame.of(routine, Optional.of(frame), signature.bindings(), frame.prefix());
  }
}
