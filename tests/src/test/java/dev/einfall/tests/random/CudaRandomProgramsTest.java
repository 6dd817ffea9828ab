package dev.einfall.tests.random;

import dev.einfall.backends.cuda.CudaFile;
import dev.einfall.backends.reference.Array;
import dev.einfall.ir.cascade.CascadePrinter;
import dev.einfall.ir.loop.KernelPlan;
import dev.einfall.passes.Numerics;
import dev.einfall.passes.Pipeline;
import dev.einfall.passes.PipelineOptions;
import dev.einfall.tests.cuda.CudaOnHost;
import dev.einfall.tests.cuda.Gpu;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Assertions;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.api.parallel.Execution;
import org.junit.jupiter.api.parallel.ExecutionMode;

/// Random programs as CUDA C++, run on a host. Every other one is compiled under the `strict` contract, and gives the bits of its plain loops.
@Execution(ExecutionMode.CONCURRENT)
class CudaRandomProgramsTest {
  private static final int PROGRAMS = 30;

  /// A program, what it should give, and the files of it.
  private record Written(String name, Sample sample, Numerics numerics, List<Array> expected, KernelPlan plan) {

    Optional<String> difference(List<Array> actual) {
      return numerics == Numerics.STRICT ? ProgramCheck.bitDifference(sample, ProgramCheck.plainLoops(sample), actual)
          : ProgramCheck.difference(sample, expected, actual, ProgramCheck.tolerance(sample.cascade()));
    }
  }

  @TestFactory
  List<DynamicTest> onHost(@TempDir Path folder) throws IOException {
    Assumptions.assumeTrue(CudaOnHost.isPossible(), "no g++");
    StringBuilder all = new StringBuilder();
    List<Written> programs = new ArrayList<>();
    for (int number = 0; number < PROGRAMS; number++) {
      Sample sample = SampleGenerator.sample(number);
      Optional<List<Array>> expected = ProgramCheck.expected(sample);
      if (expected.isPresent()) {
        String name = "random" + number;
        Numerics numerics = number % 2 == 0 ? Numerics.STRICT : Numerics.REASSOCIATE;
        KernelPlan plan = new Pipeline(PipelineOptions.of(Gpu.target()).withNumerics(numerics), _ -> { }, _ -> { }).compile(sample.cascade(), sample.sizes());
        Path file = Files.writeString(folder.resolve(name + ".cu"), CudaFile.of(plan, name, Gpu.machine()).source());
        all.append("#include \"").append(file).append("\"\n");
        programs.add(new Written(name, sample, numerics, expected.get(), plan));
      }
    }
    CudaOnHost host = CudaOnHost.compile(Files.writeString(folder.resolve("all.cu"), all));
    return programs.stream().map(program -> DynamicTest.dynamicTest(program.name, () -> {
      List<Array> actual = host.run(program.name, program.plan, List.copyOf(program.sample.inputs().values()));
      program.difference(actual).ifPresent(difference ->
          Assertions.fail(difference + "\n" + program.sample.sizesLine() + CascadePrinter.print(program.sample.cascade())));
    })).toList();
  }
}
