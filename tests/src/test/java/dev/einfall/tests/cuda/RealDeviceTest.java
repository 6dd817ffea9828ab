package dev.einfall.tests.cuda;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.einfall.backends.reference.Array;
import dev.einfall.frontend.EinProgram;
import dev.einfall.ir.CompileException;
import dev.einfall.ir.Source;
import dev.einfall.ir.cascade.Cascade;
import dev.einfall.runtime.Einfall;
import dev.einfall.runtime.Options;
import dev.einfall.runtime.Program;
import dev.einfall.runtime.Tensor;
import dev.einfall.runtime.device.CudaTools;
import dev.einfall.runtime.device.Device;
import dev.einfall.runtime.device.DeviceException;
import dev.einfall.runtime.device.Nvcc;
import dev.einfall.tests.JvmRun;
import dev.einfall.tests.programs.Programs;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.parallel.Execution;
import org.junit.jupiter.api.parallel.ExecutionMode;

/// The backend `CUDA` on this machine's GPU. Skipped, with the reason on the standard output, where there is none.
@Execution(ExecutionMode.CONCURRENT)
class RealDeviceTest {
  /// One of so many programs: the compiler takes seconds for each.
  private static final int EVERY = 6;
  private static final Source PICKED = new Source("picked.ein",
      "def f(X: f32[N], at: i32[M]) -> f32[M] {\n  Y[m] = X[at[m]]\n  return Y\n}\n");

  @BeforeAll
  static void requireDevice() {
    try (Device device = Device.open(CudaTools.usual())) {
      System.out.println("Tests of CUDA run on " + device + " by " + Nvcc.require(CudaTools.usual().nvcc()) + ".");
    } catch (CompileException | DeviceException e) {
      System.out.println("Skipping tests of CUDA on a GPU: " + e.getMessage().strip());
      Assumptions.abort(e.getMessage());
    }
  }

  private static Options options() {
    return Options.defaults().withBackend(Options.Backend.CUDA);
  }

  @TestFactory
  List<DynamicTest> programs() throws IOException {
    List<DynamicTest> tests = new ArrayList<>();
    List<Path> all = Programs.programs();
    for (int i = 0; i < all.size(); i += EVERY) {
      Path file = all.get(i);
      tests.add(DynamicTest.dynamicTest(file.getFileName().toString(), () -> check(file)));
    }
    return tests;
  }

  private static void check(Path file) throws IOException {
    EinProgram program = Programs.read(file);
    SortedMap<String, Long> sizes = Programs.sizes(program, 8);
    Cascade cascade = Programs.cascade(program, sizes);
    List<Array> inputs = Programs.inputs(cascade, sizes);
    Programs.requireClose(Programs.reference(cascade, inputs), JvmRun.outputs(Files.readString(file), inputs, options()), "at " + sizes);
  }

  @Test
  void goesOnAfterFaultsOfTheData() {
    try (Program program = Einfall.compile(PICKED, options()); Tensor x = Tensor.of(new float[] {1, 2, 3}, 3);
        Tensor wrong = Tensor.of(new int[] {0, 3}, 2); Tensor right = Tensor.of(new int[] {0, 2}, 2)) {
      for (int i = 0; i < 4; i++) {
        assertEquals("picked.ein:2:3: index 1 of X must be in 0..2 but is 3",
            assertThrows(IllegalArgumentException.class, () -> program.run(Map.of("X", x, "at", wrong))).getMessage());
        try (Tensor y = program.run(Map.of("X", x, "at", right)).get("Y"); Tensor turned = Tensor.of(new int[] {1, 0}, 2);
            Tensor z = program.run(Map.of("X", y, "at", turned)).get("Y")) {
          assertArrayEquals(new float[] {3, 1}, z.floats());
        }
      }
    }
  }
}
