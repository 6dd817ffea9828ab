package dev.einfall.frontend;

import dev.einfall.ir.CompileException;
import dev.einfall.ir.Source;
import dev.einfall.ir.Span;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// Reads a file and all those that it imports, each once.
final class FileLoader {
  private static final int MOST_FILES = 500;

  /// A file: where the same text is found again.
  private record Key(boolean isLibrary, String name) {}

  /// A file whose imports have not been followed.
  private record Open(FileScope scope, Source source, boolean isLibrary) {}

  private final Imports imports;
  private final Diagnostics diagnostics;
  private final Map<Key, FileScope> loaded = new LinkedHashMap<>();
  private final Deque<Open> open = new ArrayDeque<>();

  FileLoader(Imports imports, Diagnostics diagnostics) {
    this.imports = imports;
    this.diagnostics = diagnostics;
  }

  /// All files of the program that starts in `main`, which is the first.
  ///
  /// @throws CompileException when a file does not follow the grammar, or one is missing
  List<FileScope> load(Source main) {
    load(main, "", false);
    while (!open.isEmpty()) {
      Open file = open.remove();
      file.scope.file().imports().forEach(wanted -> follow(wanted, file));
    }
    diagnostics.throwIfAny();
    return new ArrayList<>(loaded.values());
  }

  private FileScope load(Source source, String name, boolean isLibrary) {
    FileScope scope = new FileScope(name, SyntaxReader.read(source, diagnostics));
    loaded.put(new Key(isLibrary, source.name()), scope);
    open.add(new Open(scope, source, isLibrary));
    return scope;
  }

  private void follow(Syntax.Import wanted, Open importer) {
    boolean isLibrary = wanted.path().getFirst().text().equals(Library.NAME);
    String path = wanted.name().replace('.', '/') + ".ein";
    Span span = nameSpan(wanted);
    try {
      Optional<Source> source = isLibrary ? Library.find(path)
          : importer.isLibrary ? Optional.empty() : imports.find(path, importer.source);
      source.ifPresentOrElse(text -> importer.scope.add(scope(text, wanted, isLibrary)),
          () -> diagnostics.report(span, missing(wanted.name(), path, isLibrary, importer)));
    } catch (CompileException e) {
      boolean hasPlace = e.diagnostics().stream().anyMatch(error -> !error.span().isNone());
      if (hasPlace) {
        throw e;
      }
      diagnostics.report(span, e.diagnostics().getFirst().message());
    }
  }

  private FileScope scope(Source source, Syntax.Import wanted, boolean isLibrary) {
    FileScope known = loaded.get(new Key(isLibrary, source.name()));
    if (known == null && loaded.size() == MOST_FILES) {
      diagnostics.report(wanted.span(), "a program has at most " + MOST_FILES + " files");
      diagnostics.throwIfAny();
    }
    return known != null ? known : load(source, wanted.name(), isLibrary);
  }

  private static Span nameSpan(Syntax.Import wanted) {
    return new Span(wanted.span().source(), wanted.path().getFirst().span().start(),
        wanted.path().getLast().span().end());
  }

  private static String missing(String name, String path, boolean isLibrary, Open importer) {
    List<String> known = Library.names();
    if (isLibrary) {
      String suggestion = Spelling.suggestion(name, known);
      return "the library has no file `" + name + "`" + (suggestion.isEmpty() && !known.isEmpty()
          ? "; it has " + String.join(", ", known) : suggestion);
    }
    return "there is no file " + path + " beside " + importer.source.name()
        + (known.contains(Library.NAME + "." + name) ? "; did you mean `" + Library.NAME + "." + name + "`?" : "");
  }
}
