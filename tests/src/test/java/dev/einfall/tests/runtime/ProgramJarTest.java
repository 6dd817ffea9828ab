package dev.einfall.tests.runtime;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.einfall.runtime.Einfall;
import dev.einfall.runtime.Options;
import dev.einfall.runtime.Program;
import dev.einfall.runtime.ProgramJar;
import dev.einfall.runtime.Tensor;
import dev.einfall.runtime.launch.ArchivedPlan;
import java.io.File;
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
import java.util.jar.JarFile;
import java.util.stream.Collectors;
import javax.tools.ToolProvider;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.api.parallel.Execution;
import org.junit.jupiter.api.parallel.ExecutionMode;

/// Programs that are compiled ahead of time, each in a JVM that has its jar on the class path, and nothing else of Einfall.
@Execution(ExecutionMode.CONCURRENT)
class ProgramJarTest {
  private static final String[] FLAGS = {"--add-modules", "jdk.incubator.vector", "--enable-native-access=ALL-UNNAMED"};
  private static final String LAYER = """
      weights "layer.safetensors"
      def layer(X: f32[M, 37]) -> f32[M, 19] {
        weight W: f32[37, 19] = "w"
        H[m, n] = sum[k](X[m, k] * W[k, n])
        Y[m, n] = exp(H[m, n] / 100.0 - max[n](H[m, n] / 100.0))
        return Y
      }
      """;
  private static final String LOOK_UP = """
      def look_up(ids: i64[T, 64], W: f32[V]) -> f32[64] {
        update S: f32[64] from 0.0, H: f32[64] from 0.0 for t in 0..T {
          S[m] = W[ids[t, m]] + H[63 - m]
          H[n] = S[n] * 0.5
        }
        map S { parallel m }
        return H
      }
      """;
  private static final String CACHE = """
      def step(cache: f32[M, D], key: f32[D], position: i32) -> (cache: f32[M, D], f32[D]) {
        cache[position[], d] := key[d]
        total[d] = sum[m](cache[m, d])
        return cache, total
      }
      """;

  @TempDir
  private Path directory;

  private Path write(String text) throws IOException {
    return Files.writeString(directory.resolve("program.ein"), text);
  }

  private Options options(int threads) {
    return Options.defaults().withThreads(threads).withWarmUp(false).withRemarks(_ -> {});
  }

  private Path jar(String text, Map<String, Long> sizes, String className) throws IOException {
    Path jar = directory.resolve(className + ".jar");
    assertEquals(className, ProgramJar.write(write(text), options(2), sizes, Optional.of(className), jar));
    return jar;
  }

  /// What a program prints that has `statements`, and `jars` on its class path.
  private String run(String statements, String[] flags, Path... jars) throws IOException, InterruptedException {
    Path source = Files.writeString(directory.resolve("Main.java"), """
        import java.util.Arrays;
        import java.lang.foreign.*;

        public class Main {
          static float[] floats(int count) {
            float[] values = new float[count];
            for (int i = 0; i < count; i++) {
              values[i] = i * 37 % 101 / 25f - 2;
            }
            return values;
          }

          static void refused(Runnable action) {
            try {
              action.run();
              System.out.println("accepted");
            } catch (RuntimeException e) {
              System.out.println(e.getClass().getSimpleName() + ": " + e.getMessage());
            }
          }

          public static void main(String[] arguments) throws Exception {
            STATEMENTS
          }
        }
        """.replace("STATEMENTS", statements));
    String classPath = Arrays.stream(jars).map(Path::toString).collect(Collectors.joining(File.pathSeparator));
    assertEquals(0, ToolProvider.getSystemJavaCompiler()
        .run(null, null, null, "-d", directory.toString(), "-cp", classPath, source.toString()));
    List<String> command = new ArrayList<>(List.of(Path.of(System.getProperty("java.home"), "bin", "java").toString()));
    command.addAll(List.of(flags));
    command.addAll(List.of("-cp", directory + File.pathSeparator + classPath, "Main"));
    Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
    String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertEquals(0, process.waitFor(), output);
    return output.lines().filter(line -> !line.startsWith("WARNING: Using incubator modules")).collect(Collectors.joining("\n"));
  }

  private static float[] floats(int count) {
    float[] values = new float[count];
    for (int i = 0; i < count; i++) {
      values[i] = i * 37 % 101 / 25f - 2;
    }
    return values;
  }

