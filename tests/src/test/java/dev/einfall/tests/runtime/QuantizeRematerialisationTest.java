package dev.einfall.tests.runtime;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.einfall.frontend.weights.SafetensorsWriter;
import dev.einfall.frontend.weights.StoredTensor;
import dev.einfall.ir.ElementType;
import dev.einfall.runtime.Einfall;
import dev.einfall.runtime.Options;
import dev.einfall.runtime.Port;
import dev.einfall.runtime.Program;
import dev.einfall.runtime.Tensor;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.Collectors;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// The policy's word `rematerialise`: caches hold what keys and values are computed of.
class QuantizeRematerialisationTest {
  private static final int PLACES = 24;

  /// A step of a decoder, with what stands between the products and the caches in place of `BETWEEN`, and what stands in place of `APPEND`.
  private static final String DECODE = """
      import std.attention
      import std.cache
      import std.norm

      weights "model.safetensors"

      def main(x: f32[1, 64], K: f32[4, N, 16], V: f32[4, N, 16], position: i64)
          -> (y: f32[4, 1, 16], keys: f32[4, N, 16], values: f32[4, N, 16]) {
        weight gamma: f32[64] = "gamma"
        weight Q: f32[64, 64] = "Q"
        weight A: f32[64, 64] = "A"
        weight B: f32[64, 64] = "B"
        weight bias: f32[64] = "bias"
        n = rms_norm(x, gamma, 1e-5)
        q0[p, i] = n[p, d] * Q[d, i]
        k0[p, i] = sum[d](n[p, d] * A[d, i]) + bias[i]
        v0[p, i] = n[p, d] * B[d, i]
        q = transpose(reshape(q0, [1, 4, 16]), [1, 0, 2])
        k = transpose(reshape(k0, [1, 4, 16]), [1, 0, 2])
        v = transpose(reshape(v0, [1, 4, 16]), [1, 0, 2])
        BETWEEN
        K = append(K, k, position)
        V = append(V, v, position)
        length[] = position[] + 1
        return attend(in_use(scores(q, K), length), V), K, V
      }
      """;

  @TempDir
  private Path directory;

  @BeforeEach
  void writeTheWeights() throws IOException {
    List<StoredTensor> weights = new ArrayList<>(List.of(vector("gamma", 1), vector("bias", 2)));
    for (String key : List.of("Q", "A", "B")) {
      float[] values = QuantizedNet.normal(64 * 64, key.charAt(0));
      for (int i = 0; i < values.length; i++) {
        values[i] /= 8;
      }
      weights.add(QuantizedNet.stored(key, values, 64, 64));
      weights.add(QuantizedNet.stored(key + ".narrow", Arrays.copyOf(values, 64 * 16), key.equals("Q") ? 64 : 16, key.equals("Q") ? 16 : 64));
    }
    SafetensorsWriter.write(directory.resolve("model.safetensors"), weights);
  }

  private static StoredTensor vector(String key, long seed) {
    return new StoredTensor(key, ElementType.F32, List.of(64L), MemorySegment.ofArray(QuantizedNet.normal(64, seed)));
  }

  private static String program(String between) {
    return DECODE.replace("  BETWEEN\n", between);
  }

  private CommandLineRun quantize(String program, String policy, String... more) throws IOException {
    return new QuantizedProgram(directory).run(program, policy, more);
  }

  private Path written(String program, String policy, String... more) throws IOException {
    return new QuantizedProgram(directory).written(program, policy, more);
  }

  /// Steps that start with empty caches: `y` of each.
  ///
  /// @param bytes of the caches at the end, by input
  private static List<float[]> steps(Path file, int places, Map<String, Long> bytes) {
    List<float[]> results = new ArrayList<>();
    try (Program program = Einfall.compile(file, Options.defaults().withWarmUp(false))) {
      List<Port> caches = program.inputs().stream().filter(port -> !List.of("x", "position").contains(port.name())).toList();
      List<String> outputs = program.outputs().stream().map(Port::name).filter(name -> !name.equals("y")).toList();
      assertEquals(caches.size(), outputs.size());
      List<Tensor> now = new ArrayList<>(caches.stream().map(port -> Tensor.zeros(port.type(), port.shape().stream().mapToLong(size -> size.constant().orElse((long) places)).toArray())).toList());
      for (int step = 0; step < 16; step++) {
        Map<String, Tensor> inputs = new LinkedHashMap<>();
        inputs.put("x", Tensor.of(QuantizedNet.normal(64, step), 1, 64));
        inputs.put("position", Tensor.of(new long[] {step}));
        inputs.keySet().retainAll(program.inputs().stream().map(Port::name).toList());
        for (int i = 0; i < caches.size(); i++) {
          inputs.put(caches.get(i).name(), now.get(i));
        }
        Map<String, Tensor> all = program.run(inputs);
        results.add(all.get("y").floats());
        inputs.values().forEach(Tensor::close);
        now = new ArrayList<>(outputs.stream().map(all::get).toList());
      }
      for (int i = 0; i < caches.size(); i++) {
        bytes.put(caches.get(i).name(), now.get(i).data().byteSize());
      }
      now.forEach(Tensor::close);
    }
    return results;
  }

