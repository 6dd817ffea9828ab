package dev.einfall.tests.cuda;

import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.einfall.backends.cuda.CudaFile;
import dev.einfall.backends.reference.Array;
import dev.einfall.frontend.EinProgram;
import dev.einfall.ir.cascade.Cascade;
import dev.einfall.ir.loop.KernelPlan;
import dev.einfall.passes.Pipeline;
import dev.einfall.passes.PipelineOptions;
import dev.einfall.tests.programs.Programs;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.SortedMap;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.api.parallel.Execution;
import org.junit.jupiter.api.parallel.ExecutionMode;

/// Every program in `programs` as CUDA C++: compiled for this machine it gives what the reference interpreter does, and `nvcc` compiles it.
@Execution(ExecutionMode.CONCURRENT)
class CudaProgramsTest {
  /// The rounds of sizes that programs take in turn.
  private static final int[] ROUNDS = {3, 5, 6, 8, 9};

  /// A program at some sizes.
  private record Written(String name, Cascade cascade, SortedMap<String, Long> sizes, KernelPlan plan, CudaFile file) {}

  @TempDir
  private static Path folder;

  private static final List<Written> WRITTEN = new ArrayList<>();

  @BeforeAll
  static void write() throws IOException {
    for (Path file : Programs.programs()) {
      EinProgram program = Programs.read(file);
      SortedMap<String, Long> sizes = Programs.sizes(program, ROUNDS[WRITTEN.size() % ROUNDS.length]);
      Cascade cascade = Programs.cascade(program, sizes);
      KernelPlan plan = new Pipeline(PipelineOptions.of(Gpu.target()), _ -> { }, _ -> { }).compile(cascade, sizes);
      String name = file.getFileName().toString().replace(".ein", "");
      Written written = new Written(name, cascade, sizes, plan, CudaFile.of(plan, name, Gpu.machine()));
      Files.writeString(folder.resolve(name + ".cu"), written.file.source());
      WRITTEN.add(written);
    }
  }

  @AfterAll
  static void forget() {
    WRITTEN.clear();
  }

  @TestFactory
  List<DynamicTest> onHost() throws IOException {
    Assumptions.assumeTrue(CudaOnHost.isPossible(), "no g++");
    CudaOnHost host = CudaOnHost.compile(including(WRITTEN, "host.cu"));
    return WRITTEN.stream().map(written -> DynamicTest.dynamicTest(written.name, () -> {
      List<Array> inputs = Programs.inputs(written.cascade, written.sizes);
      Programs.requireClose(Programs.reference(written.cascade, inputs), host.run(written.name, written.plan, inputs), "at " + written.sizes);
    })).toList();
  }

  @Test
  void compiledForDevices() throws IOException {
    Assumptions.assumeTrue(Compiler.isThere("nvcc"), "no nvcc");
    Path all = including(WRITTEN, "device.cu");
    Compiler.run(List.of("nvcc", "-std=c++17", "-fmad=false", "-Werror", "all-warnings", "-Xcicc", "-O1", "-Xptxas", "-O0", "-fatbin", "--threads", "2",
        "-gencode", "arch=compute_80,code=sm_80", "-gencode", "arch=compute_90a,code=sm_90a",
        "-o", folder.resolve("device.fatbin").toString(), all.toString()));
  }

  /// One file with all of them, as each has names of its own: the compilers' own headers take longer than a program.
  private static Path including(List<Written> written, String name) throws IOException {
    StringBuilder text = new StringBuilder();
    written.forEach(one -> text.append("#include \"").append(one.name).append(".cu\"\n"));
    assertTrue(!text.isEmpty());
    return Files.writeString(folder.resolve(name), text);
  }
}
