package dev.einfall.tests.runtime;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.einfall.ir.ElementType;
import dev.einfall.runtime.Einfall;
import dev.einfall.runtime.Npy;
import dev.einfall.runtime.Options;
import dev.einfall.runtime.Port;
import dev.einfall.runtime.Program;
import dev.einfall.runtime.Tensor;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// The policy's word `cache`: what decoders keep of keys and values from step to step is in a format.
class QuantizeCachesTest {
  private static final int HEADS = 3;
  private static final int PLACES = 24;
  private static final int WIDTH = 32;

  /// A step of a decoder whose cache has places for all rows.
  private static final String DECODE = """
      import std.attention
      import std.cache

      def main(q: f32[3, 1, 32], k: f32[3, 1, 32], v: f32[3, 1, 32], K: f32[3, N, 32], V: f32[3, N, 32], position: i64)
          -> (y: f32[3, 1, 32], keys: f32[3, N, 32], values: f32[3, N, 32]) {
        K = append(K, k, position)
        V = append(V, v, position)
        length[] = position[] + 1
        return attend(in_use(scores(q, K), length), V), K, V
      }
      """;

  @TempDir
  private Path directory;

  private CommandLineRun quantize(String program, String policy, String... more) throws IOException {
    return new QuantizedProgram(directory).run(program, policy, more);
  }

  private Path written(String program, String policy, String... more) throws IOException {
    return new QuantizedProgram(directory).written(program, policy, more);
  }

  /// What comes at a step.
  private static Map<String, Tensor> inputs(int step) {
    Map<String, Tensor> inputs = new LinkedHashMap<>();
    for (String name : List.of("q", "k", "v")) {
      inputs.put(name, Tensor.of(QuantizedNet.normal(HEADS * WIDTH, step * 3L + name.charAt(0)), HEADS, 1, WIDTH));
    }
    inputs.put("position", Tensor.of(new long[] {step}));
    return inputs;
  }

  /// Steps that start with empty caches and give them up to the next: `y` of each.
  ///
  /// @param places of the caches at first
  private static List<float[]> steps(Path file, int count, int places, Map<String, Long> bytes) {
    List<float[]> results = new ArrayList<>();
    try (Program program = Einfall.compile(file, Options.defaults().withWarmUp(false))) {
      Map<String, Tensor> caches = new LinkedHashMap<>();
      for (Port port : program.inputs()) {
        if (port.name().startsWith("K") || port.name().startsWith("V")) {
          long[] shape = port.shape().stream().mapToLong(size -> size.constant().orElse((long) places)).toArray();
          caches.put(port.name(), Tensor.zeros(port.type(), shape));
        }
      }
      for (int step = 0; step < count; step++) {
        Map<String, Tensor> inputs = inputs(step);
        inputs.keySet().retainAll(program.inputs().stream().map(Port::name).toList());
        inputs.putAll(caches);
        Map<String, Tensor> outputs = program.run(inputs, places > 1 ? Set.copyOf(caches.keySet()) : Set.of());
        results.add(outputs.get("y").floats());
        caches.keySet().forEach(name -> caches.put(name, outputs.get(name.replace("K", "keys").replace("V", "values"))));
      }
      caches.forEach((name, cache) -> bytes.put(name, cache.data().byteSize()));
      caches.values().forEach(Tensor::close);
    }
    return results;
  }

  private double difference(String program, String policy, int places, Map<String, Long> bytes) throws IOException {
    Path after = written(program, policy);
    List<float[]> was = steps(directory.resolve("step.ein"), 16, places, new LinkedHashMap<>());
    List<float[]> is = steps(after, 16, places, bytes);
    double most = 0;
    for (int i = 0; i < was.size(); i++) {
      most = Math.max(most, QuantizedNet.difference(was.get(i), is.get(i)));
    }
    return most;
  }

  @Test
  void stepsWithEncodedCachesAreNearThoseWithFloats() throws IOException {
    Map<String, Long> bytes = new LinkedHashMap<>();
    double eight = difference(DECODE, "cache=int8(group = 32)", PLACES, bytes);
    assertTrue(eight < 0.01, "difference " + eight);
    long rows = HEADS * PLACES;
    assertEquals(Map.of("K_scale", rows * 4, "K_code", rows * 32, "V_scale", rows * 4, "V_code", rows * 32), bytes);
    bytes.clear();
    double four = difference(DECODE, "cache=int4(group = 16)", PLACES, bytes);
    assertTrue(four > eight && four < 0.15, "difference " + four);
    assertEquals(Map.of("K_scale", rows * 8, "K_code", rows * 16, "V_scale", rows * 8, "V_code", rows * 16), bytes);
    assertTrue(difference(DECODE, "cache=asymmetric(bits = 4, group = 32)", PLACES, bytes) < 0.15);
    assertTrue(difference(DECODE, "cache=mxfp4", PLACES, bytes) < 0.3);
  }

