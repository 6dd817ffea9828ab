package dev.einfall.tests.runtime;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.einfall.ir.CompileException;
import dev.einfall.ir.Source;
import dev.einfall.passes.Step;
import dev.einfall.runtime.Einfall;
import dev.einfall.runtime.Options;
import dev.einfall.runtime.Program;
import dev.einfall.runtime.Tensor;
import dev.einfall.runtime.nativecode.CCompiler;
import dev.einfall.runtime.nativecode.Toolchain;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.Stream;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.api.parallel.Execution;
import org.junit.jupiter.api.parallel.ExecutionMode;

/// Programs that a C compiler makes machine code of.
@Execution(ExecutionMode.CONCURRENT)
class NativeCodeTest {
  private static final Source DOUBLED = new Source("doubled.ein", "def f(X: f32[N]) -> f32[N] {\n  Y[n] = 2.0 * X[n]\n  return Y\n}\n");
  private static final Source PICKED = new Source("picked.ein",
      "def f(X: f32[N], at: i32[M]) -> f32[M] {\n  Y[m] = X[at[m]]\n  return Y\n}\n");
  private static final Source DIVIDED = new Source("divided.ein",
      "def f(A: i32[N], B: i32[N]) -> i32[N] {\n  Y[n] = A[n] / B[n]\n  return Y\n}\n");
  /// A step reads all states of the step before it, so that threads share each step.
  private static final Source STEPS = new Source("steps.ein", """
      def f(X: f32[T, 256], W: f32[256, 256]) -> f32[256] {
        H[0, d in 0..256] = 0.0
        H[t + 1, d] = tanh(X[t, d] + sum[e](W[d, e] * H[t, e]))
        Y[d in 0..256] = H[T, d]
        return Y
      }
      """);

  @TempDir
  private Path directory;
  private final List<String> remarks = new ArrayList<>();

  @BeforeEach
  void requireCompiler() {
    Assumptions.assumeTrue(CCompiler.find("cc").isPresent(), "there is no C compiler here");
  }

  private Options options() {
    return Options.defaults().withBackend(Options.Backend.C).withThreads(2).withRemarks(diagnostic -> remarks.add(diagnostic.message()));
  }

  private static float[] doubled(Options options) {
    try (Program program = Einfall.compile(DOUBLED, options); Tensor x = Tensor.of(new float[] {1, 2, 3}, 3);
        Tensor y = program.run(Map.of("X", x)).get("Y")) {
      return y.floats();
    }
  }

  /// A compiler that counts how often it makes a library.
  private Toolchain counting() throws IOException {
    Path script = directory.resolve("counting-cc");
    Files.writeString(script, "#!/bin/sh\ncase \" $* \" in *' -shared '*) echo x >> \"" + directory.resolve("calls") + "\";; *) echo x >> \""
        + directory.resolve("questions") + "\";; esac\nexec cc \"$@\"\n");
    Files.setPosixFilePermissions(script, PosixFilePermissions.fromString("rwxr-xr-x"));
    return Toolchain.usual().withCompiler(script.toString());
  }

  private long calls() throws IOException {
    Path calls = directory.resolve("calls");
    return Files.exists(calls) ? Files.readAllLines(calls).size() : 0;
  }

  private Path kept(Path cache) throws IOException {
    try (Stream<Path> files = Files.list(cache)) {
      return files.filter(file -> file.toString().endsWith(".library")).findFirst().orElseThrow();
    }
  }

  @Test
  void runs() {
    assertArrayEquals(new float[] {2, 4, 6}, doubled(options()));
  }

  @Test
  void asksTheCompilerOnceWhatTheProcessorCanDo() throws IOException {
    doubled(options().withToolchain(counting()));
    assertEquals(1, Files.readAllLines(directory.resolve("questions")).size());
    doubled(options().withToolchain(counting()).withBackend(Options.Backend.AUTO));
    assertEquals(2, Files.readAllLines(directory.resolve("questions")).size());
  }

  @Test
  void aMissingCompilerIsAnErrorThatSaysWhatToDo() {
    CompileException error = assertThrows(CompileException.class, () -> doubled(options().withToolchain(Toolchain.usual().withCompiler("no-such-cc"))));
    assertTrue(error.getMessage().contains("the backend c needs a C compiler, but the command no-such-cc cannot be run: install gcc or clang"),
        error.getMessage());
  }

