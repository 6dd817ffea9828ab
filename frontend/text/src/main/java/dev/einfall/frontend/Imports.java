package dev.einfall.frontend;

import dev.einfall.ir.CompileException;
import dev.einfall.ir.Source;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.Optional;

/// Finds the files that a program imports, other than those of the standard library.
@FunctionalInterface
public interface Imports {

  /// The text of the file `path`, such as `layers/blocks.ein`, beside `importer`; none if there is no such file.
  ///
  /// @throws CompileException when it cannot be read
  Optional<Source> find(String path, Source importer);

  /// No files: a program imports the standard library only.
  static Imports none() {
    return (_, _) -> Optional.empty();
  }

  /// Files of the default file system. The names of sources are their paths.
  static Imports files() {
    return (path, importer) -> {
      Path file = Path.of(importer.name()).resolveSibling(path);
      try {
        return Optional.of(new Source(file.toString(), Files.readString(file)));
      } catch (NoSuchFileException _) {
        return Optional.empty();
      } catch (IOException e) {
        throw CompileException.of("cannot read " + file + ": " + e.getMessage());
      }
    };
  }
}
