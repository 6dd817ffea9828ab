package dev.einfall.tests.cuda;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.einfall.ir.Source;
import dev.einfall.ir.loop.Kernel;
import dev.einfall.passes.Compute;
import dev.einfall.runtime.Einfall;
import dev.einfall.runtime.Options;
import dev.einfall.runtime.Program;
import dev.einfall.runtime.Tensor;
import java.io.IOException;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.api.parallel.Execution;
import org.junit.jupiter.api.parallel.ExecutionMode;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// Programs on a device that a library stands in for. In the end nothing of it is in use.
@Execution(ExecutionMode.CONCURRENT)
class DeviceTest {
  private static final Source DOUBLED = new Source("doubled.ein", "def f(X: f32[N]) -> f32[N] {\n  Y[n] = 2.0 * X[n]\n  return Y\n}\n");
  private static final Source SUMMED = new Source("summed.ein", "def f(Y: f32[N]) -> f32[] {\n  S[] = sum[n](Y[n])\n  return S\n}\n");
  private static final Source PICKED = new Source("picked.ein",
      "def f(X: f32[N], at: i32[M]) -> f32[M] {\n  Y[m] = X[at[m]]\n  return Y\n}\n");
  private static final Source DIVIDED = new Source("divided.ein",
      "def f(A: i32[N], B: i32[N]) -> i32[N] {\n  Y[n] = A[n] / B[n]\n  return Y\n}\n");
  private static final Source MULTIPLIED = new Source("multiplied.ein", """
      def f(X: f32[64, 32], W: f32[32, 64]) -> f32[64, 64] {
        Y[m, n] = sum[k](f32(bf16(X[m, k])) * f32(bf16(W[k, n])))
        return Y
      }
      """);
  private static final Source STEP = new Source("step.ein", """
      def step(cache: f32[M, D], key: f32[D], position: i32) -> f32[M, D] {
        cache[position[], d] := key[d]
        return cache
      }
      """);

  @TempDir
  private static Path shared;
  private static StandIn made;
  @TempDir
  private Path directory;
  private StandIn standIn;

  @BeforeAll
  static void make() throws IOException {
    Assumptions.assumeTrue(CudaOnHost.isPossible(), "no g++");
    made = StandIn.in(shared.resolve("cuda")).withReadHeaders();
  }

  @BeforeEach
  void copy() throws IOException {
    standIn = made.copy(directory.resolve("cuda"));
  }

  @AfterEach
  void requireAllFree() {
    assertEquals(0, standIn.left(), "things of the driver that nobody has freed");
  }

  private static Tensor x(float... values) {
    return Tensor.of(values, values.length);
  }

  private static Tensor run(Program program, Map<String, Tensor> inputs) {
    return program.run(inputs).values().iterator().next();
  }

  @Test
  void runs() {
    try (Program program = Einfall.compile(DOUBLED, standIn.options()); Tensor x = x(1, 2, 3)) {
      for (int i = 0; i < 3; i++) {
        try (Tensor y = run(program, Map.of("X", x))) {
          assertArrayEquals(new float[] {2, 4, 6}, y.floats());
        }
      }
    }
  }

  /// What GPUs of one capability alone have is compiled for that one.
  @Test
  void multipliesByGroupsOfWarps() {
    float[] ones = new float[64 * 32];
    Arrays.fill(ones, 1);
    Options options = standIn.with(StandIn.Setting.CAPABILITY, 90).options();
    try (Program program = Einfall.compile(MULTIPLIED, options); Tensor x = Tensor.of(ones, 64, 32); Tensor w = Tensor.of(ones, 32, 64);
        Tensor y = run(program, Map.of("X", x, "W", w))) {
      assertEquals(32, y.floats()[64 * 64 - 1]);
    }
  }

  /// Weights that the hardware copies by itself, of whole tiles and of parts.
  @ParameterizedTest
  @CsvSource({"128, 64", "100, 40"})
  void weightsOfGroupsOfWarps(int steps, int columns) throws IOException {
    Path program = weighted(steps, columns);
    float[] x = new float[70 * steps];
    for (int i = 0; i < x.length; i++) {
      x[i] = i % 9 - 4;
    }
    Options options = standIn.with(StandIn.Setting.CAPABILITY, 90).options().withCompute(Compute.BF16);
    try (Tensor rows = Tensor.of(x, 70, steps); Program ofDevice = Einfall.compile(program, options); Tensor y = run(ofDevice, Map.of("X", rows));
        Program reference = Einfall.compile(program, options.withBackend(Options.Backend.REFERENCE)); Tensor expected = run(reference, Map.of("X", rows))) {
      assertArrayEquals(expected.floats(), y.floats());
    }
  }

