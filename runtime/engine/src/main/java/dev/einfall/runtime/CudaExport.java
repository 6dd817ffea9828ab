package dev.einfall.runtime;

import dev.einfall.backends.c.CTarget;
import dev.einfall.backends.cuda.CudaFile;
import dev.einfall.backends.cuda.CudaTargets;
import dev.einfall.ir.CompileException;
import dev.einfall.ir.loop.KernelPlan;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/// A program as CUDA C++, with its weights in a file beside the source.
///
/// @param target what `plan` was compiled for
/// @param name that of the files and of the functions, a word of C
record CudaExport(KernelPlan plan, Weights weights, CTarget target, String name) {

  /// Writes `NAME.cu`, `NAME.h`, a `CMakeLists.txt`, and `NAME.weights` if it has any, into `directory`, and gives their names.
  ///
  /// @throws CompileException when a file cannot be written
  List<Path> write(Path directory) {
    CudaFile file = CudaFile.of(plan, name, target);
    List<Path> written = new ArrayList<>();
    try {
      Files.createDirectories(directory);
      written.add(Files.writeString(directory.resolve(name + ".cu"), file.source()));
      written.add(Files.writeString(directory.resolve(name + ".h"), file.header()));
      written.add(Files.writeString(directory.resolve("CMakeLists.txt"), build()));
      if (!file.weights().isEmpty()) {
        written.add(new WeightsExport(weights, file.weights().stream().map(KernelPlan.Weight::key).toList(), CudaFile.WEIGHT_ALIGNMENT)
            .write(directory.resolve(name + ".weights"), new byte[0]));
      }
      return written;
    } catch (IOException e) {
      throw CompileException.of("cannot write CUDA C++ into " + directory + ": " + e);
    }
  }

  private String build() {
    return """
        cmake_minimum_required(VERSION 3.24)
        project(%1$s LANGUAGES CXX CUDA)
        if(NOT DEFINED CMAKE_CUDA_ARCHITECTURES)
          set(CMAKE_CUDA_ARCHITECTURES %2$s)
        endif()
        add_library(%1$s %1$s.cu)
        target_compile_features(%1$s PUBLIC cuda_std_17)
        # What is to be rounded once is written as one operation, and nothing else is.
        target_compile_options(%1$s PRIVATE $<$<COMPILE_LANGUAGE:CUDA>:-fmad=false>)
        target_include_directories(%1$s PUBLIC ${CMAKE_CURRENT_SOURCE_DIR})
        """.formatted(name, CudaTargets.isOfOne(target.name()) ? target.name().replace("sm_", "") : "native");
  }
}
