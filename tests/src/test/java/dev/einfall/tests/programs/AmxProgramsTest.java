package dev.einfall.tests.programs;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.einfall.backends.c.CProgram;
import dev.einfall.backends.reference.Array;
import dev.einfall.frontend.weights.StoredTensor;
import dev.einfall.frontend.weights.WeightsFile;
import dev.einfall.ir.ElementType;
import dev.einfall.passes.Compute;
import dev.einfall.runtime.Einfall;
import dev.einfall.runtime.Options;
import dev.einfall.runtime.Program;
import dev.einfall.runtime.Tensor;
import dev.einfall.runtime.nativecode.CTargets;
import dev.einfall.runtime.nativecode.Toolchain;
import dev.einfall.tests.Commands;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.api.parallel.Execution;
import org.junit.jupiter.api.parallel.ExecutionMode;

/// Programs with products in the tiles of AMX, in many forms: their C, with a stand-in for the intrinsics, gives what bytecode does.
@Execution(ExecutionMode.CONCURRENT)
class AmxProgramsTest {
  /// How far results with rounded factors may be apart that are summed in another order.
  private static final double ROUNDED = 2e-2;

  @TempDir
  private Path directory;

  /// A program of `X`, of this type and sizes, and of weights.
  private record Case(String name, String text, Shape input, Map<String, Shape> weights) {}

  private record Shape(ElementType type, int... sizes) {

    Array random(long seed) {
      return Array.random(type, seed, sizes);
    }
  }

  private static Stream<Case> cases() {
    Shape floats = new Shape(ElementType.F32, 70, 64);
    Shape bytes = new Shape(ElementType.U8, 20, 24, 64);
    return Stream.of(
        new Case("two layers", """
            def main(X: f32[70, 64]) -> f32[70, 40] {
              weight W: f32[64, 96] = "W"
              weight V: f32[96, 40] = "V"
              H[m, h] = max(sum[k](X[m, k] * W[k, h]), 0.0)
              Y[m, n in 0..40] = sum[h](H[m, h] * V[h, n]) + X[m, n]
              return Y
            }
            """, floats, Map.of("W", new Shape(ElementType.F32, 64, 96), "V", new Shape(ElementType.F32, 96, 40))),
        new Case("turned", """
            def main(X: f32[70, 64]) -> f32[40, 70] {
              weight W: f32[40, 64] = "W"
              Y[n, m] = tanh(sum[k](X[m, k] * W[n, k]))
              return Y
            }
            """, floats, Map.of("W", new Shape(ElementType.F32, 40, 64))),
        new Case("columns of the input", """
            def main(X: f32[70, 64]) -> f32[64, 40] {
              weight W: f32[70, 40] = "W"
              Y[m, n] = sum[k](X[k, m] * W[k, n])
              return Y
            }
            """, floats, Map.of("W", new Shape(ElementType.F32, 70, 40))),
        new Case("softmax of rows", """
            def main(X: f32[70, 64]) -> f32[70, 48] {
              weight W: f32[64, 48] = "W"
              S[m, n] = sum[k](X[m, k] * W[k, n])
              E[m, n] = exp(S[m, n] - max[n](S[m, n]))
              Y[m, n] = E[m, n] / sum[n](E[m, n])
              return Y
            }
            """, floats, Map.of("W", new Shape(ElementType.F32, 64, 48))),
        new Case("three of one", """
            def main(X: f32[70, 64]) -> (P: f32[70, 32], Q: f32[70, 32], R: f32[70, 33]) {
              weight A: f32[64, 32] = "A"
              weight B: f32[64, 32] = "B"
              weight C: f32[64, 33] = "C"
              P[m, n] = X[m, k] * A[k, n]
              Q[m, n] = X[m, k] * B[k, n]
              R[m, n] = X[m, k] * C[k, n]
              return P, Q, R
            }
            """, floats, Map.of("A", new Shape(ElementType.F32, 64, 32), "B", new Shape(ElementType.F32, 64, 32), "C", new Shape(ElementType.F32, 64, 33))),
        new Case("rows with each other", """
            def main(X: f32[70, 64]) -> f32[70, 70] {
              Y[m, n] = sum[k](X[m, k] * X[n, k])
              return Y
            }
            """, floats, Map.of()),
        new Case("batch", """
            def main(X: u8[20, 24, 64]) -> i32[20, 24, 40] {
              weight W: i8[64, 40] = "W"
              Y[b, m, n] = sum[k](i32(X[b, m, k]) * i32(W[k, n]))
              return Y
            }
            """, bytes, Map.of("W", new Shape(ElementType.I8, 64, 40))),
        new Case("weights of each batch", """
            def main(X: u8[20, 24, 64]) -> i32[20, 24, 40] {
              weight W: i8[20, 64, 40] = "W"
              Y[b, m, n] = sum[k](i32(X[b, m, k]) * i32(W[b, k, n]))
              return Y
            }
            """, bytes, Map.of("W", new Shape(ElementType.I8, 20, 64, 40))),
        new Case("convolution", """
            def main(X: u8[20, 24, 64]) -> i32[18, 22, 40] {
              weight W: i8[3, 3, 64, 40] = "W"
              Y[p in 0..18, q in 0..22, n] = sum[r, s, k](i32(X[p + r, q + s, k]) * i32(W[r, s, k, n]))
              return Y
            }
            """, bytes, Map.of("W", new Shape(ElementType.I8, 3, 3, 64, 40))),
        new Case("convolution in steps of two", """
            def main(X: u8[20, 24, 64]) -> i32[9, 11, 40] {
              weight W: u8[3, 3, 64, 40] = "W"
              Y[p in 0..9, q in 0..11, n] = sum[r, s, k](i32(X[2 * p + r, 2 * q + s, k]) * i32(W[r, s, k, n]))
              return Y
            }
            """, bytes, Map.of("W", new Shape(ElementType.U8, 3, 3, 64, 40))));
  }

