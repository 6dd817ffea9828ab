package dev.einfall.tests.cuda;

import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.einfall.backends.cuda.CudaKernels;
import dev.einfall.backends.reference.Array;
import dev.einfall.frontend.EinProgram;
import dev.einfall.ir.cascade.Cascade;
import dev.einfall.ir.loop.KernelPlan;
import dev.einfall.passes.Pipeline;
import dev.einfall.passes.PipelineOptions;
import dev.einfall.runtime.device.CudaTools;
import dev.einfall.runtime.device.Nvcc;
import dev.einfall.tests.JvmRun;
import dev.einfall.tests.programs.Programs;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.SortedMap;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.api.parallel.Execution;
import org.junit.jupiter.api.parallel.ExecutionMode;

/// Every program in `programs` by the backend `CUDA`, all the way from its text, on a device that a library stands in for: against the reference
/// interpreter.
@Execution(ExecutionMode.CONCURRENT)
class DeviceProgramsTest {
  private static final int[] ROUNDS = {2, 4, 7};

  @TestFactory
  List<DynamicTest> onAStandIn(@TempDir Path folder) throws IOException {
    Assumptions.assumeTrue(CudaOnHost.isPossible(), "no g++");
    StandIn standIn = StandIn.in(folder.resolve("cuda")).withReadHeaders();
    List<DynamicTest> tests = new ArrayList<>();
    for (Path file : Programs.programs()) {
      int round = ROUNDS[tests.size() % ROUNDS.length];
      tests.add(DynamicTest.dynamicTest(file.getFileName().toString(), () -> check(file, round, standIn)));
    }
    return tests;
  }

  /// What nvcc would be given on a machine with such a GPU.
  @TestFactory
  List<DynamicTest> compiledForDevices() throws IOException {
    Optional<Nvcc> compiler = Nvcc.find(CudaTools.usual().nvcc());
    List<DynamicTest> tests = new ArrayList<>();
    for (String name : List.of("attention", "gathers", "softmax")) {
      tests.add(DynamicTest.dynamicTest(name, () -> {
        Assumptions.assumeTrue(compiler.isPresent(), "no nvcc");
        EinProgram program = Programs.read(Programs.PROGRAMS.resolve(name + ".ein"));
        SortedMap<String, Long> sizes = Programs.sizes(program, ROUNDS[0]);
        KernelPlan plan = new Pipeline(PipelineOptions.of(Gpu.target()), _ -> { }, _ -> { }).compile(Programs.cascade(program, sizes), sizes);
        CudaKernels kernels = CudaKernels.of(plan.launches().stream().map(KernelPlan.Launch::kernel).toList(), Gpu.machine());
        byte[] code = compiler.get().cubin(kernels.source(), "sm_80", List.of());
        kernels.kernels().values().forEach(kernel -> assertTrue(new String(code, StandardCharsets.ISO_8859_1).contains(".text." + kernel.name() + "\0")));
      }));
    }
    return tests;
  }

  private static void check(Path file, int round, StandIn standIn) throws IOException {
    EinProgram program = Programs.read(file);
    SortedMap<String, Long> sizes = Programs.sizes(program, round);
    Cascade cascade = Programs.cascade(program, sizes);
    List<Array> inputs = Programs.inputs(cascade, sizes);
    Programs.requireClose(Programs.reference(cascade, inputs), JvmRun.outputs(Files.readString(file), inputs, standIn.options()), "at " + sizes);
  }
}
