package dev.einfall.runtime.quantize;

import dev.einfall.frontend.weights.Safetensors;
import dev.einfall.frontend.weights.SafetensorsWriter;
import dev.einfall.frontend.weights.StoredTensor;
import dev.einfall.ir.CompileException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.function.Supplier;
import java.util.stream.Stream;

/// Weights that are quantized, each in a file whose name says what it was made of, so that a run which was interrupted need not make them again.
record FinishedWeights(Path directory) {
  private static final String ENDING = ".safetensors";

  /// What was made of the same before, or else `made`, which is kept.
  ///
  /// @param digest of all that it is made of
  List<StoredTensor> of(String digest, Supplier<List<StoredTensor>> made) {
    Path file = directory.resolve(digest + ENDING);
    return read(file).orElseGet(() -> {
      List<StoredTensor> tensors = made.get();
      try {
        Files.createDirectories(directory);
        SafetensorsWriter.write(file, tensors);
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
      return tensors;
    });
  }

  /// A file that cannot be read was not finished.
  private static Optional<List<StoredTensor>> read(Path file) {
    if (!Files.isRegularFile(file)) {
      return Optional.empty();
    }
    try (Safetensors opened = Safetensors.open(file)) {
      return Optional.of(opened.keys().stream().map(opened::require).toList());
    } catch (CompileException _) {
      return Optional.empty();
    }
  }

  /// Forgets all.
  void clear() throws IOException {
    if (!Files.isDirectory(directory)) {
      return;
    }
    try (Stream<Path> files = Files.list(directory)) {
      for (Path file : files.toList()) {
        Files.delete(file);
      }
    }
    Files.delete(directory);
  }
}
