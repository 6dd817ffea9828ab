package dev.einfall.frontend.weights;

import dev.einfall.ir.CompileException;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/// A file of named tensors that is mapped into memory. Tensors found in it stay valid as long as anybody holds them,
/// also after [#close]: the memory is unmapped when the last one is gone.
public interface WeightsFile extends AutoCloseable {

  /// Opens `file` if it ends in `.safetensors` or `.gguf`.
  ///
  /// @throws CompileException when it does and cannot be read, or is truncated or malformed
  static Optional<WeightsFile> open(Path file) {
    String name = file.toString();
    if (name.endsWith(".safetensors")) {
      return Optional.of(Safetensors.open(file));
    }
    return name.endsWith(".gguf") ? Optional.of(Gguf.open(file)) : Optional.empty();
  }

  /// The file's name, for messages.
  String name();

  /// The tensor stored as `key`, if there is one.
  ///
  /// @throws CompileException when the tensor's type is none of [dev.einfall.ir.ElementType]
  /// @throws IllegalStateException after [#close]
  Optional<StoredTensor> find(String key);

  /// The keys of all tensors, in the order of the file.
  List<String> keys();

  /// The tensor stored as `key`.
  ///
  /// @throws CompileException when there is none; the message names the file, the key and keys that are near
  default StoredTensor require(String key) {
    return find(key).orElseThrow(() -> CompileException.of(
        name() + " holds no tensor '" + key + "'" + NearKeys.suggestion(key, keys())));
  }

  @Override
  void close();
}