  private double difference(Path after, int places, Map<String, Long> bytes) {
    List<float[]> was = steps(directory.resolve("step.ein"), places, new TreeMap<>());
    List<float[]> is = steps(after, places, bytes);
    double most = 0;
    for (int i = 0; i < was.size(); i++) {
      most = Math.max(most, QuantizedNet.difference(was.get(i), is.get(i)));
    }
    return most;
  }

  private static String ports(List<Port> ports) {
    return ports.stream().map(port -> port.name() + ": " + port.type() + port.shape()).collect(Collectors.joining(", "));
  }

  /// Of 512 bytes for each word, 80 are left by 8 bits: no keys nor values are inputs or outputs.
  @Test
  void oneCacheOfWhatTheyAreComputedOfStandsForKeysAndValues() throws IOException {
    Path file = written(program(""), "cache=int8(group = 16),rematerialise");
    Map<String, Long> bytes = new TreeMap<>();
    double eight = difference(file, PLACES, bytes);
    assertTrue(eight < 0.01, "difference " + eight);
    assertEquals(Map.of("n_cache_scale", PLACES * 16L, "n_cache_code", PLACES * 64L), bytes);
    try (Program program = Einfall.compile(file, Options.defaults())) {
      assertEquals("x: f32[1, 64], n_cache_scale: f32[N, 4], n_cache_code: i8[N, 64], position: i64[]", ports(program.inputs()));
      assertEquals("y: f32[4, 1, 16], n_cached_scale: f32[N, 4], n_cached_code: i8[N, 64]", ports(program.outputs()));
    }
    String text = Files.readString(file);
    assertTrue(text.startsWith("# step.ein, quantized: weights as they are, caches int8(group = 16) of what keys and values are computed of.\n"), text);
    assertTrue(text.contains("# The cache K and V is made anew of n, which is in int8(group = 16): a row takes 80 bytes, where it took 512.\n"), text);
    assertFalse(text.contains("update K"), text);
    bytes.clear();
    double four = difference(written(program(""), "cache=int4(group = 32),rematerialise"), PLACES, bytes);
    assertTrue(four > eight && four < 0.25, "difference " + four);
    assertEquals(Map.of("n_cache_scale", PLACES * 8L, "n_cache_code", PLACES * 32L), bytes);
  }

  @Test
  void saysWhatCachesTake() throws IOException {
    String out = quantize(program(""), "cache=int4(group = 32),rematerialise").out();
    assertTrue(out.contains("cache K and V made anew of n: int4(group = 32), 512 bytes a row before, 40 after (7.8 %), as n_cache_scale, n_cache_code"), out);
  }

  /// Keys that are turned by their place are turned anew, by the place at which they stand.
  @Test
  void whatDependsOnThePlaceIsComputedAnewOfIt() throws IOException {
    String text = program("""
          angle[p in 0..1, e in 0..16] = f32(position[] + p) * exp(-f32(e % 8))
          k[h, p, e] = k[h, p, e] * cos(angle[p, e]) + where(e < 8, -k[h, p, (e + 8) % 16], k[h, p, (e + 8) % 16]) * sin(angle[p, e])
        """);
    double difference = difference(written(text, "cache=int8(group = 32),rematerialise"), PLACES, new TreeMap<>());
    assertTrue(difference < 0.03, "difference " + difference);
  }

  @Test
  void cachesThatGrowAndWeightsInAFormat() throws IOException {
    String text = program("").replace("append(K, k, position)", "concat(K, k, 1)").replace("append(V, v, position)", "concat(V, v, 1)").replace(" + bias[i]", "")
        .replace("attend(in_use(scores(q, K), length), V)", "attend(scores(q, K), V)").replace(", position: i64", "").replace("  length[] = position[] + 1\n", "")
        .replace("keys: f32[4, N, 16], values: f32[4, N, 16]", "keys: f32[4, N + 1, 16], values: f32[4, N + 1, 16]");
    Map<String, Long> bytes = new TreeMap<>();
    double difference = difference(written(text, "w8a8,cache=int8(group = 64),rematerialise"), 1, bytes);
    assertTrue(difference < 0.04, "difference " + difference);
    assertEquals(17L * 64, bytes.values().stream().mapToLong(i -> i).max().orElseThrow());
  }

  /// The second half of the steps writes over the first.
  @Test
  void ringsAreMadeAnew() throws IOException {
    String text = program("").replace("append(", "append_ring(");
    Map<String, Long> bytes = new TreeMap<>();
    double difference = difference(written(text, "cache=int8(group = 16),rematerialise"), 8, bytes);
    assertTrue(difference < 0.01, "difference " + difference);
    assertEquals(Map.of("n_cache_scale", 8 * 16L, "n_cache_code", 8 * 64L), bytes);
  }

