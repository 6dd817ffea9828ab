package dev.einfall.tests.runtime;

import dev.einfall.runtime.Einfall;
import dev.einfall.runtime.Options;
import dev.einfall.runtime.Program;
import dev.einfall.runtime.Tensor;
import java.nio.file.Path;
import java.util.Map;

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

  /// The embedding of one text.
  ///
  /// @param ids its tokens
  /// @param attended 1 for each token to be read
  /// @param kinds 0 for each token of the first sentence
  public static float[] embedding(long[] ids, long[] attended, long[] kinds, Options options) {
    try (Program program = Einfall.compile(PROGRAM, options); Tensor input = Tensor.of(ids, 1, ids.length);
        Tensor mask = Tensor.of(attended, 1, ids.length); Tensor types = Tensor.of(kinds, 1, ids.length)) {
      Map<String, Tensor> results = program.run(Map.of("input_ids", input, "attention_mask", mask, "token_type_ids", types));
      try {
        return results.get("embedding").floats();
      } finally {
        results.values().forEach(Tensor::close);
      }
    }
  }
}
