package dev.einfall.frontend;

import dev.einfall.ir.cascade.Reduction;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;

/// The errors of calls and reductions whose name is that of something else, or of nothing.
final class UnknownFunctions {
  private final Diagnostics diagnostics;
  private final Frame frame;

  UnknownFunctions(Diagnostics diagnostics, Frame frame) {
    this.diagnostics = diagnostics;
    this.frame = frame;
  }

  /// Whether `call` is a reduction without indices, such as `sum(X)`.
  static boolean isReduction(Syntax.Expr.Call call) {
    return call.arguments().size() == 1 && Reduction.named(call.name().text()).isPresent();
  }

  Diagnostics.Rejection call(Syntax.Name name) {
    List<FileScope> files = frame.file().filesWithFunction(name.text());
    if (files.size() > 1) {
      return Constants.ambiguous(diagnostics, name, files);
    } else if (frame.tensor(name.text()).isPresent()) {
      return diagnostics.reject(name.span(), "`" + name.text() + "` is a tensor, not a function; its elements are `"
          + name.text() + "[...]`");
    } else if (Reduction.named(name.text()).isPresent() || frame.file().reductionNames().contains(name.text())) {
      boolean isFunction = Scalars.functionNames().contains(name.text());
      return diagnostics.reject(name.span(), "`" + name.text() + "` is a reduction"
          + (isFunction ? " or takes 2 operands" : "") + "; name the indices that it runs over: `" + name.text() + "[k](...)`");
    }
    List<String> known = new ArrayList<>(frame.functionNames());
    Stream.of(Views.NAMES, Scalars.functionNames()).forEach(known::addAll);
    return diagnostics.reject(name.span(), "no function is called `" + name.text() + "`" + hint(name.text(), known));
  }

  Diagnostics.Rejection reduction(Syntax.Name name) {
    boolean isFunction = Scalars.functionNames().contains(name.text()) || frame.callee(name.text()).isPresent();
    if (isFunction) {
      return diagnostics.reject(name.span(), "`" + name.text() + "` is a function, not a reduction: `" + name.text() + "(...)`");
    }
    List<String> known = Stream.concat(Stream.of(Reduction.values()).map(Reduction::text),
        frame.file().reductionNames().stream()).toList();
    String hint = hint(name.text(), known);
    return diagnostics.reject(name.span(), "no reduction is called `" + name.text() + "`"
        + (hint.isEmpty() ? "; the reductions are " + String.join(", ", known) : hint));
  }

  private static String hint(String name, List<String> known) {
    return Stream.of(Spelling.suggestion(name, known), OtherWords.function(name), library(name))
        .filter(hint -> !hint.isEmpty()).findFirst().orElse("");
  }

  private static String library(String function) {
    return Library.fileWith(function).map(file -> "; `import " + file + "` has a function of this name").orElse("");
  }
}
