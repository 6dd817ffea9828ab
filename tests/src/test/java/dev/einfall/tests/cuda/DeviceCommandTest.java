package dev.einfall.tests.cuda;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.einfall.tests.runtime.CommandLineRun;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.api.parallel.Execution;
import org.junit.jupiter.api.parallel.ExecutionMode;

/// The command with `--backend cuda`, on a device that a library stands in for.
@Execution(ExecutionMode.CONCURRENT)
class DeviceCommandTest {
  private static final String SOFTMAX = "../grammar/examples/softmax.ein";

  @TempDir
  private Path directory;

  @BeforeEach
  void requireCompiler() {
    Assumptions.assumeTrue(CudaOnHost.isPossible(), "no g++");
  }

  private static CommandLineRun run(StandIn standIn, String... arguments) {
    List<String> all = new ArrayList<>(List.of(arguments));
    all.addAll(List.of("--backend", "cuda", "--nvcc", standIn.tools().nvcc(), "--cuda-driver", standIn.tools().driver()));
    return CommandLineRun.of(all.toArray(String[]::new));
  }

  @Test
  void runsAndMeasures() throws IOException {
    StandIn standIn = StandIn.in(directory.resolve("cuda"));
    CommandLineRun run = run(standIn, "run", SOFTMAX, "--in", "X=rand:3x5", "--cache", "none", "--remarks");
    assertEquals(0, run.exitCode(), run.err());
    assertTrue(run.out().contains("Y: f32[3, 5]"), run.out());
    assertTrue(run.err().contains("softmax is compiled for Stand-in (sm_80) by "), run.err());
    CommandLineRun bench = run(standIn, "bench", SOFTMAX, "--in", "X=rand:3x5", "--runs", "3", "--profile");
    assertEquals(0, bench.exitCode(), bench.err());
    assertTrue(bench.out().contains(" us") && bench.out().contains("softmax.ein:4:3"), bench.out());
    CommandLineRun explain = run(standIn, "explain", SOFTMAX, "--measure", "--in", "X=rand:3x5", "--peak", "100", "--bandwidth", "10");
    assertEquals(0, explain.exitCode(), explain.err());
    assertTrue(explain.out().contains("Y softmax.ein:4:3"), explain.out());
    assertEquals(0, standIn.left(), "things of the driver that nobody has freed");
  }

  @Test
  void mistakesOfTheUserAndFailuresOfTheDeviceAreNoFaultsOfEinfall() throws IOException {
    StandIn standIn = StandIn.in(directory.resolve("cuda")).with(StandIn.Setting.MEMORY, 100);
    CommandLineRun run = run(standIn, "run", SOFTMAX, "--in", "X=rand:3x5", "--cache", "none");
    assertEquals(1, run.exitCode(), run.err());
    assertTrue(run.err().contains("error: CUDA_ERROR_OUT_OF_MEMORY (out of memory) in cuMemAlloc of 256 bytes for the arena of softmax"), run.err());
    assertTrue(run(standIn, "explain", SOFTMAX).err().contains("--backend is for --measure: nothing runs otherwise"));
    assertTrue(run(standIn, "run", SOFTMAX, "--in", "X=rand:3x5", "--device", "-1").err().contains("--device is -1: expected at least 0"));
    assertTrue(run(standIn, "tune", SOFTMAX, "--in", "X=rand:3x5").err().contains("there is nothing to tune for the backend cuda"));
    assertTrue(run(standIn, "run", SOFTMAX, "--in", "X=rand:3x5", "--device", "7").err().contains("there is no device 7"));
  }
}