  private void weights() throws IOException {
    float[] values = floats(37 * 19);
    byte[] header = "{\"w\":{\"dtype\":\"F32\",\"shape\":[37,19],\"data_offsets\":[0,%d]}}".formatted(4 * values.length)
        .getBytes(StandardCharsets.UTF_8);
    ByteBuffer bytes = ByteBuffer.allocate(8 + header.length + 4 * values.length).order(ByteOrder.LITTLE_ENDIAN);
    bytes.putLong(header.length).put(header);
    for (float value : values) {
      bytes.putFloat(value);
    }
    Files.write(directory.resolve("layer.safetensors"), bytes.array());
  }

  /// The results of the ordinary program, line by line.
  private String expected(String text, Map<String, Tensor> inputs) throws IOException {
    try (Program program = Einfall.compile(write(text), options(2))) {
      return program.run(inputs, Set.of()).values().stream().map(tensor -> Arrays.toString(tensor.floats()))
          .collect(Collectors.joining("\n"));
    }
  }

  @Test
  void aProgramWithWeightsGivesTheSameBits() throws IOException, InterruptedException {
    weights();
    Path jar = jar(LAYER, Map.of("M", 5L), "com.example.Layer");
    String expected = expected(LAYER, Map.of("X", Tensor.of(floats(5 * 37), 5, 37)));
    // The weights are in the jar.
    Files.delete(directory.resolve("layer.safetensors"));
    assertEquals(expected + "\n" + expected, run("""
        try (var layer = com.example.Layer.load(2)) {
          System.out.println(Arrays.toString(layer.run(floats(5 * 37))));
          try (Arena arena = Arena.ofConfined()) {
            MemorySegment y = arena.allocate(5 * 19 * 4, 64);
            layer.run(MemorySegment.ofArray(floats(5 * 37)), y);
            System.out.println(Arrays.toString(y.toArray(ValueLayout.JAVA_FLOAT)));
          }
        }
        """, FLAGS, jar));
  }

  @Test
  void withoutTheModuleItRunsWithoutVectorsAndSaysSo() throws IOException, InterruptedException {
    weights();
    Path jar = jar(LAYER, Map.of("M", 5L), "com.example.Layer");
    String output = run("""
        try (var layer = com.example.Layer.load(1, false)) {
          System.out.println(Arrays.toString(layer.run(floats(5 * 37))));
        }
        """, new String[] {"--enable-native-access=ALL-UNNAMED"}, jar);
    assertTrue(output.contains("runs without vectors, many times slower: start java with --add-modules jdk.incubator.vector"), output);
    String expected = expected(LAYER, Map.of("X", Tensor.of(floats(5 * 37), 5, 37)));
    assertEquals(expected, output.lines().filter(line -> line.startsWith("[")).findFirst().orElse(output));
  }

  @Test
  void onAProcessorWithNarrowerVectorsItRunsWithoutVectorsAndSaysSo() throws IOException, InterruptedException {
    assumeTrue(System.getProperty("os.arch").equals("amd64"));
    weights();
    Path jar = directory.resolve("layer.jar");
    Options wide = options(1).withVectorBytes(32);
    ProgramJar.write(write(LAYER), wide, Map.of("M", 5L), Optional.of("com.example.Layer"), jar);
    String output = run("""
        try (var layer = com.example.Layer.load(1, false)) {
          System.out.println(layer.run(floats(5 * 37)).length);
        }
        """, new String[] {FLAGS[0], FLAGS[1], FLAGS[2], "-XX:MaxVectorSize=16"}, jar);
    assertTrue(output.contains("was compiled for vectors of 32 bytes, and this processor has 16: it runs without"), output);
    assertTrue(output.endsWith("95"), output);
  }

  @Test
  void threadsShareTheStepsOfARecurrenceAndFaultsAreTheCallers() throws IOException, InterruptedException {
    Path jar = jar(LOOK_UP, Map.of("T", 60L, "V", 96L), "com.example.LookUp");
    long[] ids = new long[60 * 64];
    Arrays.setAll(ids, i -> i * 31 % 96);
    String expected = expected(LOOK_UP, Map.of("ids", Tensor.of(ids, 60, 64), "W", Tensor.of(floats(96), 96)));
    String output = run("""
        long[] ids = new long[60 * 64];
        Arrays.setAll(ids, i -> i * 31 % 96);
        try (var program = com.example.LookUp.load(2)) {
          System.out.println(Arrays.toString(program.run(ids, floats(96))));
          refused(() -> program.run(ids, floats(95)));
          ids[7] = 96;
          refused(() -> program.run(ids, floats(96)));
          ids[7] = 0;
          Thread[] threads = new Thread[4];
          boolean[] differ = new boolean[4];
          float[] once = program.run(ids, floats(96));
          for (int t = 0; t < 4; t++) {
            int index = t;
            threads[t] = Thread.ofPlatform().start(() -> {
              for (int i = 0; i < 50; i++) {
                differ[index] |= !Arrays.equals(once, program.run(ids, floats(96)));
              }
            });
          }
          for (Thread thread : threads) {
            thread.join();
          }
          System.out.println(Arrays.toString(differ));
          program.close();
          refused(() -> program.run(ids, floats(96)));
        }
        """, FLAGS, jar);
    List<String> lines = output.lines().toList();
    assertEquals(expected, lines.get(0));
    assertEquals("IllegalArgumentException: 'W' is f32[96], compiled ahead of time: expected 96 elements, not 95", lines.get(1));
    assertTrue(lines.get(2).startsWith("IllegalArgumentException: ") && lines.get(2).contains("96"), output);
    assertEquals("[false, false, false, false]", lines.get(3));
    assertEquals("IllegalStateException: the program look_up is closed", lines.get(4));
  }