  @Test
  void whoeverNamesAToolchainGetsItOrBytecode() {
    Options automatic = options().withBackend(Options.Backend.AUTO);
    assertArrayEquals(new float[] {2, 4, 6}, doubled(automatic.withToolchain(Toolchain.usual().withCompiler("no-such-cc"))));
    assertEquals(List.of("compiling to bytecode, as the C compiler no-such-cc cannot be run"),
        remarks.stream().filter(remark -> remark.contains("bytecode")).toList());
    assertArrayEquals(new float[] {2, 4, 6}, doubled(automatic.withToolchain(Toolchain.usual().withTarget("portable"))));
  }

  @Test
  void refusesTargetsOfOtherMachines() {
    boolean isArm = CCompiler.require("cc").macros().contains("__aarch64__");
    CompileException error = assertThrows(CompileException.class,
        () -> doubled(options().withToolchain(Toolchain.usual().withTarget(isArm ? "avx2" : "neon"))));
    assertTrue(error.getMessage().contains("does not run on this machine"), error.getMessage());
    error = assertThrows(CompileException.class, () -> doubled(options().withToolchain(Toolchain.usual().withTarget("avx3"))));
    assertTrue(error.getMessage().contains("unknown target avx3; there are portable, neon, neon-dot, avx2"), error.getMessage());
  }

  @Test
  void keepsLibraries() throws IOException {
    Path cache = directory.resolve("cache");
    Options options = options().withToolchain(counting()).withThreads(1).withCache(Optional.of(cache));
    assertArrayEquals(new float[] {2, 4, 6}, doubled(options));
    assertEquals(1, calls());
    assertArrayEquals(new float[] {2, 4, 6}, doubled(options));
    assertEquals(1, calls());
    doubled(options.withToolchain(counting().withFlags(List.of("-O1"))));
    assertEquals(2, calls());
    doubled(options.withToolchain(counting().withTarget("portable")));
    assertEquals(3, calls());
  }

  @Test
  void keepsPlans() throws IOException {
    Path cache = directory.resolve("cache");
    List<Step> steps = new ArrayList<>();
    Options options = options().withToolchain(counting()).withThreads(1).withCache(Optional.of(cache)).withSteps(steps::add);
    assertArrayEquals(new float[] {2, 4, 6}, doubled(options));
    assertFalse(steps.isEmpty());
    steps.clear();
    assertArrayEquals(new float[] {2, 4, 6}, doubled(options));
    assertTrue(steps.isEmpty(), "no pass runs");
    assertTrue(remarks.stream().anyMatch(remark -> remark.contains("as it was compiled before")), remarks::toString);
    Files.delete(kept(cache));
    assertArrayEquals(new float[] {2, 4, 6}, doubled(options));
    assertFalse(steps.isEmpty());
    assertEquals(2, calls());
    steps.clear();
    doubled(options.withBackend(Options.Backend.JVM).withWarmUp(false));
    assertFalse(steps.isEmpty(), "bytecode is kept by itself");
  }

  @Test
  void keptPlansHaveAllThatKernelsHave() {
    Options options = options().withCache(Optional.of(directory.resolve("cache")));
    float[] x = new float[40 * 256];
    float[] w = new float[256 * 256];
    Arrays.fill(x, 0.1f);
    Arrays.fill(w, 0.001f);
    assertArrayEquals(steps(x, w, options), steps(x, w, options));
    for (int i = 0; i < 2; i++) {
      try (Program program = Einfall.compile(PICKED, options); Tensor values = Tensor.of(new float[] {1, 2, 3}, 3); Tensor at = Tensor.of(new int[] {0, 3}, 2)) {
        assertEquals("picked.ein:2:3: index 1 of X must be in 0..2 but is 3",
            assertThrows(IllegalArgumentException.class, () -> program.run(Map.of("X", values, "at", at))).getMessage());
      }
    }
    assertEquals(2, remarks.stream().filter(remark -> remark.contains("as it was compiled before")).count(), remarks::toString);
  }