  @TestFactory
  Stream<DynamicTest> theyGiveWhatBytecodeDoes() {
    Assumptions.assumeTrue(Commands.exists("cc"), "there is no C compiler here");
    return cases().flatMap(one -> Stream.of(1, 2).map(threads -> DynamicTest.dynamicTest(one.name + " " + threads, () -> requireSame(one, threads))));
  }

  private void requireSame(Case one, int threads) throws IOException {
    Path folder = Files.createTempDirectory(directory, "program");
    Path file = Files.writeString(folder.resolve("program.ein"), "weights \"made\"\n" + one.text);
    Options options = Options.defaults().withThreads(threads).withWarmUp(false).withCompute(Compute.BF16).withRemarks(_ -> {}).withWeights(new Made(one.weights));
    Options inTiles = options.withBackend(Options.Backend.C).withToolchain(Toolchain.usual().withTarget("amx"));
    Einfall.writeC(file, Map.of(), inTiles, new CProgram.Options("product", CTargets.named("amx"), false, true, true), folder);
    boolean isOfColumns = one.name.startsWith("columns");
    assertEquals(!isOfColumns, Files.readString(folder.resolve("product.c")).contains("_tile_dp"), one.name);
    AmxTest.build(folder, List.of());
    Array input = one.input.random(1);
    try (Program program = Einfall.compile(file, options.withBackend(Options.Backend.JVM)); Arena arena = Arena.ofConfined()) {
      MemorySegment memory = arena.allocate((long) input.elements() * input.type().bytes(), 64);
      input.write(memory);
      Files.write(folder.resolve("x"), memory.toArray(ValueLayout.JAVA_BYTE));
      List<String> command = new ArrayList<>(List.of("./product", Integer.toString(threads)));
      command.addAll(one.weights.isEmpty() ? List.of("x") : List.of("product.weights", "x"));
      program.outputs().forEach(output -> command.add(output.name()));
      assertEquals("", Commands.run(folder, command));
      try (Tensor tensor = Tensor.copyOf(input.type(), memory, Arrays.stream(input.shape()).asLongStream().toArray())) {
        Map<String, Tensor> results = program.run(Map.of("X", tensor));
        for (Map.Entry<String, Tensor> result : results.entrySet()) {
          requireNear(result.getValue(), Files.readAllBytes(folder.resolve(result.getKey())), one.name + " " + result.getKey());
        }
        results.values().forEach(Tensor::close);
      }
    }
  }

  private static void requireNear(Tensor expected, byte[] actual, String where) {
    MemorySegment bytes = MemorySegment.ofArray(actual);
    assertEquals(expected.data().byteSize(), actual.length, where);
    int[] shape = expected.shape().stream().mapToInt(Math::toIntExact).toArray();
    Array right = Array.read(expected.type(), expected.data(), shape);
    Array given = Array.read(expected.type(), bytes, shape);
    for (int i = 0; i < right.elements(); i++) {
      if (right.type().isFloat()) {
        double error = Math.abs(right.numbers()[i] - given.numbers()[i]);
        assertTrue(error <= ROUNDED, where + ": element " + i + " is " + given.numbers()[i] + ", not " + right.numbers()[i]);
      } else {
        assertEquals(right.integers()[i], given.integers()[i], where + ": element " + i);
      }
    }
  }

  /// Random weights.
  private record Made(Map<String, Shape> shapes) implements WeightsFile {

    @Override
    public String name() {
      return "made";
    }

    @Override
    public Optional<StoredTensor> find(String key) {
      return Optional.ofNullable(shapes.get(key)).map(shape -> {
        Array values = shape.random(key.hashCode());
        MemorySegment memory = Arena.ofAuto().allocate((long) values.elements() * shape.type.bytes(), 64);
        values.write(memory);
        return new StoredTensor(key, shape.type, Arrays.stream(shape.sizes).mapToObj(size -> (long) size).toList(), memory);
      });
    }

    @Override
    public List<String> keys() {
      return List.copyOf(new LinkedHashMap<>(shapes).keySet());
    }

    @Override
    public void close() {}
  }
}
