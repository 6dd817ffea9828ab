package dev.einfall.tests.cuda;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.einfall.tests.runtime.CommandLineRun;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.api.parallel.Execution;
import org.junit.jupiter.api.parallel.ExecutionMode;

/// What `einfall emit FILE --as cuda -o DIR` writes, called from C++.
@Execution(ExecutionMode.CONCURRENT)
class CudaCommandTest {
  private static final String CALLER = """
      #include "scale.h"

      #include <stdio.h>

      int main(int, char **arguments) {
        const float x[] = {1, 2, 3, 4, 5, 6};
        const int32_t right[] = {1, 0}, wrong[] = {0, 7};
        float y[6];
        scale *program;
        const char *error = scale_create(&program, arguments[1]);
        if (error) {
          puts(error);
          return 1;
        }
        error = scale_run(program, right, x, y);
        printf("%s: %g %g %g %g %g %g\\n", error ? error : "well", y[0], y[1], y[2], y[3], y[4], y[5]);
        puts(scale_run(program, wrong, x, y));
        error = scale_run(program, right, x, y);
        printf("%s: %g\\n", error ? error : "well", y[5]);
        scale_destroy(program);
      }
      """;

  @TempDir
  private Path directory;

  @Test
  void writesAProgramThatOthersCall() throws IOException {
    CommandLineRun run = emit("--size", "M=2", "-o", directory.resolve("out").toString());
    assertEquals("", run.err());
    assertEquals(List.of("scale.cu", "scale.h", "CMakeLists.txt", "scale.weights"),
        run.out().lines().map(line -> Path.of(line).getFileName().toString()).toList());
    assertEquals(256, Files.size(directory.resolve("out").resolve("scale.weights")), "weights begin at multiples of 256 bytes");
    assertTrue(Files.readString(directory.resolve("out").resolve("CMakeLists.txt")).contains("-fmad=false"));
    if (!CudaOnHost.isPossible()) {
      return;
    }
    assertEquals("""
        well: 8 100 1200 2 40 600
        scale.ein:5:3: index 1 of X must be in 0..1 but is 7
        well: 600
        """, called(directory.resolve("out").resolve("scale.weights")));
    assertEquals("cannot read 256 bytes of weights from nowhere\n", called(Path.of("nowhere")));
  }

  @Test
  void saysWhatIsMissing() throws IOException {
    String folder = directory.resolve("out").toString();
    assertTrue(emit("-o", folder).err().contains("CUDA C++ is for certain sizes: no value for the size M of scale"), emit("-o", folder).err());
    assertTrue(emit("--size", "M=2", "--target", "avx2", "-o", folder).err().contains("unknown target avx2; a GPU is named by its compute capability"));
    assertTrue(emit().err().contains("--as cuda writes several files: give a folder with -o DIR"));
  }

  @Test
  void showsTheLoopsOfKernels() throws IOException {
    String program = Files.writeString(directory.resolve("more.ein"), "def more(X: f32[64]) -> f32[64] {\n  Y[i] = X[i] + 1\n  return Y\n}\n").toString();
    assertTrue(CommandLineRun.of("emit", program, "--as", "loops", "--target", "sm_86").out().contains("block for"));
    assertTrue(CommandLineRun.of("emit", program, "--as", "bytecode", "--target", "sm_86").err().contains("--as bytecode is for the JVM"));
  }

  private CommandLineRun emit(String... more) throws IOException {
    byte[] header = "{\"layer.scale\":{\"dtype\":\"F32\",\"shape\":[3],\"data_offsets\":[0,12]}}".getBytes(StandardCharsets.UTF_8);
    ByteBuffer file = ByteBuffer.allocate(8 + header.length + 12).order(ByteOrder.LITTLE_ENDIAN);
    file.putLong(header.length).put(header).putFloat(1).putFloat(10).putFloat(100);
    Files.write(directory.resolve("scale.safetensors"), file.array());
    Path program = Files.writeString(directory.resolve("scale.ein"), """
        weights "scale.safetensors"
        def scale(ids: i32[M], X: f32[M, N]) -> f32[M, N] {
          weight W: f32[N] = "layer.scale"
          V[n] = W[n] * 2
          Y[m, n] = X[ids[m], n] * V[n]
          return Y
        }
        """);
    return CommandLineRun.of(Stream.concat(Stream.of("emit", program.toString(), "--as", "cuda"),
        Stream.of(more)).toArray(String[]::new));
  }

  private String called(Path weights) throws IOException {
    Path caller = Files.writeString(directory.resolve("caller.cpp"), CALLER);
    Path folder = directory.resolve("out");
    Path program = directory.resolve("caller");
    Path said = directory.resolve("said.txt");
    Compiler.run(CudaOnHost.command(List.of("-I", folder.toString(), "-o", program.toString(), caller.toString(), folder.resolve("scale.cu").toString())));
    try {
      new ProcessBuilder(program.toString(), weights.toString()).redirectOutput(said.toFile()).start().waitFor();
    } catch (InterruptedException e) {
      throw new IllegalStateException("interrupted", e);
    }
    return Files.readString(said).replace(directory + "/", "");
  }
}
