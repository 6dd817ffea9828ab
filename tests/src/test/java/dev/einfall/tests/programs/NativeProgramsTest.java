package dev.einfall.tests.programs;


import dev.einfall.backends.reference.Array;
import dev.einfall.frontend.EinProgram;
import dev.einfall.ir.cascade.Cascade;
import dev.einfall.runtime.Options;
import dev.einfall.runtime.nativecode.CCompiler;
import dev.einfall.runtime.nativecode.Toolchain;
import dev.einfall.tests.JvmRun;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.SortedMap;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.parallel.Execution;
import org.junit.jupiter.api.parallel.ExecutionMode;

/// Runs every program in `programs` as C, for any machine and for this one, against the reference interpreter. What is written must also be free
/// of warnings.
@Execution(ExecutionMode.CONCURRENT)
class NativeProgramsTest {
  /// Compilers take much longer for fast code, and make it of the same operations.
  private static final List<String> FLAGS = List.of("-O1", "-Wall", "-Wextra", "-Werror");

  /// By clang, if it is there.
  @TestFactory
  List<DynamicTest> anyMachine() throws IOException {
    String compiler = CCompiler.find("clang").isPresent() ? "clang" : "cc";
    return tests(Toolchain.usual().withCompiler(compiler).withTarget("portable"), List.of(4));
  }

  @TestFactory
  List<DynamicTest> thisMachine() throws IOException {
    return tests(Toolchain.usual(), List.of(8));
  }

  private static List<DynamicTest> tests(Toolchain toolchain, List<Integer> rounds) throws IOException {
    boolean isThere = CCompiler.find(toolchain.compiler()).isPresent();
    return Programs.programs().stream().map(file -> DynamicTest.dynamicTest(file.getFileName().toString(), () -> {
      Assumptions.assumeTrue(isThere, "there is no compiler " + toolchain.compiler() + " here");
      for (int round : rounds) {
        check(file, round, toolchain);
      }
    })).toList();
  }

  private static void check(Path file, int round, Toolchain toolchain) throws IOException {
    EinProgram program = Programs.read(file);
    SortedMap<String, Long> sizes = Programs.sizes(program, round);
    Cascade cascade = Programs.cascade(program, sizes);
    List<Array> inputs = Programs.inputs(cascade, sizes);
    Options options = JvmRun.options(1 + round % 2, 0).withBackend(Options.Backend.C).withToolchain(toolchain.withFlags(FLAGS));
    Programs.requireClose(Programs.reference(cascade, inputs), JvmRun.outputs(Files.readString(file), inputs, options),
        "at " + sizes + " by " + toolchain);
  }
}