  /// A product with weights of few bits, so that sums are exact.
  private Path weighted(int steps, int columns) throws IOException {
    int bytes = 4 * steps * columns;
    byte[] header = "{\"W\":{\"dtype\":\"F32\",\"shape\":[%d,%d],\"data_offsets\":[0,%d]}}".formatted(steps, columns, bytes).getBytes(StandardCharsets.UTF_8);
    ByteBuffer file = ByteBuffer.allocate(8 + header.length + bytes).order(ByteOrder.LITTLE_ENDIAN);
    file.putLong(header.length).put(header);
    for (int i = 0; i < steps * columns; i++) {
      file.putFloat(i % 7 - 3);
    }
    Files.write(directory.resolve("weights.safetensors"), file.array());
    return Files.writeString(directory.resolve("product.ein"), """
        weights "weights.safetensors"
        def product(X: f32[M, %1$d]) -> f32[M, %2$d] {
          weight W: f32[%1$d, %2$d] = "W"
          Y[m, n] = sum[k](X[m, k] * W[k, n])
          return Y
        }
        """.formatted(steps, columns));
  }

  @Test
  void launchesOnMemoryThatComesAgainAreAGraph() {
    try (Program program = Einfall.compile(DOUBLED, standIn.options()); Tensor x = x(1, 2, 3)) {
      for (int i = 0; i < 4; i++) {
        x.data().setAtIndex(ValueLayout.JAVA_FLOAT, 0, i);
        try (Tensor y = run(program, Map.of("X", x))) {
          assertArrayEquals(new float[] {2 * i, 4, 6}, y.floats());
        }
      }
      assertEquals(3, standIn.graphLaunches());
      List<Tensor> held = new ArrayList<>();
      for (int i = 0; i < 20; i++) {
        held.add(run(program, Map.of("X", x)));
      }
      for (Tensor y : held) {
        assertArrayEquals(new float[] {6, 4, 6}, y.floats());
        y.close();
      }
    }
  }

  @Test
  void inputsOfAllSizesAreCopied() {
    for (int size : new int[] {1, 1000, 16 << 10, (16 << 10) + 1, 100_000}) {
      float[] values = new float[size];
      try (Program program = Einfall.compile(DOUBLED, standIn.options())) {
        for (int i = 1; i < 4; i++) {
          values[size - 1] = i;
          try (Tensor x = x(values); Tensor y = run(program, Map.of("X", x))) {
            assertEquals(2 * i, y.floats()[size - 1]);
          }
        }
      }
    }
  }

  @Test
  void tensorsStayOnTheDevice() {
    try (Program doubling = Einfall.compile(DOUBLED, standIn.options()); Program summing = Einfall.compile(SUMMED, standIn.options());
        Tensor x = x(1, 2, 3); Tensor resident = doubling.resident(x)) {
      int before = standIn.copiesToDevice();
      try (Tensor y = run(doubling, Map.of("X", resident)); Tensor z = run(doubling, Map.of("X", y)); Tensor sum = run(summing, Map.of("Y", z))) {
        assertEquals(before, standIn.copiesToDevice());
        assertTrue(y.isOnDevice() && z.isOnDevice() && sum.isOnDevice() && resident.isOnDevice() && !x.isOnDevice());
        assertEquals(24, sum.floats()[0]);
        assertTrue(sum.isOnDevice(), "reading leaves it there");
        assertEquals(4, z.data().getAtIndex(ValueLayout.JAVA_FLOAT, 0));
        assertFalse(z.isOnDevice());
        // What is done to the memory of the host counts from then on.
        z.data().setAtIndex(ValueLayout.JAVA_FLOAT, 0, 100);
        try (Tensor again = run(summing, Map.of("Y", z))) {
          assertEquals(120, again.floats()[0]);
        }
      }
    }
  }

