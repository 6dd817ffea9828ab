package dev.einfall.frontend;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;

/// What names mean in a file outside of its functions: its own functions, constants and reductions, which hide those of the files that
/// it imports.
final class FileScope {
  private final String name;
  private final Syntax.File file;
  private final Map<String, Routine> functions = new LinkedHashMap<>();
  private final Map<String, Optional<Static>> constants = new LinkedHashMap<>();
  private final List<FileScope> imports = new ArrayList<>();

  /// @param name how an import names the file
  FileScope(String name, Syntax.File file) {
    this.name = name;
    this.file = file;
    file.functions().forEach(
        function -> functions.putIfAbsent(function.name().text(), new Routine(function, this)));
  }

  String name() {
    return name;
  }

  Syntax.File file() {
    return file;
  }

  void add(FileScope imported) {
    if (!imports.contains(imported) && imported != this) {
      imports.add(imported);
    }
  }

  List<FileScope> imports() {
    return imports;
  }

  /// The functions of this file itself.
  Map<String, Routine> functions() {
    return functions;
  }

  /// Gives a constant of this file its value; none when its definition is wrong.
  void define(String constant, Optional<Static> value) {
    constants.put(constant, value);
  }

  /// The function `function`, of this file or of the only imported file that has it.
  Optional<Routine> function(String function) {
    return Optional.ofNullable(functions.get(function)).or(() -> {
      List<FileScope> files = filesWithFunction(function);
      return files.size() == 1 ? Optional.of(files.getFirst().functions.get(function)) : Optional.empty();
    });
  }

  /// What is known of the constant `constant`, of this file or of the only imported file that has it: nothing, that its
  /// definition is wrong, or its value.
  Optional<Optional<Static>> constant(String constant) {
    if (declares(constant)) {
      return Optional.ofNullable(constants.get(constant));
    }
    List<FileScope> files = filesWithConstant(constant);
    return files.size() == 1 ? Optional.ofNullable(files.getFirst().constants.get(constant)) : Optional.empty();
  }

  private boolean declares(String constant) {
    return file.constants().stream().anyMatch(other -> other.name().text().equals(constant));
  }

  /// The imported files that have a function of this name.
  List<FileScope> filesWithFunction(String function) {
    return imports.stream().filter(imported -> imported.functions.containsKey(function)).toList();
  }

  /// The imported files that have a constant of this name.
  List<FileScope> filesWithConstant(String constant) {
    return imports.stream().filter(imported -> imported.declares(constant)).toList();
  }

  /// The format `format`, of this file or of the only imported file that has it.
  Optional<Format> format(String format) {
    List<FileScope> files = filesWithFormat(format);
    return files.size() == 1 ? files.getFirst().ownFormat(format) : Optional.empty();
  }

  /// The files that have a format of this name: this one alone, or else the imported ones.
  List<FileScope> filesWithFormat(String format) {
    return ownFormat(format).isPresent() ? List.of(this) : imports.stream().filter(imported -> imported.ownFormat(format).isPresent()).toList();
  }

  private Optional<Format> ownFormat(String name) {
    return file.formats().stream().filter(format -> format.name().text().equals(name)).findFirst().map(format -> new Format(name,
        functions.get(format.function(Syntax.Format.ENCODE)), functions.get(format.function(Syntax.Format.DECODE))));
  }

  List<String> formatNames() {
    return Stream.concat(Stream.of(this), imports.stream())
        .flatMap(scope -> scope.file.formats().stream()).map(format -> format.name().text()).distinct().toList();
  }

  /// The reduction of this file itself that is called `name`.
  Syntax.Combiner reduction(String name) {
    return file.combiners().stream().filter(combiner -> combiner.name().text().equals(name)).findFirst().orElseThrow();
  }

  /// The files that have a reduction of this name: this one alone, or else the imported ones.
  List<FileScope> filesWithReduction(String name) {
    return hasReduction(name) ? List.of(this) : imports.stream().filter(imported -> imported.hasReduction(name)).toList();
  }

  private boolean hasReduction(String name) {
    return file.combiners().stream().anyMatch(combiner -> combiner.name().text().equals(name));
  }

  List<String> reductionNames() {
    return Stream.concat(Stream.of(this), imports.stream())
        .flatMap(scope -> scope.file.combiners().stream()).map(combiner -> combiner.name().text()).distinct().toList();
  }

  List<String> functionNames() {
    return Stream.concat(Stream.of(this), imports.stream())
        .flatMap(scope -> scope.functions.keySet().stream()).distinct().toList();
  }

  List<String> constantNames() {
    return Stream.concat(Stream.of(this), imports.stream())
        .flatMap(scope -> scope.file.constants().stream()).map(constant -> constant.name().text()).distinct().toList();
  }
}
