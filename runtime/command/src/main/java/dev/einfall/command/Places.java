package dev.einfall.command;

import dev.einfall.frontend.onnx.OnnxFile;
import dev.einfall.frontend.weights.WeightsFile;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.concurrent.atomic.LongAdder;

/// Finds the files that programs and options name: paths, and files inside Maven artifacts
/// (`maven:group:artifact:version!path/in/jar`).
///
/// @param maven finds files in artifacts
/// @param fetching the nanoseconds spent on that so far
record Places(MavenFiles maven, LongAdder fetching) {

  /// Places that tell of downloads on `progress`.
  static Places of(PrintWriter progress) {
    return new Places(MavenFiles.ofThisUser(progress), new LongAdder());
  }

  /// The file at `place`; a relative path is one from `directory`.
  Path file(String place, Path directory) {
    if (!place.startsWith(MavenFiles.SCHEME)) {
      return directory.resolve(place);
    }
    long start = System.nanoTime();
    Path file = maven.file(place);
    fetching.add(System.nanoTime() - start);
    return file;
  }

  /// The weights at `place`: an `.onnx`, `.safetensors` or `.gguf` file.
  WeightsFile weights(String place, Path directory) {
    Path file = file(place, directory);
    String name = file.toString();
    if (name.endsWith(".onnx")) {
      return OnnxFile.open(file);
    }
    return WeightsFile.open(file).orElseThrow(() ->
        new UserError("cannot read weights from " + name + ": expected a file that ends in .onnx, .safetensors or .gguf"));
  }
}