  @Test
  void stateIsCopiedOrChangedInPlace() throws IOException, InterruptedException {
    Path jar = jar(CACHE, Map.of("M", 6L, "D", 21L), "com.example.Step");
    Map<String, Tensor> inputs = Map.of("cache", Tensor.of(floats(6 * 21), 6, 21), "key", Tensor.of(floats(21), 21),
        "position", Tensor.of(new int[] {3}));
    String expected = expected(CACHE, inputs);
    String output = run("""
        try (var program = com.example.Step.load(1, false); Arena arena = Arena.ofConfined()) {
          float[] cache = floats(6 * 21);
          com.example.Step.Outputs outputs = program.run(cache, floats(21), new int[] {3});
          System.out.println(Arrays.toString(outputs.cache()));
          System.out.println(Arrays.toString(outputs.total()));
          System.out.println(Arrays.equals(cache, floats(6 * 21)));
          MemorySegment state = arena.allocate(6 * 21 * 4, 64).copyFrom(MemorySegment.ofArray(cache));
          MemorySegment key = MemorySegment.ofArray(floats(21));
          MemorySegment position = MemorySegment.ofArray(new int[] {3});
          MemorySegment total = arena.allocate(21 * 4);
          program.run(state, key, position, state, total);
          System.out.println(Arrays.toString(state.toArray(ValueLayout.JAVA_FLOAT)));
          System.out.println(Arrays.toString(total.toArray(ValueLayout.JAVA_FLOAT)));
          refused(() -> program.run(state, key, position, state, state.asSlice(0, 21 * 4)));
          refused(() -> program.run(state, key, position, state, total.asReadOnly()));
          refused(() -> program.run(state, key, position, state, total.asSlice(4)));
        }
        """, FLAGS, jar);
    assertEquals(expected + "\ntrue\n" + expected + """

        IllegalArgumentException: the memory for 'total' overlaps that of 'cache'
        IllegalArgumentException: the memory for 'total' is read-only
        IllegalArgumentException: 'total' is f32[21], compiled ahead of time: expected 84 bytes, not 80""", output);
  }

  @Test
  void everyTypeHasAnArrayAndNamesAreThoseOfJava() throws IOException, InterruptedException {
    String text = """
        def types(class: f64[3], a: i8[3], b: u8[3], c: i16[3], d: i64[3], e: bool[3], h: f16[3], k: bf16[3])
            -> (f64[3], i8[3], u8[3], i16[3], i64[3], bool[3], f16[3], bf16[3]) {
          wait[i in 0..3] = class[2 - i]
          A[i in 0..3] = a[2 - i]
          B[i in 0..3] = b[2 - i]
          C[i in 0..3] = c[2 - i]
          D[i in 0..3] = d[2 - i]
          E[i in 0..3] = e[2 - i]
          H[i in 0..3] = h[2 - i]
          K[i in 0..3] = k[2 - i]
          return wait, A, B, C, D, E, H, K
        }
        """;
    Path jar = jar(text, Map.of(), "com.example.Types");
    assertEquals("[3.0, 2.0, 1.0] [3, 2, -1] [3, 2, -1] [3, 2, -1] [3, 2, -1] [true, false, false] [3, 2, 1] [3, 2, 1]", run("""
        try (var program = com.example.Types.load(1, false)) {
          var all = program.run(new double[] {1, 2, 3}, new byte[] {-1, 2, 3}, new byte[] {-1, 2, 3}, new short[] {-1, 2, 3},
              new long[] {-1, 2, 3}, new boolean[] {false, false, true}, new short[] {1, 2, 3}, new short[] {1, 2, 3});
          System.out.println(Arrays.toString(all._wait()) + " " + Arrays.toString(all.A()) + " " + Arrays.toString(all.B()) + " "
              + Arrays.toString(all.C()) + " " + Arrays.toString(all.D()) + " " + Arrays.toString(all.E()) + " " + Arrays.toString(all.H()) + " "
              + Arrays.toString(all.K()));
        }
        """, FLAGS, jar));
  }

