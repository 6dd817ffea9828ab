package dev.einfall.tests.runtime;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.einfall.ir.CompileException;
import dev.einfall.passes.Numerics;
import dev.einfall.passes.Speeds;
import dev.einfall.passes.Step;
import dev.einfall.runtime.Einfall;
import dev.einfall.runtime.Options;
import dev.einfall.runtime.Program;
import dev.einfall.runtime.Tensor;
import dev.einfall.runtime.plans.PlanCache;
import java.io.IOException;
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
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Programs that were compiled before, by [Options#withCache].
class KeptProgramsTest {
  private static final String PROGRAM = """
      weights "layer.safetensors"
      def layer(X: f32[M, K]) -> f32[M, 19] {
        weight W: f32[K, 19] = "w"
        H[m, n] = sum[k](X[m, k] * W[k, n])
        Y[m, n] = exp(H[m, n] - max[n](H[m, n])) / %s
        return Y
      }
      """;
  private static final String TWO = PROGRAM.formatted("2.0");
  private static final int K = 5;
  private static final int N = 19;

  @TempDir
  private Path directory;
  private Path file;
  private Path cache;
  private final List<String> remarks = new ArrayList<>();
  private final List<Step> steps = new ArrayList<>();

  @BeforeEach
  void write() throws IOException {
    cache = directory.resolve("some/cache");
    file = Files.writeString(directory.resolve("layer.ein"), TWO);
    weights(1);
  }

  private void weights(float scale) throws IOException {
    weights(scale, K, N);
  }

  private void weights(float scale, int rows, int columns) throws IOException {
    int count = rows * columns;
    byte[] header = "{\"w\":{\"dtype\":\"F32\",\"shape\":[%d,%d],\"data_offsets\":[0,%d]}}".formatted(rows, columns, 4 * count)
        .getBytes(StandardCharsets.UTF_8);
    ByteBuffer bytes = ByteBuffer.allocate(8 + header.length + 4 * count).order(ByteOrder.LITTLE_ENDIAN);
    bytes.putLong(header.length).put(header);
    for (int i = 0; i < count; i++) {
      bytes.putFloat(scale * (i % 7 - 3));
    }
    Files.write(directory.resolve("layer.safetensors"), bytes.array());
  }

  private Options options() {
    return Options.defaults().withThreads(1).withWarmUp(false).withCache(Optional.of(cache))
        .withRemarks(remark -> {
          synchronized (remarks) {
            remarks.add(remark.message());
          }
        }).withSteps(step -> {
          synchronized (steps) {
            steps.add(step);
          }
        });
  }

  private float[] run(Options options) {
    return run(options, 3);
  }

  private float[] run(Options options, int m) {
    float[] x = new float[m * K];
    for (int i = 0; i < x.length; i++) {
      x[i] = i % 11 / 4f;
    }
    steps.clear();
    remarks.clear();
    try (Program program = Einfall.compile(file, options); Tensor input = Tensor.of(x, m, K);
        Tensor output = program.run(Map.of("X", input)).get("Y")) {
      return output.floats();
    }
  }

  private List<Path> plans() throws IOException {
    return files(".plan");
  }

  private List<Path> files(String ending) throws IOException {
    try (Stream<Path> files = Files.list(cache)) {
      return files.filter(kept -> kept.toString().endsWith(ending)).sorted().toList();
    }
  }

  private Path plan() throws IOException {
    assertEquals(1, plans().size(), plans().toString());
    return plans().getFirst();
  }

  /// Whether the last run found its program, and says so.
  private boolean wasFound() {
    boolean isTold = remarks.stream().anyMatch(remark -> remark.matches("layer is from .*\\.plan, as it was compiled before"));
    assertEquals(isTold, steps.isEmpty(), "passes run only where nothing is found");
    return isTold;
  }

  /// The same; or what was found was given up, as it says, since the JIT has made slower code of it this time: nobody knows what it does beside other tests.
  private boolean wasFoundOrRejectedByWarmUp() {
    return wasFound() || remarks.contains("layer is compiled again");
  }

  @Test
  void areFoundAndGiveTheSameResults() throws IOException {
    float[] without = run(options().withCache(Optional.empty()));
    assertFalse(Files.exists(cache));
    float[] first = run(options());
    assertFalse(wasFound());
    float[] second = run(options());
    assertTrue(wasFound(), remarks.toString());
    assertArrayEquals(without, first);
    assertArrayEquals(without, second);
    assertTrue(Files.size(plan()) > 1000);
  }

  @Test
  void areWarmedUpAndCheckedWhenTheyAreFound() {
    Options options = options().withWarmUp(true);
    float[] first = run(options);
    assertFalse(wasFound());
    assertArrayEquals(first, run(options));
    assertTrue(wasFoundOrRejectedByWarmUp(), remarks.toString());
  }

  @Test
  void holdNoWeights() throws IOException {
    float[] before = run(options());
    weights(0.5f);
    float[] now = run(options());
    assertTrue(wasFound(), remarks.toString());
    assertFalse(Arrays.equals(before, now));
    assertArrayEquals(run(options().withCache(Optional.empty())), now);
  }

  @Test
  void areOthersForOtherSizesAndOptions() throws IOException {
    run(options());
    List<Options> others = List.of(options().withNumerics(Numerics.STRICT), options().withThreads(2), options().withVectorBytes(16),
        options().without(Set.of("fuse-multiply-adds")), options().withWarmUp(true),
        options().withSpeeds(Optional.of(Speeds.usual()).map(usual -> new Speeds(usual.operations(), 1, usual.latency(), usual.gathered(), usual.tail(),
            usual.partOfRow(), usual.l1(), usual.l2(), usual.l3(), usual.memory(), usual.inTurn(), usual.oneStream(), usual.launch(), usual.meeting()))));
    for (int i = 0; i < others.size(); i++) {
      run(others.get(i));
      assertFalse(wasFound());
      assertEquals(i + 2, plans().size());
      run(others.get(i));
      assertTrue(wasFoundOrRejectedByWarmUp(), remarks.toString());
    }
    run(options(), 4);
    assertFalse(wasFound());
    run(options(), 3);
    assertTrue(wasFound());
  }

  @Test
  void areOthersForOtherPrograms() throws IOException {
    float[] two = run(options());
    Files.writeString(file, PROGRAM.formatted("4.0"));
    float[] four = run(options());
    assertFalse(wasFound());
    assertNotEquals(two[0], four[0]);
    Files.writeString(file, "# Code knows the lines of what it computes.\n" + TWO);
    run(options());
    assertFalse(wasFound());
    Files.writeString(file, TWO);
    assertArrayEquals(two, run(options()));
    assertTrue(wasFound());
  }

  @Test
  void areMadeAgainWhereTheyAreDamaged() throws IOException {
    float[] expected = run(options());
    byte[] good = Files.readAllBytes(plan());
    List<byte[]> damaged = new ArrayList<>(List.of(new byte[0], Arrays.copyOf(good, 100), Arrays.copyOf(good, good.length - 1),
        Arrays.copyOf(good, good.length + 1), "something else".repeat(1000).getBytes(StandardCharsets.UTF_8)));
    for (int place = 5; place < good.length; place += good.length / 4) {
      byte[] flipped = good.clone();
      flipped[place] ^= 4;
      damaged.add(flipped);
    }
    for (byte[] bytes : damaged) {
      Files.write(plan(), bytes);
      assertArrayEquals(expected, run(options()));
      assertFalse(wasFound());
      assertTrue(remarks.stream().anyMatch(remark -> remark.contains("ignored") && remark.endsWith("which is damaged: it is made again")), remarks.toString());
      assertArrayEquals(good, Files.readAllBytes(plan()), "what is made again is the same");
    }
    run(options());
    assertTrue(wasFound());
  }

  @Test
  void areReadAgainWhereTheirOutlinesAreDamaged() throws IOException {
    float[] expected = run(options());
    Path outline = files(".program").getFirst();
    byte[] good = Files.readAllBytes(outline);
    byte[] flipped = good.clone();
    flipped[good.length - 9] ^= 4;
    for (byte[] bytes : List.of(new byte[0], Arrays.copyOf(good, good.length - 1), flipped)) {
      Files.write(outline, bytes);
      assertArrayEquals(expected, run(options()));
      assertTrue(wasFound(), "the plan is good: " + remarks);
      assertTrue(remarks.contains("ignored " + outline + ", which is damaged: it is made again"), remarks.toString());
      assertArrayEquals(good, Files.readAllBytes(outline), "what is made again is the same");
    }
    Files.delete(outline);
    assertArrayEquals(expected, run(options()));
    assertTrue(wasFound(), remarks.toString());
    assertArrayEquals(good, Files.readAllBytes(outline));
  }

  @Test
  void areOthersWhereAnImportedFileIs() throws IOException {
    Path part = directory.resolve("part.ein");
    String halved = "def scaled(X: f32[M, N]) -> f32[M, N] {\n  Y[m, n] = X[m, n] * %s\n  return Y\n}\n";
    Files.writeString(part, halved.formatted("0.5"));
    Files.writeString(file, "import part\n" + TWO.replace("return Y", "Z = scaled(Y)\n  return Z").replace("return Y", "return Z"));
    float[] half = run();
    assertFalse(wasFound());
    assertArrayEquals(half, run());
    assertTrue(wasFound());
    Files.writeString(part, halved.formatted("0.25"));
    float[] quarter = run();
    assertFalse(wasFound());
    assertEquals(half[0] / 2, quarter[0], 1e-6);
    Files.writeString(part, halved.formatted("0.5"));
    assertArrayEquals(half, run());
    assertTrue(wasFound());
    Files.delete(part);
    assertThrows(CompileException.class, this::run);
  }

  private float[] run() {
    remarks.clear();
    steps.clear();
    float[] x = new float[3 * K];
    Arrays.fill(x, 0.5f);
    try (Program program = Einfall.compile(file, options()); Tensor input = Tensor.of(x, 3, K);
        Tensor output = program.run(Map.of("X", input)).values().iterator().next()) {
      return output.floats();
    }
  }

  @Test
  void tellOfWeightsWhatIsToldWithoutThem() throws IOException {
    run(options());
    Files.writeString(directory.resolve("layer.safetensors"), "nothing");
    CompileException without = assertThrows(CompileException.class, () -> run(options().withCache(Optional.empty())));
    assertEquals(without.getMessage(), assertThrows(CompileException.class, () -> run(options())).getMessage());
    weights(1, K, N + 1);
    without = assertThrows(CompileException.class, () -> run(options().withCache(Optional.empty())));
    assertEquals(without.getMessage(), assertThrows(CompileException.class, () -> run(options())).getMessage());
    weights(1, K + 1, N);
    IllegalArgumentException input = assertThrows(IllegalArgumentException.class, () -> run(options().withCache(Optional.empty())));
    assertEquals(input.getMessage(), assertThrows(IllegalArgumentException.class, () -> run(options())).getMessage());
    weights(1);
    run(options());
    assertTrue(wasFound());
  }

  @Test
  void areOthersForOtherFunctions() throws IOException {
    Files.writeString(file, TWO + TWO.substring(TWO.indexOf("def")).replace("layer", "other").replace("/ 2.0", "/ 4.0"));
    float[] last = run(options());
    float[] first = run(options().withFunction(Optional.of("layer")));
    assertFalse(wasFound());
    assertNotEquals(first[0], last[0]);
    assertArrayEquals(first, run(options().withFunction(Optional.of("layer"))));
    assertTrue(wasFound());
    assertArrayEquals(last, run(options()));
  }

  @Test
  void needNoPlace() throws IOException {
    Files.writeString(directory.resolve("a-file"), "");
    float[] result = run(options().withCache(Optional.of(directory.resolve("a-file"))));
    assertTrue(remarks.stream().anyMatch(remark -> remark.startsWith("cannot keep what was compiled in ")), remarks.toString());
    assertArrayEquals(run(options().withCache(Optional.empty())), result);
  }

  @Test
  void areNotKeptWhereKernelsAreTimed() {
    run(options().withLaunches((_, _) -> {}));
    assertFalse(Files.exists(cache));
  }

  @Test
  void areMadeAndFoundByManyThreadsAtOnce() throws Exception {
    float[] expected = run(options().withCache(Optional.empty()));
    List<Callable<float[]>> all = new ArrayList<>();
    for (int i = 0; i < 8; i++) {
      Options options = options().withSteps(_ -> {}).withRemarks(_ -> {});
      all.add(() -> {
        try (Program program = Einfall.compile(file, options); Tensor input = Tensor.of(new float[3 * K], 3, K);
            Tensor output = program.run(Map.of("X", input)).get("Y")) {
          return output.floats();
        }
      });
    }
    try (ExecutorService threads = Executors.newFixedThreadPool(4)) {
      for (Future<float[]> one : threads.invokeAll(all)) {
        assertEquals(expected.length, one.get().length);
      }
    }
    plan();
    assertArrayEquals(expected, run(options()));
    assertTrue(wasFound());
  }

  @Test
  void areMadeAndFoundByManyProcessesAtOnce() throws Exception {
    List<Process> processes = new ArrayList<>();
    for (int i = 0; i < 3; i++) {
      processes.add(new ProcessBuilder(Path.of(System.getProperty("java.home"), "bin", "java").toString(), "--add-modules", "jdk.incubator.vector",
          "-cp", System.getProperty("java.class.path"), dev.einfall.command.EinfallCommand.class.getName(), "run", file.toString(), "--in", "X=rand:3x5",
          "--cache", cache.toString(), "--threads", "1", "--tuning", "none").redirectErrorStream(true).start());
    }
    List<String> results = new ArrayList<>();
    for (Process process : processes) {
      String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
      assertEquals(0, process.waitFor(), output);
      results.add(output.lines().filter(line -> line.startsWith("Y: ")).findFirst().orElseThrow());
    }
    assertEquals(1, Set.copyOf(results).size());
    plan();
    CommandLineRun found = CommandLineRun.of("run", file.toString(), "--in", "X=rand:3x5", "--cache", cache.toString(), "--threads", "1",
        "--tuning", "none", "--remarks");
    // On a machine that has much to do, code that was found may seem slow, and is then made again.
    assertTrue(found.err().contains("layer is from ") || found.err().contains("layer is compiled again"), found.err());
    assertTrue(found.out().contains(results.getFirst()), found.out());
  }

  @Test
  void areNotUsedByCommandsThatMeasureCompilingUnlessAsked() {
    String[] bench = {"bench", file.toString(), "--in", "X=rand:3x5", "--runs", "1", "--seconds", "0.01", "--time-passes", "--cache", cache.toString()};
    assertTrue(CommandLineRun.of(Arrays.copyOf(bench, bench.length - 2)).out().contains("choose-mappings"));
    assertFalse(Files.exists(cache));
    assertTrue(CommandLineRun.of(bench).out().contains("choose-mappings"));
    assertTrue(CommandLineRun.of(bench).out().contains("no pass ran: the program was compiled before"));
  }

  @Test
  void areDeletedWhereTheyTakeTooMuch() throws IOException {
    List<Path> files = new ArrayList<>();
    for (int m = 1; m <= 3; m++) {
      run(options(), m);
      plans().stream().filter(plan -> !files.contains(plan)).toList().forEach(files::add);
      Files.setLastModifiedTime(files.getLast(), java.nio.file.attribute.FileTime.fromMillis(1000L * m));
    }
    run(options(), 1);
    assertTrue(wasFound(), "it is the last used now");
    Files.writeString(cache.resolve("of-another-kind"), "x".repeat(100_000));
    long bytes = 0;
    for (Path kept : Stream.concat(files.stream(), files(".program").stream()).toList()) {
      bytes += Files.size(kept);
    }
    PlanCache small = new PlanCache(cache, bytes - 1, problem -> {
      throw new AssertionError(problem);
    });
    small.makeRoom();
    assertEquals(Set.of(files.get(0), files.get(2)), Set.copyOf(plans()));
    assertTrue(Files.exists(cache.resolve("of-another-kind")));
    assertEquals(1, files(".program").size());
  }
}
