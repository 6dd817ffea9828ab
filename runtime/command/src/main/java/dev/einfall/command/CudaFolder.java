package dev.einfall.command;

import dev.einfall.backends.c.CTarget;
import dev.einfall.backends.cuda.CudaFile;
import dev.einfall.frontend.weights.StoredTensor;
import dev.einfall.frontend.weights.WeightsFile;
import dev.einfall.ir.loop.KernelPlan;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;

/// Writes a program for GPUs to a folder: `NAME.cu`, `NAME.h`, a `CMakeLists.txt`, and `NAME.weights` if it has any.
///
/// @param folder where; it is made if it is not there
/// @param name that of the files and of the functions, a word of C
record CudaFolder(Path folder, String name) {

  /// For the program in `file`.
  static CudaFolder of(Path folder, Path file) {
    String name = file.getFileName().toString().replaceFirst("\\.ein$", "").replaceAll("[^A-Za-z0-9_]", "_");
    return new CudaFolder(folder, name.matches("[A-Za-z].*") ? name : "program_" + name);
  }

  /// @param target what `plan` was compiled for
  /// @throws UserError when a weight is missing or a file cannot be written
  void write(KernelPlan plan, CTarget target, Optional<WeightsFile> weights) {
    CudaFile file = CudaFile.of(plan, name, target);
    try {
      Files.createDirectories(folder);
      Files.writeString(folder.resolve(name + ".cu"), file.source());
      Files.writeString(folder.resolve(name + ".h"), file.header());
      Files.writeString(folder.resolve("CMakeLists.txt"), build());
      if (!file.weights().isEmpty()) {
        writeWeights(file, weights.orElseThrow(() -> new UserError("the program reads weights, and names no file of them")));
      }
    } catch (IOException e) {
      throw new UserError("cannot write to " + folder + ": " + e);
    }
  }

  private void writeWeights(CudaFile file, WeightsFile weights) throws IOException {
    try (OutputStream out = Files.newOutputStream(folder.resolve(name + ".weights"))) {
      for (KernelPlan.Weight weight : file.weights()) {
        StoredTensor stored = weights.require(weight.key());
        if (stored.type() != weight.buffer().type() || stored.data().byteSize() != weight.buffer().bytes()) {
          throw new UserError("weight '" + weight.key() + "' of " + weights.name() + " is " + stored.type() + stored.shape() + ", and not " + weight.buffer());
        }
        byte[] bytes = stored.data().toArray(java.lang.foreign.ValueLayout.JAVA_BYTE);
        out.write(bytes);
        out.write(new byte[Math.floorMod(-bytes.length, CudaFile.WEIGHT_ALIGNMENT)]);
      }
    }
  }

  private String build() {
    return """
        cmake_minimum_required(VERSION 3.24)
        project(%1$s LANGUAGES CXX CUDA)
        if(NOT DEFINED CMAKE_CUDA_ARCHITECTURES)
          set(CMAKE_CUDA_ARCHITECTURES native)
        endif()
        add_library(%1$s %1$s.cu)
        target_compile_features(%1$s PUBLIC cuda_std_17)
        # What is to be rounded once is written as one operation, and nothing else is.
        target_compile_options(%1$s PRIVATE $<$<COMPILE_LANGUAGE:CUDA>:-fmad=false>)
        target_include_directories(%1$s PUBLIC ${CMAKE_CURRENT_SOURCE_DIR})
        """.formatted(name);
  }
}
