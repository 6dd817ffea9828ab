package dev.einfall.tests.fuzz;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;

/// 2,000 mutated programs, always the same; `tests/fuzz reader N SEED` runs others.
class ReaderFuzzerTest {
  private static final int PROGRAMS = 2000;

  @Test
  void readersTakeAnyText() throws IOException {
    ByteArrayOutputStream report = new ByteArrayOutputStream();
    ReaderFuzzer fuzzer = new ReaderFuzzer(Seed.ofRepository(Path.of("..")), 1, Path.of("target", "fuzz"));
    long failures = fuzzer.run(PROGRAMS, new PrintStream(report, true, StandardCharsets.UTF_8));
    assertEquals(0, failures, report.toString(StandardCharsets.UTF_8));
  }
}