  @Test
  void twoJarsAreAtPeaceAndHoldNothingOfTheCompiler() throws IOException, InterruptedException {
    weights();
    Path one = jar(LAYER, Map.of("M", 5L), "com.example.Layer");
    Path two = jar(LOOK_UP, Map.of("T", 3L, "V", 96L), "com.example.LookUp");
    try (JarFile jar = new JarFile(one.toFile())) {
      List<String> names = jar.stream().map(Object::toString).toList();
      assertTrue(names.containsAll(List.of("com/example/Layer.class", "com/example/Layer.java")), names.toString());
      assertTrue(names.stream().allMatch(name -> name.startsWith("com/example/") || name.startsWith("META-INF/")), names.toString());
      assertFalse(names.stream().anyMatch(name -> name.matches(".*/(passes|frontend|reference|kernel|cascade|loop|plans|tuning)/.*")), names.toString());
      assertTrue(names.size() < 65, names.toString());
    }
    assertEquals("19 64", run("""
        try (var layer = com.example.Layer.load(1, false); var program = com.example.LookUp.load(1, false)) {
          System.out.println(layer.run(floats(5 * 37)).length / 5 + " " + program.run(new long[3 * 64], floats(96)).length);
        }
        """, FLAGS, one, two));
  }

  @Test
  void thePlanReadsBack() throws IOException {
    Path file = jar(CACHE, Map.of("M", 6L, "D", 21L), "com.example.Step");
    try (JarFile jar = new JarFile(file.toFile())) {
      String text = new String(jar.getInputStream(jar.getEntry("com/example/einfall_step/plan")).readAllBytes(), StandardCharsets.UTF_8);
      ArchivedPlan plan = ArchivedPlan.read(text);
      assertEquals(text, plan.print());
      assertEquals(0, plan.outputs().getFirst().start());
    }
  }

  @Test
  void theSameProgramGivesTheSameJar() throws IOException {
    weights();
    byte[] first = Files.readAllBytes(jar(LAYER, Map.of("M", 5L), "com.example.Layer"));
    assertTrue(Arrays.equals(first, Files.readAllBytes(jar(LAYER, Map.of("M", 5L), "com.example.Layer"))));
  }

  @Test
  void aDamagedJarIsRefused() throws IOException, InterruptedException {
    weights();
    Path jar = jar(LAYER, Map.of("M", 5L), "com.example.Layer");
    byte[] bytes = Files.readAllBytes(jar);
    // The constants come last, and are not compressed.
    int end = new String(bytes, StandardCharsets.ISO_8859_1).indexOf("PK\u0001\u0002");
    bytes[end - 100] ^= 1;
    Files.write(jar, bytes);
    assertEquals("IllegalStateException: the constants in the jar of com.example.Layer are damaged",
        run("refused(() -> com.example.Layer.load(1, false));", FLAGS, jar));
  }

  @Test
  void mistakesOnTheCommandLineAreNamed() throws IOException {
    Path file = write(LOOK_UP);
    String jar = directory.resolve("a.jar").toString();
    wrong("code depends on sizes: give a number for each of [T, V]", "-o", jar);
    wrong("--as jar needs a file to write: -o NAME.jar", "--size", "T=3", "--size", "V=9");
    wrong("'LookUp' is not the name of a class in a package of yours, such as com.example.MiniLm", "--size", "T=3", "--size", "V=9", "-o", jar,
        "--class", "LookUp");
    wrong("'com.new.LookUp' is not the name of a class", "--size", "T=3", "--size", "V=9", "-o", jar, "--class", "com.new.LookUp");
    wrong("cannot write " + directory.resolve("none/a.jar") + ": there is no directory " + directory.resolve("none"), "--size", "T=3", "--size",
        "V=9", "-o", directory.resolve("none/a.jar").toString());
    CommandLineRun run = CommandLineRun.of("emit", file.toString(), "--as", "jar", "--size", "T=3", "--size", "V=9", "-o", jar);
    assertEquals(jar + ": class lookup.LookUp\n", run.out(), run.err());
  }

  private void wrong(String message, String... arguments) {
    List<String> all = new ArrayList<>(List.of("emit", directory.resolve("program.ein").toString(), "--as", "jar"));
    all.addAll(List.of(arguments));
    CommandLineRun run = CommandLineRun.of(all.toArray(String[]::new));
    assertEquals(1, run.exitCode(), run.err());
    assertTrue(run.err().contains(message), run.err());
  }
}
