package dev.einfall.tests.runtime;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.einfall.runtime.nativecode.CCompiler;
import dev.einfall.tests.Commands;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.api.parallel.Execution;
import org.junit.jupiter.api.parallel.ExecutionMode;

/// What `einfall emit FILE --as c` writes, called from C.
@Execution(ExecutionMode.CONCURRENT)
class CCommandTest {
  private static final String CALLER = """
      #include "scale.h"
      #include <stdio.h>

      int main(int count, char **arguments) {
        const float x[] = {1, 2, 3, 4, 5, 6};
        const int32_t right[] = {1, 0}, wrong[] = {0, 7};
        float y[6];
        const char *error = NULL;
        scale *program = OPEN;
        (void) count, (void) arguments;
        if (program == NULL) {
          puts(error);
          return 1;
        }
        if (scale_run(program, wrong, x, y) != 0) {
          puts(scale_error(program));
        }
        scale_run(program, right, x, y);
        printf("%g %g %g %g %g %g\\n", y[0], y[1], y[2], y[3], y[4], y[5]);
        scale_close(program);
        return 0;
      }
      """;
  private static final String EXPECTED = """
      scale.ein:5:3: index 1 of X must be in 0..1 but is 7
      8 100 1200 2 40 600
      """;

  @TempDir
  private Path directory;

  @BeforeEach
  void write() throws IOException {
    byte[] header = "{\"layer.scale\":{\"dtype\":\"F32\",\"shape\":[3],\"data_offsets\":[0,12]}}".getBytes(StandardCharsets.UTF_8);
    ByteBuffer file = ByteBuffer.allocate(8 + header.length + 12).order(ByteOrder.LITTLE_ENDIAN);
    file.putLong(header.length).put(header).putFloat(1).putFloat(10).putFloat(100);
    Files.write(directory.resolve("scale.safetensors"), file.array());
    Files.writeString(directory.resolve("scale.ein"), """
        weights "scale.safetensors"
        def scale(ids: i32[M], X: f32[M, 3]) -> f32[M, 3] {
          weight W: f32[3] = "layer.scale"
          V[n] = W[n] * 2
          Y[m, n] = X[ids[m], n] * V[n]
          return Y
        }
        """);
  }

  private CommandLineRun emit(String... more) {
    return CommandLineRun.of(Stream.concat(Stream.of("emit", directory.resolve("scale.ein").toString(), "--as", "c"), Stream.of(more)).toArray(String[]::new));
  }

  private String called(String open) throws IOException {
    Assumptions.assumeTrue(CCompiler.find("cc").isPresent(), "there is no C compiler here");
    Path folder = directory.resolve("out");
    Files.writeString(folder.resolve("caller.c"), CALLER.replace("OPEN", open));
    assertEquals("", Commands.run(folder, List.of("cc", "-std=c11", "-Wall", "-Wextra", "-Werror", "-pthread", "-o", "caller", "caller.c", "scale.c", "-lm")));
    return Commands.run(folder, List.of("./caller", "scale.weights")).replaceAll("(?m)^.*scale.ein", "scale.ein");
  }

  @Test
  void writesAFileOfWeights() throws IOException {
    CommandLineRun run = emit("--size", "M=2", "--target", "portable", "--threads", "2", "-o", directory.resolve("out").toString());
    assertEquals(0, run.exitCode(), run.err());
    assertEquals(List.of("scale.h", "scale.c", "CMakeLists.txt", "scale.weights"),
        run.out().lines().map(line -> Path.of(line).getFileName().toString()).toList());
    assertEquals(EXPECTED, called("scale_open(arguments[1], 2, &error)"));
    assertTrue(Files.readString(directory.resolve("out/scale.h")).contains(" * X: input, float[2][3]"));
  }

  @Test
  void makesWeightsAPartOfTheCode() throws IOException {
    CommandLineRun run = emit("--size", "M=2", "--target", "portable", "--embed", "-o", directory.resolve("out").toString());
    assertEquals(0, run.exitCode(), run.err());
    assertEquals(EXPECTED, called("scale_open(1, &error)"));
  }

  @Test
  void buildsWithCMake() {
    Assumptions.assumeTrue(Commands.exists("cmake") && Commands.exists("cc"), "there is no CMake or no C compiler here");
    CommandLineRun run = emit("--size", "M=2", "--target", "portable", "--main", "-o", directory.resolve("out").toString());
    assertEquals(0, run.exitCode(), run.err());
    Commands.run(directory, List.of("cmake", "-S", "out", "-B", "build", "-DCMAKE_C_FLAGS=-Werror"));
    Commands.run(directory, List.of("cmake", "--build", "build"));
    Commands.run(directory, List.of("build/scale_main", "1", "out/scale.weights", "-", "-", "y.bin"));
    assertEquals(24, directory.resolve("y.bin").toFile().length());
    assertTrue(Commands.failing(directory, List.of("build/scale_main", "1", "out/scale.weights", "nowhere", "-", "y.bin")).contains("cannot open nowhere"));
  }

  @Test
  void saysWhatIsWrong() throws IOException {
    assertTrue(emit().err().contains("C is for certain sizes: no value for the size M of scale"), emit().err());
    assertTrue(emit("--size", "M=2", "--name", "double").err().contains("--name is double, which C cannot call a function: try program_double"));
    assertTrue(emit("--size", "M=2", "--target", "vax").err().contains("unknown target vax; there are portable"));
    Path file = Files.writeString(directory.resolve("file"), "");
    assertTrue(emit("--size", "M=2", "--target", "portable", "-o", file.toString()).err().contains("cannot write C into"));
  }
}