  @Test
  void makesDamagedLibrariesAgain() throws IOException {
    Path cache = directory.resolve("cache");
    Options options = options().withToolchain(counting()).withThreads(1).withCache(Optional.of(cache));
    doubled(options);
    byte[] library = Files.readAllBytes(kept(cache));
    for (int length : new int[] {0, 100, library.length / 2, library.length}) {
      byte[] damaged = Arrays.copyOf(library, length);
      if (length > 2000) {
        damaged[length - 1000] ^= 1;
      }
      Files.write(kept(cache), damaged);
      long before = calls();
      assertArrayEquals(new float[] {2, 4, 6}, doubled(options));
      assertEquals(before + 1, calls());
      assertTrue(remarks.removeIf(remark -> remark.contains("which is damaged: it is made again")), remarks::toString);
      assertArrayEquals(library, Files.readAllBytes(kept(cache)));
    }
  }

  @Test
  void manyMayKeepTheSameAtATime() throws Exception {
    Options options = options().withCache(Optional.of(directory.resolve("cache")));
    try (ExecutorService threads = Executors.newFixedThreadPool(4)) {
      List<Callable<float[]>> tasks = List.of(() -> doubled(options), () -> doubled(options), () -> doubled(options), () -> doubled(options));
      for (Future<float[]> result : threads.invokeAll(tasks)) {
        assertArrayEquals(new float[] {2, 4, 6}, result.get());
      }
    }
  }

  @Test
  void dataAtFaultIsAnErrorAsInBytecode() {
    for (Options.Backend backend : List.of(Options.Backend.C, Options.Backend.JVM)) {
      try (Program program = Einfall.compile(PICKED, options().withBackend(backend).withWarmUp(false)); Tensor x = Tensor.of(new float[] {1, 2, 3}, 3);
          Tensor at = Tensor.of(new int[] {0, 3}, 2)) {
        IllegalArgumentException error = assertThrows(IllegalArgumentException.class, () -> program.run(Map.of("X", x, "at", at)));
        assertEquals("picked.ein:2:3: index 1 of X must be in 0..2 but is 3", error.getMessage(), backend.name());
      }
      try (Program program = Einfall.compile(DIVIDED, options().withBackend(backend).withWarmUp(false)); Tensor a = Tensor.of(new int[] {7, Integer.MIN_VALUE}, 2);
          Tensor b = Tensor.of(new int[] {-2, -1}, 2); Tensor zero = Tensor.of(new int[] {1, 0}, 2)) {
        try (Tensor y = program.run(Map.of("A", a, "B", b)).get("Y")) {
          assertArrayEquals(new int[] {-4, Integer.MIN_VALUE}, y.ints());
        }
        IllegalArgumentException error = assertThrows(IllegalArgumentException.class, () -> program.run(Map.of("A", a, "B", zero)));
        assertEquals("the divisor of an integer division must not be 0", error.getMessage(), backend.name());
      }
    }
  }

  @Test
  void threadsShareTheStepsOfARecurrence() throws Exception {
    float[] x = new float[40 * 256];
    float[] w = new float[256 * 256];
    for (int i = 0; i < x.length; i++) {
      x[i] = (float) Math.sin(i);
    }
    for (int i = 0; i < w.length; i++) {
      w[i] = (float) Math.cos(i) / 16;
    }
    float[] expected = steps(x, w, options().withBackend(Options.Backend.JVM).withWarmUp(false).withThreads(1));
    try (ExecutorService threads = Executors.newFixedThreadPool(3)) {
      List<Callable<float[]>> tasks = List.of(() -> steps(x, w, options()), () -> steps(x, w, options()), () -> steps(x, w, options()));
      for (Future<float[]> result : threads.invokeAll(tasks)) {
        assertArrayEquals(expected, result.get(), 1e-4f);
      }
    }
  }

  private static float[] steps(float[] x, float[] w, Options options) {
    try (Program program = Einfall.compile(STEPS, options); Tensor inputs = Tensor.of(x, 40, 256); Tensor weights = Tensor.of(w, 256, 256);
        Tensor y = program.run(Map.of("X", inputs, "W", weights)).get("Y")) {
      return y.floats();
    }
  }
}
