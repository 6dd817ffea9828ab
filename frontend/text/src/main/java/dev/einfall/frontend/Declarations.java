package dev.einfall.frontend;

import dev.einfall.ir.Diagnostic;
import dev.einfall.ir.ElementType;
import dev.einfall.ir.cascade.Reduction;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/// Checks that a file declares each name once, and none that has a meaning already.
final class Declarations {
  private final Diagnostics diagnostics;

  Declarations(Diagnostics diagnostics) {
    this.diagnostics = diagnostics;
  }

  void check(Syntax.File file) {
    once(file.constants().stream().map(Syntax.Statement.Constant::name).toList(), "constant");
    once(file.functions().stream().map(Syntax.Function::name).toList(), "function");
    once(file.combiners().stream().map(Syntax.Combiner::name).toList(), "reduction");
    file.combiners().stream().map(Syntax.Combiner::name).filter(name -> Reduction.named(name.text()).isPresent()).forEach(name ->
        diagnostics.report(name.span(), "`" + name.text() + "` is a reduction of the language; choose another name"));
    once(file.formats().stream().map(Syntax.Format::name).toList(), "format");
    file.formats().forEach(new FormatDeclarations(diagnostics)::check);
    file.functions().forEach(this::check);
  }

  private void check(Syntax.Function function) {
    Syntax.Name name = function.name();
    if (Scalars.functionNames().contains(name.text()) || Views.NAMES.contains(name.text())) {
      diagnostics.report(name.span(), "`" + name.text() + "` is a function of the language; choose another name");
    }
    once(function.parameters().stream().map(Syntax.Parameter::name).toList(), "parameter");
    once(function.types(), "type");
    function.types().stream().filter(type -> ElementType.named(type.text()).isPresent()).forEach(type ->
        diagnostics.report(type.span(), "`" + type.text() + "` is a type of the language; choose another name"));
  }

  private void once(List<Syntax.Name> names, String what) {
    Map<String, Syntax.Name> first = new LinkedHashMap<>();
    for (Syntax.Name name : names) {
      Syntax.Name other = first.putIfAbsent(name.text(), name);
      if (other != null) {
        diagnostics.report(name.span(), "a second " + what + " is called `" + name.text() + "`",
            new Diagnostic.Note(other.span(), "the first one is here"));
      }
    }
  }
}
