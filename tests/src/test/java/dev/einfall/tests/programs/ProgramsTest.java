package dev.einfall.tests.programs;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.einfall.backends.reference.Array;
import dev.einfall.frontend.EinProgram;
import dev.einfall.frontend.EinReader;
import dev.einfall.ir.Source;
import dev.einfall.ir.cascade.Cascade;
import dev.einfall.ir.cascade.CascadePrinter;
import dev.einfall.passes.Pass;
import dev.einfall.passes.PassRunner;
import dev.einfall.passes.Pipeline;
import dev.einfall.passes.PipelineOptions;
import dev.einfall.passes.Target;
import dev.einfall.tests.JvmRun;
import dev.einfall.tests.cuda.Gpu;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.SortedMap;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.parallel.Execution;
import org.junit.jupiter.api.parallel.ExecutionMode;

/// Runs every program in `programs` at sizes that do and do not fill vectors and tiles, against the reference interpreter.
@Execution(ExecutionMode.CONCURRENT)
class ProgramsTest {
  private static final int[] VECTOR_BYTES = {4, 16, 32, 64};

  /// What a program is run with.
  private record Round(SortedMap<String, Long> sizes, int vectorBytes, int threads) {

    /// The first `count` rounds with up to `threads` threads. A program whose sizes are fixed has fewer that differ.
    static Collection<Round> first(int count, int threads, EinProgram program) {
      Collection<Round> rounds = new LinkedHashSet<>();
      for (int i = 0; i < count; i++) {
        rounds.add(new Round(Programs.sizes(program, i), VECTOR_BYTES[i % VECTOR_BYTES.length], 1 + i % threads));
      }
      return rounds;
    }

    @Override
    public String toString() {
      return "at " + sizes + " with vectors of " + vectorBytes + " bytes";
    }
  }

  /// The plans, run by the interpreter of kernels: slow, so at the small sizes only.
  @TestFactory
  List<DynamicTest> plansInterpreted() throws IOException {
    return Programs.programs().stream().map(file -> DynamicTest.dynamicTest(file.getFileName().toString(), () -> {
      EinProgram program = Programs.read(file);
      for (Round round : Round.first(7, 1, program)) {
        Programs.requireRight(Programs.cascade(program, round.sizes), round.sizes, Target.of(round.vectorBytes, 2), round.toString());
      }
    })).toList();
  }

  /// The bytecode, at every size, with vectors of every width and with 1 and 2 threads.
  @TestFactory
  List<DynamicTest> bytecode() throws IOException {
    return Programs.programs().stream().map(file -> DynamicTest.dynamicTest(file.getFileName().toString(), () -> {
      EinProgram program = Programs.read(file);
      for (Round round : Round.first(Programs.SIZES.length, 2, program)) {
        Cascade cascade = Programs.cascade(program, round.sizes);
        List<Array> inputs = Programs.inputs(cascade, round.sizes);
        List<Array> actual = JvmRun.outputs(Files.readString(file), inputs, JvmRun.options(round.threads, round.vectorBytes));
        Programs.requireClose(Programs.reference(cascade, inputs), actual, round.toString());
      }
    })).toList();
  }

  /// The plans for a GPU, run by the interpreter of kernels, block by block and thread by thread.
  @TestFactory
  List<DynamicTest> blocksInterpreted() throws IOException {
    return Programs.programs().stream().map(file -> DynamicTest.dynamicTest(file.getFileName().toString(), () -> {
      EinProgram program = Programs.read(file);
      SortedMap<String, Long> sizes = Programs.sizes(program, 3);
      Programs.requireRight(Programs.cascade(program, sizes), sizes, Gpu.target(), "at " + sizes + " on a GPU");
    })).toList();
  }

  /// What the passes make of a program, with all that they map, is a program that says the same.
  @TestFactory
  List<DynamicTest> mappedProgramsReadBack() throws IOException {
    List<Path> files = new ArrayList<>(Programs.programs());
    files.addAll(Programs.programs(Programs.PROGRAMS.resolve("reduced")));
    return files.stream().map(file -> DynamicTest.dynamicTest(file.getFileName().toString(), () -> {
      EinProgram program = Programs.read(file);
      for (int i = 5; i < Programs.SIZES.length; i += 2) {
        SortedMap<String, Long> sizes = Programs.sizes(program, i);
        String mapped = CascadePrinter.print(mapped(Programs.cascade(program, sizes), sizes, VECTOR_BYTES[i % VECTOR_BYTES.length], 1 + i % 3));
        assertEquals(mapped, CascadePrinter.print(EinReader.read(new Source("mapped.ein", mapped), Optional.empty()).cascade()));
      }
    })).toList();
  }

  private static Cascade mapped(Cascade cascade, SortedMap<String, Long> sizes, int vectorBytes, int threads) {
    Pipeline pipeline = new Pipeline(PipelineOptions.of(Target.of(vectorBytes, threads)), _ -> { }, _ -> { });
    PassRunner runner = new PassRunner(_ -> { }, _ -> { });
    Cascade mapped = cascade;
    for (Pass.OnCascade pass : pipeline.cascadePasses(sizes)) {
      mapped = runner.run(pass, mapped);
    }
    return mapped;
  }
}
