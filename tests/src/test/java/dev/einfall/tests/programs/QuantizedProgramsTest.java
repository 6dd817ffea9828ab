package dev.einfall.tests.programs;

import static org.junit.jupiter.api.Assertions.fail;

import dev.einfall.runtime.Einfall;
import dev.einfall.runtime.Options;
import dev.einfall.runtime.Program;
import dev.einfall.runtime.nativecode.CCompiler;
import dev.einfall.runtime.nativecode.Toolchain;
import dev.einfall.tests.Comparison;
import dev.einfall.tests.JvmRun;
import dev.einfall.tests.programs.oracles.OracleCase;
import dev.einfall.tests.programs.oracles.OracleRun;
import dev.einfall.tests.programs.oracles.QuantizedOracles;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.parallel.Execution;
import org.junit.jupiter.api.parallel.ExecutionMode;

/// The programs in `programs/quantized` are as near to what they round by way of C, with the products of integers that this machine has and without, and as bytecode without
/// vectors, as they are elsewhere.
@Execution(ExecutionMode.CONCURRENT)
class QuantizedProgramsTest {

  @TestFactory
  Stream<DynamicTest> nearWhatTheyRound() {
    Toolchain plain = Toolchain.usual().withFlags(List.of("-O1"));
    return QuantizedOracles.cases().stream().flatMap(oracle -> Stream.of(
        DynamicTest.dynamicTest(oracle + " as scalar bytecode", () -> check(oracle, 1, JvmRun.options(1, 4))),
        DynamicTest.dynamicTest(oracle + " by way of C", () -> checkInC(oracle, 0, plain)),
        DynamicTest.dynamicTest(oracle + " as portable C", () -> checkInC(oracle, 1, plain.withTarget("portable")))));
  }

  private static void checkInC(OracleCase oracle, int round, Toolchain toolchain) {
    Assumptions.assumeTrue(CCompiler.find("cc").isPresent(), "there is no C compiler here");
    check(oracle, round, JvmRun.options(2, 0).withBackend(Options.Backend.C).withToolchain(toolchain));
  }

  private static void check(OracleCase oracle, int round, Options options) {
    try (Program program = Einfall.compile(Programs.PROGRAMS.resolve(oracle.program() + ".ein"), options)) {
      Map<String, Integer> sizes = oracle.rounds().get(round);
      OracleRun run = OracleRun.of(oracle, program.inputs(), sizes);
      run.difference(program.outputs(), JvmRun.outputs(program, run.inputs()), Comparison.ofSums(oracle.terms()))
          .ifPresent(difference -> fail(oracle + " at " + sizes + ": " + difference));
    }
  }
}