  @Test
  void otherBackendsTakeTensorsOfTheDevice() {
    try (Program doubling = Einfall.compile(DOUBLED, standIn.options());
        Program elsewhere = Einfall.compile(DOUBLED, Options.defaults().withBackend(Options.Backend.JVM).withWarmUp(false));
        Tensor x = x(1, 2, 3); Tensor y = run(doubling, Map.of("X", x)); Tensor z = run(elsewhere, Map.of("X", y)); Tensor copy = elsewhere.resident(z)) {
      assertArrayEquals(new float[] {4, 8, 12}, z.floats());
      assertArrayEquals(new float[] {4, 8, 12}, copy.floats());
    }
  }

  @Test
  void tensorsOutliveTheirProgram() {
    Tensor y;
    try (Program program = Einfall.compile(DOUBLED, standIn.options()); Tensor x = x(1, 2, 3)) {
      y = run(program, Map.of("X", x));
    }
    assertArrayEquals(new float[] {2, 4, 6}, y.floats());
    assertTrue(standIn.left() > 0);
    y.close();
    assertThrows(IllegalStateException.class, y::floats);
  }

  @Test
  void anInputThatIsGivenUpIsChangedInPlace() {
    try (Program program = Einfall.compile(STEP, standIn.options()); Tensor key = x(1, 2)) {
      Tensor cache = Tensor.of(new float[6], 3, 2);
      for (int i = 0; i < 3; i++) {
        try (Tensor position = Tensor.of(new int[] {i})) {
          int before = standIn.copiesToDevice();
          Tensor next = program.run(Map.of("cache", cache, "key", key, "position", position), Set.of("cache")).get("cache");
          assertEquals(i == 0 ? 3 : 2, standIn.copiesToDevice() - before);
          Tensor given = cache;
          assertThrows(IllegalStateException.class, given::floats);
          cache = next;
        }
      }
      assertArrayEquals(new float[] {1, 2, 1, 2, 1, 2}, cache.floats());
      try (Tensor position = Tensor.of(new int[] {0}); Tensor zero = x(0, 0);
          Tensor next = program.run(Map.of("cache", cache, "key", zero, "position", position)).get("cache")) {
        assertArrayEquals(new float[] {0, 0, 1, 2, 1, 2}, next.floats());
        assertArrayEquals(new float[] {1, 2, 1, 2, 1, 2}, cache.floats());
      }
      cache.close();
    }
  }

  @Test
  void dataAtFaultIsAnErrorAsElsewhere() {
    for (Options options : List.of(standIn.options(), Options.defaults().withBackend(Options.Backend.JVM).withWarmUp(false))) {
      try (Program program = Einfall.compile(PICKED, options); Tensor x = x(1, 2, 3); Tensor wrong = Tensor.of(new int[] {0, 3}, 2);
          Tensor right = Tensor.of(new int[] {0, 2}, 2)) {
        for (int i = 0; i < 3; i++) {
          IllegalArgumentException error = assertThrows(IllegalArgumentException.class, () -> program.run(Map.of("X", x, "at", wrong)));
          assertEquals("picked.ein:2:3: index 1 of X must be in 0..2 but is 3", error.getMessage());
          try (Tensor y = run(program, Map.of("X", x, "at", right))) {
            assertArrayEquals(new float[] {1, 3}, y.floats());
          }
        }
      }
      try (Program program = Einfall.compile(DIVIDED, options); Tensor a = Tensor.of(new int[] {7, 1}, 2); Tensor zero = Tensor.of(new int[] {1, 0}, 2)) {
        assertEquals("the divisor of an integer division must not be 0",
            assertThrows(IllegalArgumentException.class, () -> program.run(Map.of("A", a, "B", zero))).getMessage());
      }
    }
  }

  @Test
  void manyThreadsMayCall() throws Exception {
    try (Program program = Einfall.compile(DOUBLED, standIn.options()); ExecutorService threads = Executors.newFixedThreadPool(4)) {
      List<Callable<float[]>> tasks = new ArrayList<>();
      for (int i = 0; i < 40; i++) {
        int size = 1 + i % 3;
        float value = i;
        tasks.add(() -> {
          try (Tensor x = Tensor.of(new float[] {value, size}, 2); Tensor y = run(program, Map.of("X", x))) {
            return y.floats();
          }
        });
      }
      int i = 0;
      for (Future<float[]> result : threads.invokeAll(tasks)) {
        assertArrayEquals(new float[] {2 * i, 2 * (1 + i % 3)}, result.get());
        i++;
      }
    }
  }

