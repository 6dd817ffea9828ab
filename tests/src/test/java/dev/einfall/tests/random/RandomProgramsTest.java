package dev.einfall.tests.random;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.einfall.runtime.nativecode.CCompiler;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.parallel.Execution;
import org.junit.jupiter.api.parallel.ExecutionMode;

/// Runs 500 random programs, always the same; `tests/fuzz programs` runs more. The message of a failure is the program, made
/// smaller, and the file that it was written to.
@Execution(ExecutionMode.CONCURRENT)
class RandomProgramsTest {
  private static final int PROGRAMS = 500;
  private static final int PROGRAMS_IN_C = 20;

  @Test
  void programsComputeTheSame() throws IOException {
    run(ProgramFuzzer.inJvm(0, Path.of("target", "random")), PROGRAMS);
  }

  @Test
  void programsComputeTheSameInC() throws IOException {
    Assumptions.assumeTrue(CCompiler.find("cc").isPresent(), "there is no C compiler here");
    run(ProgramFuzzer.ofC(1, Path.of("target", "random")), PROGRAMS_IN_C);
  }

  private static void run(ProgramFuzzer fuzzer, int programs) throws IOException {
    ByteArrayOutputStream report = new ByteArrayOutputStream();
    fuzzer.run(programs, new PrintStream(report, true, StandardCharsets.UTF_8));
    assertEquals(List.of(), fuzzer.cases(), () -> report.toString(StandardCharsets.UTF_8));
  }
}
