package dev.einfall.tests.cuda;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.einfall.ir.CompileException;
import dev.einfall.ir.Source;
import dev.einfall.runtime.Einfall;
import dev.einfall.runtime.Options;
import dev.einfall.runtime.Program;
import dev.einfall.runtime.Tensor;
import dev.einfall.runtime.device.CudaTools;
import dev.einfall.runtime.device.DeviceException;
import dev.einfall.tests.cuda.StandIn.Setting;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.api.parallel.Execution;
import org.junit.jupiter.api.parallel.ExecutionMode;

/// What the backend `CUDA` says where something is missing or fails.
@Execution(ExecutionMode.CONCURRENT)
class DeviceErrorsTest {
  private static final Source DOUBLED = new Source("doubled.ein", "def twice(X: f32[N]) -> f32[N] {\n  Y[n] = 2.0 * X[n]\n  return Y\n}\n");

  @TempDir
  private static Path shared;
  private static StandIn made;
  @TempDir
  private Path directory;

  @BeforeAll
  static void make() throws IOException {
    Assumptions.assumeTrue(CudaOnHost.isPossible(), "no g++");
    made = StandIn.in(shared.resolve("cuda")).withReadHeaders();
  }

  private StandIn standIn() throws IOException {
    return made.copy(directory.resolve("cuda"));
  }

  private StandIn standIn(Setting setting, long value) throws IOException {
    return standIn().with(setting, value);
  }

  private static float[] doubled(Options options) {
    try (Program program = Einfall.compile(DOUBLED, options); Tensor x = Tensor.of(new float[] {1, 2, 3}, 3);
        Tensor y = program.run(Map.of("X", x)).get("Y")) {
      return y.floats();
    }
  }

  private static String refused(Options options) {
    return assertThrows(CompileException.class, () -> doubled(options)).getMessage();
  }

  private static String failed(StandIn standIn) {
    String message = assertThrows(DeviceException.class, () -> doubled(standIn.options())).getMessage();
    assertEquals(0, standIn.left(), "things of the driver that nobody has freed");
    return message;
  }

  private static Options with(StandIn standIn, UnaryOperator<CudaTools> change) {
    Options options = standIn.options();
    return options.withToolchain(options.toolchain().withCuda(change.apply(standIn.tools())));
  }

  private static void assertContains(String expected, String text) {
    assertTrue(text.contains(expected), text);
  }

  @Test
  void saysThatThereIsNoDriver() throws IOException {
    assertContains("the backend cuda needs a GPU of NVIDIA and its driver, but the driver's library libno-such-cuda.so.1 cannot be loaded: install the driver",
        refused(with(standIn(), tools -> tools.withDriver("libno-such-cuda.so.1"))));
  }

  @Test
  void saysThatThereIsNoDevice() throws IOException {
    assertContains("finds none: see whether `nvidia-smi` lists one", refused(standIn(Setting.DEVICES, 0).options()));
  }

  @Test
  void saysThatThereIsNoSuchDevice() throws IOException {
    assertContains("there is no device 3: the driver", refused(with(standIn(Setting.DEVICES, 2), tools -> tools.withDevice(3))));
  }

  @Test
  void saysThatTheDriverIsOld() throws IOException {
    assertContains("needs a driver for CUDA 11.8 or newer, but", refused(standIn(Setting.VERSION, 11040).options()));
  }

  @Test
  void saysWhichFunctionIsMissing() throws IOException {
    assertContains("which has no function cuGraphInstantiateWithFlags; it says that it is for CUDA 13.0", refused(StandIn.in(directory.resolve("cuda"), "WITHOUT_GRAPHS").options()));
  }

  @Test
  void saysThatTheDeviceIsOld() throws IOException {
    assertContains("needs a GPU of compute capability 7.0 or more, but Stand-in has 6.1", refused(standIn(Setting.CAPABILITY, 61).options()));
  }

  @Test
  void saysThatThereIsNoCompiler() throws IOException {
    StandIn standIn = standIn();
    assertContains("the backend cuda needs CUDA's compiler, but the command no-such-nvcc cannot be run: install the CUDA toolkit",
        refused(with(standIn, tools -> tools.withNvcc("no-such-nvcc"))));
    assertEquals(0, standIn.left());
  }

  @Test
  void saysThatTheCompilerDoesNotKnowTheDevice() throws IOException {
    StandIn standIn = standIn(Setting.CAPABILITY, 99);
    assertContains("nvcc 13.0 cannot compile for sm_99: nvcc fatal   : Value 'sm_99' is not defined", refused(standIn.options()));
    assertEquals(0, standIn.left());
  }

  @Test
  void saysWhoMadeCodeThatTheDriverRefuses() throws IOException {
    StandIn standIn = standIn();
    DeviceException error = assertThrows(DeviceException.class, () -> doubled(with(standIn, tools -> tools.withFlags(List.of("-arch=sm_70")))));
    assertEquals("CUDA_ERROR_NO_BINARY_FOR_GPU", error.error());
    assertContains("CUDA_ERROR_NO_BINARY_FOR_GPU (no kernel image is available for execution on the device) in cuModuleLoadDataEx of code for Stand-in (sm_80),"
        + " which ", error.getMessage());
    assertContains("nvcc 13.0 made; the driver is for CUDA 13.0 and says: there is no code for sm_80", error.getMessage());
    assertEquals(0, standIn.left());
  }

  @Test
  void saysForWhatThereIsNoMemory() throws IOException {
    assertEquals("CUDA_ERROR_OUT_OF_MEMORY (out of memory) in cuMemAlloc of 256 bytes for the arena of twice", failed(standIn(Setting.MEMORY, 100)));
  }

  @Test
  void saysForWhichTensorThereIsNoMemory() throws IOException {
    assertEquals("CUDA_ERROR_OUT_OF_MEMORY (out of memory) in cuMemAlloc of 12 bytes for Y: f32[3]", failed(standIn(Setting.MEMORY, 260)));
  }

  @Test
  void saysWhichKernelIsNotLaunched() throws IOException {
    assertEquals("CUDA_ERROR_LAUNCH_OUT_OF_RESOURCES (too many resources requested for launch) in cuLaunchKernel of kernel Y",
        failed(standIn(Setting.REFUSES_LAUNCH, 1)));
  }

  @Test
  void saysWhichRunFailed() throws IOException {
    assertEquals("CUDA_ERROR_ILLEGAL_ADDRESS (an illegal memory access was encountered) in cuStreamSynchronize of a run of twice",
        assertThrows(DeviceException.class, () -> doubled(standIn(Setting.FAILS_RUN, 1).options())).getMessage());
  }

  @Test
  void goesOnAfterALackOfMemory() throws IOException {
    StandIn standIn = standIn(Setting.MEMORY, 4096);
    try (Program program = Einfall.compile(DOUBLED, standIn.options())) {
      try (Tensor large = Tensor.of(new float[2000], 2000)) {
        assertThrows(DeviceException.class, () -> program.run(Map.of("X", large)));
      }
      try (Tensor x = Tensor.of(new float[] {1, 2, 3}, 3); Tensor y = program.run(Map.of("X", x)).get("Y")) {
        assertArrayEquals(new float[] {2, 4, 6}, y.floats());
      }
    }
    assertEquals(0, standIn.left());
  }
}
