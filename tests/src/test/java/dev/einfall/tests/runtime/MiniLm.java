package dev.einfall.tests.runtime;

import java.nio.file.Path;

/// The model all-MiniLM-L6-v2: the program in the repository, the weights and the tokenizer in a jar among the tests'
/// dependencies.
public final class MiniLm {
  public static final Path PROGRAM = Path.of("..", "grammar", "examples", "minilm.ein");

  private MiniLm() {}

  /// The ONNX file.
  public static Path weights() {
    return ModelFile.of("all-minilm-l6-v2.onnx");
  }

  /// The tokenizer's description.
  public static Path tokenizer() {
    return ModelFile.of("all-minilm-l6-v2-tokenizer.json");
  }
}