  @Test
  void tellsHowLongKernelsTake() {
    List<String> told = new ArrayList<>();
    Options options = standIn.options().withLaunches((Kernel kernel, long nanoseconds) -> {
      assertTrue(nanoseconds >= 0);
      told.add(kernel.name());
    });
    try (Program program = Einfall.compile(DOUBLED, options); Tensor x = x(1, 2, 3)) {
      for (int i = 0; i < 2; i++) {
        try (Tensor y = run(program, Map.of("X", x))) {
          assertArrayEquals(new float[] {2, 4, 6}, y.floats());
        }
      }
    }
    assertEquals(List.of("Y", "Y"), told);
  }

  private float[] doubled(Path cache, List<String> remarks) {
    Options options = standIn.options().withCache(Optional.of(cache)).withRemarks(remark -> remarks.add(remark.message()));
    try (Program program = Einfall.compile(DOUBLED, options); Tensor x = x(1, 2, 3); Tensor y = run(program, Map.of("X", x))) {
      return y.floats();
    }
  }

  @Test
  void keepsMachineCode() throws IOException {
    Path cache = directory.resolve("cache");
    List<String> remarks = new ArrayList<>();
    for (int i = 0; i < 3; i++) {
      assertArrayEquals(new float[] {2, 4, 6}, doubled(cache, remarks));
      assertEquals(1, standIn.compilations());
    }
    Path kept;
    try (Stream<Path> files = Files.list(cache)) {
      kept = files.filter(file -> file.toString().endsWith(".library")).findFirst().orElseThrow();
    }
    byte[] whole = Files.readAllBytes(kept);
    byte[] damaged = whole.clone();
    damaged[damaged.length - 1000] ^= 1;
    Files.write(kept, damaged);
    assertArrayEquals(new float[] {2, 4, 6}, doubled(cache, remarks));
    assertEquals(2, standIn.compilations());
    assertTrue(remarks.stream().anyMatch(remark -> remark.contains("which is damaged: it is made again")), remarks::toString);
    assertTrue(remarks.stream().anyMatch(remark -> remark.startsWith("f is compiled for Stand-in (sm_80) by ")), remarks::toString);
    assertArrayEquals(whole, Files.readAllBytes(kept));
  }

  /// Weights are copied once, whatever the shapes of the inputs; what only the setup reads leaves the device.
  @Test
  void weightsAreOnTheDevice() throws IOException {
    byte[] header = "{\"layer.scale\":{\"dtype\":\"F32\",\"shape\":[3],\"data_offsets\":[0,12]}}".getBytes(StandardCharsets.UTF_8);
    ByteBuffer file = ByteBuffer.allocate(8 + header.length + 12).order(ByteOrder.LITTLE_ENDIAN);
    file.putLong(header.length).put(header).putFloat(1).putFloat(10).putFloat(100);
    Files.write(directory.resolve("scale.safetensors"), file.array());
    Path program = Files.writeString(directory.resolve("scale.ein"), """
        weights "scale.safetensors"
        def scale(X: f32[M, 3]) -> f32[M, 3] {
          weight W: f32[3] = "layer.scale"
          V[n] = exp(log(W[n]) * 2)
          Y[m, n] = X[m, n] * V[n] + W[n]
          return Y
        }
        """);
    try (Program scale = Einfall.compile(program, standIn.options())) {
      for (int rows = 1; rows < 4; rows++) {
        int before = standIn.copiesToDevice();
        float[] ones = new float[3 * rows];
        Arrays.fill(ones, 1);
        try (Tensor x = Tensor.of(ones, rows, 3); Tensor y = run(scale, Map.of("X", x))) {
          assertEquals(10100, y.floats()[3 * rows - 1], 1);
        }
        assertEquals(rows == 1 ? 2 : 1, standIn.copiesToDevice() - before, "the weight and the input, and then the input");
      }
    }
  }
}
