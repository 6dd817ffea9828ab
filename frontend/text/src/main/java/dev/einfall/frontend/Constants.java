package dev.einfall.frontend;

import dev.einfall.ir.Diagnostic;
import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;

/// Gives the constants of files their values, each after those that it is made of.
final class Constants {
  private static final int MOST_NESTED = 100;

  private final Diagnostics diagnostics;
  private final Set<Syntax.Statement.Constant> open = Collections.newSetFromMap(new IdentityHashMap<>());

  Constants(Diagnostics diagnostics) {
    this.diagnostics = diagnostics;
  }

  void evaluate(FileScope file) {
    file.file().constants().forEach(constant -> value(constant, file));
  }

  private Optional<Static> value(Syntax.Statement.Constant constant, FileScope file) {
    String name = constant.name().text();
    Optional<Optional<Static>> known = file.constant(name);
    if (known.isPresent()) {
      return known.get();
    }
    if (open.size() == MOST_NESTED || !open.add(constant)) {
      throw diagnostics.reject(constant.name().span(), open.size() == MOST_NESTED
          ? "more than " + MOST_NESTED + " constants depend on each other here"
          : "the value of `" + name + "` depends on itself");
    }
    Static[] value = new Static[1];
    diagnostics.attempt(constant.span(), () -> value[0] =
        new Statics(diagnostics, Statics.Purpose.CONSTANT, other -> named(other, file)).value(constant.value()));
    open.remove(constant);
    file.define(name, Optional.ofNullable(value[0]));
    return Optional.ofNullable(value[0]);
  }

  private Static named(Syntax.Name name, FileScope file) {
    List<FileScope> files = file.filesWithConstant(name.text());
    Optional<Syntax.Statement.Constant> own = constant(name, file);
    if (own.isEmpty() && files.size() != 1) {
      throw files.isEmpty() ? diagnostics.reject(name.span(), "no constant is called `" + name.text() + "`"
          + Spelling.suggestion(name.text(), file.constantNames())) : ambiguous(diagnostics, name, files);
    }
    return own.map(constant -> value(constant, file))
        .orElseGet(() -> value(constant(name, files.getFirst()).orElseThrow(), files.getFirst()))
        .orElseThrow(diagnostics::reject);
  }

  private static Optional<Syntax.Statement.Constant> constant(Syntax.Name name, FileScope file) {
    return file.file().constants().stream().filter(other -> other.name().text().equals(name.text())).findFirst();
  }

  /// The error of a name that several imported files have.
  static Diagnostics.Rejection ambiguous(Diagnostics diagnostics, Syntax.Name name, List<FileScope> files) {
    return diagnostics.reject(name.span(), "`" + name.text() + "` is in several imported files: "
        + String.join(", ", files.stream().map(FileScope::name).toList()),
        files.stream().flatMap(file -> place(name.text(), file).stream())
            .map(place -> new Diagnostic.Note(place.span(), "one is here")).toArray(Diagnostic.Note[]::new));
  }

  private static Optional<Syntax.Name> place(String name, FileScope file) {
    return Stream.of(
        file.file().functions().stream().map(Syntax.Function::name),
        file.file().combiners().stream().map(Syntax.Combiner::name),
        file.file().constants().stream().map(Syntax.Statement.Constant::name))
        .flatMap(names -> names).filter(other -> other.text().equals(name)).findFirst();
  }
}