  /// Of a row in a ring, it is not known at which place it came.
  @Test
  void whatDependsOnThePlaceStaysInARing() throws IOException {
    String text = program("  k[h, p, e] = k[h, p, e] * f32(position[] + p)\n  v[h, p, e] = v[h, p, e] * f32(position[] + p)\n").replace("append(", "append_ring(");
    assertError("a row of 'K' has 64 elements, and one of 'k' 64", quantize(text, "cache=int8(group = 32),rematerialise"));
  }

  /// Each layer's cache is of what that layer's keys and values are computed of.
  @Test
  void severalLayers() throws IOException {
    String step = program("").replace("(y: f32[4, 1, 16], keys: f32[4, N, 16], values: f32[4, N, 16])",
        "(y: f32[4, 1, 16], keys: f32[4, N, 16], values: f32[4, N, 16], keys2: f32[4, N, 16], values2: f32[4, N, 16])")
        .replace("V: f32[4, N, 16], position", "V: f32[4, N, 16], K2: f32[4, N, 16], V2: f32[4, N, 16], position")
        .replace("  return attend(in_use(scores(q, K), length), V), K, V\n", """
              z = reshape(transpose(attend(in_use(scores(q, K), length), V), [1, 0, 2]), [1, 64])
              r[p, i] = x[p, i] + z[p, i]
              m = rms_norm(r, gamma, 1e-5)
              k1[p, i] = m[p, d] * B[d, i]
              v1[p, i] = m[p, d] * Q[d, i]
              K2 = append(K2, transpose(reshape(k1, [1, 4, 16]), [1, 0, 2]), position)
              V2 = append(V2, transpose(reshape(v1, [1, 4, 16]), [1, 0, 2]), position)
              return attend(in_use(scores(q, K2), length), V2), K, V, K2, V2
            """);
    Path file = written(step, "cache=int8(group = 16),rematerialise");
    Map<String, Long> bytes = new TreeMap<>();
    double difference = difference(file, PLACES, bytes);
    assertTrue(difference < 0.02, "difference " + difference);
    assertEquals(Map.of("n_cache_scale", PLACES * 16L, "n_cache_code", PLACES * 64L, "m_cache_scale", PLACES * 16L, "m_cache_code", PLACES * 64L), bytes);
  }

  /// Where keys and values come of fewer numbers than the layer's input has, these are kept: latent attention.
  @Test
  void theSmallestIsKept() throws IOException {
    String text = program("").replace("  q0[p", "  weight C: f32[64, 16] = \"Q.narrow\"\n  c[p, j] = n[p, d] * C[d, j]\n  q0[p")
        .replace("[64, 64] = \"A\"", "[16, 64] = \"A.narrow\"").replace("[64, 64] = \"B\"", "[16, 64] = \"B.narrow\"").replace("sum[d](n[p, d] * A[d, i])", "sum[j](c[p, j] * A[j, i])")
        .replace("n[p, d] * B[d, i]", "sum[j](c[p, j] * B[j, i])");
    Path file = written(text, "cache=int8(group = 16),rematerialise");
    assertTrue(difference(file, PLACES, new TreeMap<>()) < 0.02);
    try (Program program = Einfall.compile(file, Options.defaults())) {
      assertEquals(List.of("c_cache_code", "c_cache_scale", "position", "x"), List.copyOf(new TreeSet<>(program.inputs().stream().map(Port::name).toList())));
    }
  }

  @Test
  void refusesWhatCannotBe() throws IOException {
    assertError("the policy has rematerialise, and says no format of the caches", quantize(program(""), "w8,rematerialise"));
    assertError("the policy has 'rematerialise=2': expected rematerialise alone", quantize(program(""), "w8,cache=int8(group = 16),rematerialise=2"));
    assertError("a row of 'V' has 64 elements, and one of 'v' 64", quantize(program(""), "cache=int8(group = 16),rematerialise", "--keep", "K"));
    assertError("a row of 'K' has 64 elements, and one of 'k' 64",
        quantize(program("  k[h, p, e] = k[h, p, e] * f32(position[])\n  v[h, p, e] = v[h, p, e] + f32(position[])\n"), "cache=int8(group = 16),rematerialise"));
    assertError("what stood in 'K' before is read, too", quantize(program("").replace("attend(", "K_0[] + attend(").replace("  K = append", "  K_0[] = sum[h, n, e](K[h, n, e])\n  K = append")
        .replace("return K_0[] + attend(in_use(scores(q, K), length), V), K, V", "z = attend(in_use(scores(q, K), length), V)\n  y[h, p, e] = z[h, p, e] + K_0[]\n  return y, K, V"),
        "cache=int8(group = 16),rematerialise"));
  }

  private static void assertError(String expected, CommandLineRun run) {
    assertTrue(run.err().contains(expected), run.err());
    assertEquals(1, run.exitCode(), run.err());
  }
}