  @Test
  void saysWhatWasDone() throws IOException {
    try (Tensor position = Tensor.of(new long[] {7})) {
      Npy.write(directory.resolve("position.npy"), position);
    }
    String text = Files.readString(written(DECODE, "cache=int8(group = channel)"));
    assertTrue(text.startsWith("# step.ein, quantized: weights as they are, caches int8(group = channel).\n"), text);
    assertTrue(text.contains("# The cache K is in int8(group = 32): a row takes 36 bytes, where it took 128.\n"), text);
    assertTrue(text.contains("k_scale, k_code = encode_int8(k, 32)\n"), text);
    assertTrue(text.contains("K = decode_int8(K_scale_1, K_code_1, 32)\n"), text);
    CommandLineRun run = quantize(DECODE, "cache=int8(group = 32)", "--in", "q=normal:3x1x32", "--in", "k=normal:3x1x32", "--in", "v=normal:3x1x32", "--in",
        "K=normal:3x16x32", "--in", "V=normal:3x16x32", "--in", "position=" + directory.resolve("position.npy"));
    assertTrue(run.out().contains("cache K: int8(group = 32), 128 bytes a row before, 36 after (28.1 %), as K_scale, K_code"), run.out());
    assertTrue(run.out().matches("(?s).*cosine similarity of 'y' on 3: mean (1\\.0000|0\\.999)\\d+.*"), run.out() + run.err());
  }

  @Test
  void oneOfTheCachesMayStay() throws IOException {
    Path file = written(DECODE, "cache=int8(group = 32)", "--keep", "K");
    try (Program program = Einfall.compile(file, Options.defaults())) {
      assertEquals(Set.of("q", "k", "v", "position", "K", "V_scale", "V_code"), new TreeSet<>(program.inputs().stream().map(Port::name).toList()));
      assertEquals(List.of("y", "keys", "values_scale", "values_code"), program.outputs().stream().map(Port::name).toList());
    }
  }

  @Test
  void namesOfPartsAreThoseOfNothingElse() throws IOException {
    Path file = written(DECODE.replace("position: i64)", "position: i64, K_scale: f32)").replace("-> (y: f32[3, 1, 32], keys", "-> (keys_code: f32[3, 1, 32], keys")
        .replace("return attend(in_use(scores(q, K), length), V), K, V", "Z = attend(in_use(scores(q, K), length), V)\n  y[h, p, d] = Z[h, p, d] * K_scale[]\n  return y, K, V"),
        "cache=int8(group = 32)");
    try (Program program = Einfall.compile(file, Options.defaults())) {
      assertEquals(Set.of("q", "k", "v", "position", "K_scale", "K_scale_1", "K_code", "V_scale", "V_code"),
          new TreeSet<>(program.inputs().stream().map(Port::name).toList()));
      assertEquals(List.of("keys_code", "keys_scale", "keys_code_1", "values_scale", "values_code"), program.outputs().stream().map(Port::name).toList());
    }
  }

  @Test
  void cachesThatGrowAreInTheFormat() throws IOException {
    String program = """
        import std.attention

        def main(q: f32[3, 1, 32], k: f32[3, 1, 32], v: f32[3, 1, 32], K: f32[3, N, 32], V: f32[3, N, 32])
            -> (y: f32[3, 1, 32], keys: f32[3, N + 1, 32], values: f32[3, N + 1, 32]) {
          K = concat(K, k, 1)
          V = concat(V, v, 1)
          return attention(q, K, V), K, V
        }
        """;
    Map<String, Long> bytes = new LinkedHashMap<>();
    double difference = difference(program, "cache=int8(group = 16)", 1, bytes);
    assertTrue(difference < 0.01, "difference " + difference);
    assertEquals(HEADS * 17L * 32, bytes.get("K_code"));
  }

