package dev.einfall.tests.programs;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.fail;

import dev.einfall.runtime.Einfall;
import dev.einfall.runtime.Options;
import dev.einfall.runtime.Program;
import dev.einfall.tests.Comparison;
import dev.einfall.tests.JvmRun;
import dev.einfall.tests.programs.oracles.OracleCase;
import dev.einfall.tests.programs.oracles.OracleRun;
import dev.einfall.tests.programs.oracles.Oracles;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.parallel.Execution;
import org.junit.jupiter.api.parallel.ExecutionMode;

/// Runs every program in the folders of `programs`, as bytecode and by the reference interpreter, against its formula in
/// plain Java.
@Execution(ExecutionMode.CONCURRENT)
class OraclesTest {
  private static final Path PROGRAMS = Path.of("programs");
  private static final int[] VECTOR_BYTES = {32, 16, 64};

  @TestFactory
  List<DynamicTest> bytecode() {
    return tests(Options.Backend.JVM);
  }

  @TestFactory
  List<DynamicTest> reference() {
    return tests(Options.Backend.REFERENCE);
  }

  @Test
  void everyProgramHasAnOracle() throws IOException {
    List<String> expected = Oracles.all().stream().map(OracleCase::program).sorted().toList();
    assertEquals(expected, programs(), "the oracles and the files in the folders of " + PROGRAMS);
  }

  private static List<String> programs() throws IOException {
    try (Stream<Path> files = Files.walk(PROGRAMS)) {
      return files.map(file -> PROGRAMS.relativize(file).toString().replace('\\', '/'))
          .filter(file -> file.contains("/") && file.endsWith(".ein")).map(file -> file.replace(".ein", "")).sorted().toList();
    }
  }

  private static List<DynamicTest> tests(Options.Backend backend) {
    return Oracles.all().stream().map(oracle -> DynamicTest.dynamicTest(oracle.program(), () -> check(oracle, backend)))
        .toList();
  }

  private static void check(OracleCase oracle, Options.Backend backend) {
    assertFalse(oracle.rounds().isEmpty(), "no sizes for " + oracle);
    for (int i = 0; i < oracle.rounds().size(); i++) {
      Options options = JvmRun.options(1 + i % 2, VECTOR_BYTES[i % VECTOR_BYTES.length]).withBackend(backend);
      try (Program program = Einfall.compile(PROGRAMS.resolve(oracle.program() + ".ein"), options)) {
        check(oracle, program, oracle.rounds().get(i));
      }
    }
  }

  private static void check(OracleCase oracle, Program program, Map<String, Integer> sizes) {
    OracleRun run = OracleRun.of(oracle, program.inputs(), sizes);
    run.difference(program.outputs(), JvmRun.outputs(program, run.inputs()), Comparison.ofSums(oracle.terms()))
        .ifPresent(difference -> fail(oracle + " at " + sizes + ": " + difference));
  }
}
