package dev.einfall.tests.runtime;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;

/// The files of published models, which lie in jars on the class path.
public final class ModelFile {
  private ModelFile() {}

  /// Whether a jar on the class path has the file.
  public static boolean exists(String name) {
    return ModelFile.class.getClassLoader().getResource(name) != null;
  }

  /// The resource `name` as a file under `target`, which is copied once.
  public static Path of(String name) {
    Path file = Path.of("target", "model", name);
    try {
      if (!Files.exists(file)) {
        Files.createDirectories(file.getParent());
        copy(name, file);
      }
      return file;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static void copy(String name, Path file) throws IOException {
    Path part = Files.createTempFile(file.getParent(), name, ".part");
    try (InputStream resource = ModelFile.class.getClassLoader().getResourceAsStream(name)) {
      Files.copy(resource, part, StandardCopyOption.REPLACE_EXISTING);
      Files.move(part, file, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
    }
  }
}
