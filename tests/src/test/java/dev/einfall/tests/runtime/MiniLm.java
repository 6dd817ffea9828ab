package dev.einfall.tests.runtime;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;

/// The model all-MiniLM-L6-v2: the program in the repository, the weights and the tokenizer in a jar among the tests'
/// dependencies.
public final class MiniLm {
  public static final Path PROGRAM = Path.of("..", "grammar", "examples", "minilm.ein");

  private MiniLm() {}

  /// The ONNX file.
  public static Path weights() {
    return file("all-minilm-l6-v2.onnx");
  }

  /// The tokenizer's description.
  public static Path tokenizer() {
    return file("all-minilm-l6-v2-tokenizer.json");
  }

  /// The resource `name` as a file under `target`, which is copied once.
  private static Path file(String name) {
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
    try (InputStream resource = MiniLm.class.getClassLoader().getResourceAsStream(name)) {
      Files.copy(resource, part, StandardCopyOption.REPLACE_EXISTING);
      Files.move(part, file, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
    }
  }
}