  @Test
  void ringsOfHalvesThatLieTheOtherWayRoundAreInTheFormat() throws IOException {
    String program = """
        import std.cache
        import std.softmax

        def main(q: f32[3, 1, 32], k: f32[3, 1, 32], v: f32[3, 1, 32], K: f32[3, 32, N], V: f16[3, N, 32], position: i64)
            -> (y: f32[3, 32], keys: f32[3, 32, N], values: f16[3, N, 32], sums: f32[3, N]) {
          place[] = position[] % N
          K[h, e, place[]] := k[h, 0, e]
          half[h, p, e] = f16(v[h, p, e] * 2)
          V = append_ring(V, half, position)
          S[h, n] = sum[e](q[h, 0, e] * K[h, e, n]) / sqrt(32)
          A = softmax(S)
          y[h, e] = sum[n](A[h, n] * f32(V[h, n, e]))
          sums[h, n] = sum[e](f32(V[h, n, e]))
          return y, K, V, sums
        }
        """;
    Map<String, Long> bytes = new LinkedHashMap<>();
    double difference = difference(program, "cache=int8(group = 32)", 10, bytes);
    assertTrue(difference < 0.02, "difference " + difference);
    assertEquals(HEADS * 10L * 32, bytes.get("K_code"));
    assertEquals(HEADS * 10L * 4, bytes.get("V_scale"));
  }

  /// Rows under a condition, the cache before and after, and a cache that another one is started with.
  @Test
  void whatElseReadsACacheReadsWhatItIsDecodedTo() throws IOException {
    String program = """
        def main(k: f32[3, 1, 32], K: f32[3, N, 32], position: i64) -> (y: f32[3, 32], keys: f32[3, N, 32]) {
          old = K
          update K_1 from K {
            K_1[h, position[] + i64(p), e] = k[h, p, e] * 2 where position[] > 3
          }
          update C from K_1 {
            C[h, n, e] = sum[n, e](K_1[h, n, e])
          }
          y[h, e] = 1 + sum[n](old[h, n, e] + K_1[h, n, e] + C[h, n, e])
          return y, K_1
        }
        """;
    double difference = difference(program, "cache=int8(group = 32)", PLACES, new LinkedHashMap<>());
    assertTrue(difference < 0.01, "difference " + difference);
  }

  @Test
  void aProgramWithWeightsHasBoth() throws IOException {
    QuantizedNet.write(directory, QuantizedNet.ones(1, 1), QuantizedNet.ones(1, 1));
    String program = """
        weights "model.safetensors"

        def main(X: f32[96], K: f32[N, 96], position: i32) -> (y: f32[96], keys: f32[N, 96]) {
          weight W: f32[96, 96] = "first.weight"
          k[n] = X[m] * W[n, m]
          K[position[], n] := k[n]
          s[i] = sum[n](K[i, n] * W[0, n])
          y[n] = sum[i](K[i, n] * s[i])
          return y, K
        }
        """;
    String text = Files.readString(written(program, "w8,cache=int4(group = 32)"));
    assertTrue(text.contains("weight W: int8(group = 96)[96, 96]"), text);
    assertTrue(text.contains("K_code: u8[N, 48]"), text);
    String both = Files.readString(written(program, "w8a8,cache=int8(group = 32)"));
    assertTrue(both.contains("encode_int8(K, 96)"), both);
    try (Program compiled = Einfall.compile(directory.resolve("out").resolve("step.ein"), Options.defaults())) {
      assertEquals(ElementType.I8, compiled.outputs().getLast().type());
    }
  }

  @Test
  void refusesWhatCannotBe() throws IOException {
    assertError("cache 'K' has 32 elements along the rank that int4(group = 24) groups, and groups of 24 do not divide it; groups of 16 or 32 would",
        quantize(DECODE, "cache=int4(group = 24)"));
    assertError("the rows of the cache 'K' have E elements, of which the program does not say how many they are",
        quantize(DECODE.replace(", 32]", ", E]"), "cache=int4(group = 32)"));
    assertError("there is no cache in " + directory.resolve("step.ein") + ": no input of floats of which it replaces whole rows",
        quantize("def main(X: f32[N, 32], Y: f32[N, 32]) -> f32[N, 32] {\n  Z[n, d] = where(n < 3, X[n, d], Y[n, d])\n  return Z\n}\n", "cache=int8(group = 32)"));
    assertError("step.ein:2:3: error: the cache 'K' cannot be in a format: what is written here is not whole rows",
        quantize("def main(K: f32[32], x: f32) -> f32[32] {\n  K[3] := x[]\n  return K\n}\n", "cache=int8(group = 32)"));
    assertError("there is no format 'int9'", quantize(DECODE, "cache=int9(group = 32)"));
    assertError("expected a format behind cache=", quantize(DECODE, "cache"));
    assertError("there are no weights to quantize", quantize(DECODE, "w8"));
    CommandLineRun run = quantize(DECODE, "w4", "--keep", "*");
    assertFalse(run.exitCode() == 0);
  }

  private static void assertError(String expected, CommandLineRun run) {
    assertTrue(run.err().contains(expected), run.err());
    assertEquals(1, run.exitCode(), run.err());
  }
}
