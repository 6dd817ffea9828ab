package dev.einfall.tests.cuda;

import static org.junit.jupiter.api.Assertions.fail;

import dev.einfall.backends.cuda.CudaFile;
import dev.einfall.frontend.EinReader;
import dev.einfall.frontend.Imports;
import dev.einfall.ir.cascade.Cascade;
import dev.einfall.ir.loop.KernelPlan;
import dev.einfall.passes.Pipeline;
import dev.einfall.passes.PipelineOptions;
import dev.einfall.runtime.Einfall;
import dev.einfall.runtime.Options;
import dev.einfall.runtime.Port;
import dev.einfall.runtime.Program;
import dev.einfall.tests.Comparison;
import dev.einfall.tests.programs.Programs;
import dev.einfall.tests.programs.oracles.OracleCase;
import dev.einfall.tests.programs.oracles.OracleRun;
import dev.einfall.tests.programs.oracles.Oracles;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.api.parallel.Execution;
import org.junit.jupiter.api.parallel.ExecutionMode;

/// Every program in the folders of `programs` as CUDA C++, run on a host, against its formula in plain Java.
@Execution(ExecutionMode.CONCURRENT)
class CudaOraclesTest {

  /// A program and what it should give.
  private record Written(String name, OracleCase oracle, KernelPlan plan, OracleRun run, List<Port> outputs) {}

  @TestFactory
  List<DynamicTest> onHost(@TempDir Path folder) throws IOException {
    Assumptions.assumeTrue(CudaOnHost.isPossible(), "no g++");
    StringBuilder all = new StringBuilder();
    List<Written> programs = new ArrayList<>();
    for (OracleCase oracle : Oracles.all()) {
      Written written = written(oracle, oracle.rounds().get(programs.size() % oracle.rounds().size()));
      Path file = Files.writeString(folder.resolve(written.name + ".cu"), CudaFile.of(written.plan, written.name, Gpu.machine()).source());
      all.append("#include \"").append(file).append("\"\n");
      programs.add(written);
    }
    CudaOnHost host = CudaOnHost.compile(Files.writeString(folder.resolve("all.cu"), all));
    return programs.stream().map(written -> DynamicTest.dynamicTest(written.oracle.program(), () -> check(written, host))).toList();
  }

  private static Written written(OracleCase oracle, Map<String, Integer> sizes) {
    Path file = Programs.PROGRAMS.resolve(oracle.program() + ".ein");
    SortedMap<String, Long> numbers = new TreeMap<>();
    sizes.forEach((name, size) -> numbers.put(name, (long) size));
    Cascade cascade = EinReader.read(Einfall.source(file), Optional.empty(), Imports.files()).cascade(numbers);
    KernelPlan plan = new Pipeline(PipelineOptions.of(Gpu.target()), _ -> { }, _ -> { }).compile(cascade, numbers);
    try (Program program = Einfall.compile(file, Options.defaults().withBackend(Options.Backend.REFERENCE))) {
      return new Written(oracle.program().replace('/', '_'), oracle, plan, OracleRun.of(oracle, program.inputs(), sizes), program.outputs());
    }
  }

  private static void check(Written written, CudaOnHost host) {
    written.run.difference(written.outputs, host.run(written.name, written.plan, written.run.inputs()), Comparison.ofSums(written.oracle.terms()))
        .ifPresent(difference -> fail(written.oracle + ": " + difference));
  }
}
