package dev.einfall.runtime.plans;

import dev.einfall.frontend.Imports;
import dev.einfall.ir.ElementType;
import dev.einfall.ir.Size;
import dev.einfall.ir.Source;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// What must be known of a program, which is one cascade for all sizes, to run a plan that was kept of it, without reading the program again.
///
/// @param weightsFile the place that the program names
/// @param inputSizes the names of sizes in its inputs
/// @param boundSizes those that its weights tell
/// @param imports the files that it imports beside it, in the order in which they are found
public record Outline(ProgramIdentity identity, List<Declared> inputs, List<Declared> outputs, Optional<String> weightsFile, List<Weight> weights,
    List<String> inputSizes, List<String> boundSizes, List<Import> imports) {

  /// A tensor as it is declared.
  public record Declared(String name, ElementType type, List<Size> shape) {}

  /// A tensor that is stored as `key`.
  public record Weight(String key, Declared tensor) {}

  /// A file that another one imports.
  ///
  /// @param path the file, as [Imports#find] finds it
  /// @param importer the name of the source that imports it
  /// @param digest of its name and its text
  public record Import(String path, String importer, String digest) {

    public static Import of(String path, Source importer, Source found) {
      return new Import(path, importer.name(), OutlineKey.digest(found));
    }
  }

  /// The files that `imports` finds, if they are those that the program of `source` was read from.
  public Optional<Imports> unchanged(Source source, Imports imports) {
    Map<String, Source> known = new LinkedHashMap<>(Map.of(source.name(), source));
    Map<List<String>, Source> found = new LinkedHashMap<>();
    for (Import one : this.imports) {
      Optional<Source> file = Optional.ofNullable(known.get(one.importer)).flatMap(importer -> imports.find(one.path, importer))
          .filter(text -> OutlineKey.digest(text).equals(one.digest));
      if (file.isEmpty()) {
        return Optional.empty();
      }
      known.put(file.get().name(), file.get());
      found.put(List.of(one.path, one.importer), file.get());
    }
    return Optional.of((path, importer) -> Optional.ofNullable(found.get(List.of(path, importer.name()))));
  }
}
