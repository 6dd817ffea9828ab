package dev.einfall.tests.random;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;

/// Runs 500 random programs, always the same; `tests/fuzz programs` runs more. The message of a failure is the program, made
/// smaller, and the file that it was written to.
class RandomProgramsTest {
  private static final int PROGRAMS = 500;

  @Test
  void programsComputeTheSame() throws IOException {
    ByteArrayOutputStream report = new ByteArrayOutputStream();
    ProgramFuzzer fuzzer = new ProgramFuzzer(0, Path.of("target", "random"));
    fuzzer.run(PROGRAMS, new PrintStream(report, true, StandardCharsets.UTF_8));
    assertEquals(List.of(), fuzzer.cases(), () -> report.toString(StandardCharsets.UTF_8));
  }
}
