package dev.einfall.frontend;

import dev.einfall.frontend.Syntax.Parameter;
import java.util.List;
import java.util.stream.Stream;

/// The formats of the standard library, for programs that are written by programs.
public final class LibraryFormats {
  private static final String FOLDER = Library.NAME + ".formats.";

  private LibraryFormats() {}

  /// A format.
  ///
  /// @param file what an import calls the file that has it, such as `std.formats.integers`
  /// @param sizes the names of what its functions take besides tensors
  /// @param stored the names of what it stores
  /// @param hasCode whether it says what it makes of scales that are given
  /// @param measured the names of those sizes that depend on the elements, which it says
  public record Declared(String name, String file, List<String> sizes, List<String> stored, boolean hasCode, List<String> measured) {}

  /// All of them, by file; none where the class path cannot be listed.
  public static List<Declared> all() {
    return Library.names().stream().filter(name -> name.startsWith(FOLDER)).flatMap(LibraryFormats::of).toList();
  }

  /// The text of the file that has `format`.
  public static String text(Declared format) {
    return Library.find(path(format.file())).orElseThrow().text();
  }

  private static String path(String file) {
    return file.replace('.', '/') + ".ein";
  }

  private static Stream<Declared> of(String file) {
    return Library.find(path(file)).stream()
        .flatMap(source -> SyntaxReader.read(source, new Diagnostics()).formats().stream()).map(format -> declared(format, file));
  }

  private static Declared declared(Syntax.Format format, String file) {
    Syntax.Function encode = function(format, Syntax.Format.ENCODE).findFirst().orElseThrow();
    List<String> sizes = encode.parameters().stream().filter(parameter -> parameter.kind() == Parameter.Kind.SIZE)
        .map(parameter -> parameter.name().text()).toList();
    List<String> stored = encode.results().stream().flatMap(result -> result.name().stream()).map(Syntax.Name::text).toList();
    List<String> measured = function(format, Syntax.Format.MEASURE).flatMap(measure -> measure.results().stream())
        .flatMap(result -> result.name().stream()).map(Syntax.Name::text).toList();
    return new Declared(format.name().text(), file, sizes, stored, function(format, Syntax.Format.CODE).findAny().isPresent(), measured);
  }

  private static Stream<Syntax.Function> function(Syntax.Format format, String role) {
    return format.functions().stream().filter(function -> function.name().text().equals(format.function(role)));
  }
}
