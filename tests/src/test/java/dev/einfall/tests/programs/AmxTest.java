package dev.einfall.tests.programs;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ai.djl.huggingface.tokenizers.HuggingFaceTokenizer;
import dev.einfall.backends.c.CProgram;
import dev.einfall.frontend.onnx.OnnxFile;
import dev.einfall.ir.ElementType;
import dev.einfall.passes.Compute;
import dev.einfall.runtime.Einfall;
import dev.einfall.runtime.Options;
import dev.einfall.runtime.nativecode.CTargets;
import dev.einfall.runtime.nativecode.Toolchain;
import dev.einfall.tests.Commands;
import dev.einfall.tests.Cosine;
import dev.einfall.tests.MadeWeights;
import dev.einfall.tests.runtime.MiniLm;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.stream.Stream;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.api.parallel.Execution;
import org.junit.jupiter.api.parallel.ExecutionMode;

/// Products in the tiles of AMX, which few machines have: the C for these, with a stand-in for its intrinsics, computes what it should, and compilers that
/// know them accept it.
@Execution(ExecutionMode.CONCURRENT)
class AmxTest {
  private static final List<String> WARNINGS = List.of("-std=c11", "-O1", "-ffp-contract=off", "-Wall", "-Wextra", "-Werror", "-pthread");
  private static final Path STAND_IN = Path.of("src/test/resources/amx/amx.h").toAbsolutePath();

  @TempDir
  private Path directory;

  /// A product of `m` x `k` and `k` x `n` numbers, the first of `left`, the second a weight of `right`.
  private record Product(int m, int k, int n, ElementType left, ElementType right) {

    ElementType sum() {
      return left.isFloat() ? ElementType.F32 : ElementType.I32;
    }

    String text() {
      String conversion = left.isFloat() ? "" : "i32";
      String least = left.isFloat() ? "-1.0" : "-1000";
      return """
          weights "made"
          def main(X: %1$s[%2$d, %3$d], B: %4$s[%5$d]) -> %4$s[%2$d, %5$d] {
            weight W: %6$s[%3$d, %5$d] = "W"
            Y[m, n] = max(sum[k](%7$s(X[m, k]) * %7$s(W[k, n])) + B[n], %8$s)
            return Y
          }
          """.formatted(left, m, k, sum(), n, right, conversion, least);
    }

    @Override
    public String toString() {
      return m + " x " + k + " x " + n + " " + left + " " + right;
    }
  }

  private static Stream<Product> products() {
    List<Product> products = new ArrayList<>();
    for (int[] shape : new int[][] {{37, 96, 45}, {128, 128, 64}, {17, 64, 33}, {5, 192, 17}, {1, 64, 48}, {70, 320, 100}, {200, 33, 32}}) {
      products.add(new Product(shape[0], shape[1], shape[2], ElementType.F32, ElementType.F32));
    }
    for (ElementType left : List.of(ElementType.U8, ElementType.I8)) {
      for (ElementType right : List.of(ElementType.U8, ElementType.I8)) {
        products.add(new Product(37, 128, 45, left, right));
        products.add(new Product(16, 64, 32, left, right));
        products.add(new Product(17, 64, 16, left, right));
      }
    }
    return products.stream();
  }

  /// Those with steps that are no whole tiles, or a row alone, are computed otherwise; the last of an odd number stands apart in any case.
  private static boolean isInTiles(Product product) {
    return product.m > 1 && (product.left.isFloat() ? product.k / 2 * 2 % 32 : product.k % 64) == 0;
  }

  @TestFactory
  Stream<DynamicTest> productsAreRight() {
    Assumptions.assumeTrue(Commands.exists("cc"), "there is no C compiler here");
    return products().flatMap(product -> Stream.of(1, 2).map(threads ->
        DynamicTest.dynamicTest(product + " " + threads, () -> requireRight(product, threads))));
  }

  private void requireRight(Product product, int threads) throws IOException {
    SplittableRandom random = new SplittableRandom(7);
    byte[] x = random(product.left, product.m * product.k, random);
    byte[] w = random(product.right, product.k * product.n, random);
    byte[] b = random(product.sum(), product.n, random);
    Path folder = write(product, w, threads);
    assertEquals(isInTiles(product), Files.readString(folder.resolve("product.c")).contains("_tile_dp"), product.toString());
    build(folder, List.of());
    Files.write(folder.resolve("x"), x);
    Files.write(folder.resolve("b"), b);
    assertEquals("", Commands.run(folder, List.of("./product", Integer.toString(threads), "product.weights", "x", "b", "y")));
    requireProduct(product, x, w, b, Files.readAllBytes(folder.resolve("y")));
  }

  private Path write(Product product, byte[] w, int threads) throws IOException {
    Path folder = Files.createTempDirectory(directory, "product");
    Path file = Files.writeString(folder.resolve("product.ein"), product.text());
    Options options = Options.defaults().withBackend(Options.Backend.C).withThreads(threads).withCompute(Compute.BF16).withRemarks(_ -> {})
        .withToolchain(Toolchain.usual().withTarget("amx")).withWeights(new MadeWeights().with("W", product.right, MemorySegment.ofArray(w), product.k, product.n));
    Einfall.writeC(file, Map.of(), options, new CProgram.Options("product", CTargets.named("amx"), false, true, true), folder);
    return folder;
  }

  /// Makes `product` of a program of this name, with the stand-in.
  static void build(Path folder, List<String> flags) throws IOException {
    List<String> command = new ArrayList<>(List.of("cc"));
    command.addAll(WARNINGS);
    command.addAll(CTargets.named("avx512-bf16-bits").flags());
    command.addAll(flags);
    command.addAll(List.of("-include", STAND_IN.toString(), "-o", "product", "product.c", "main.c", "-lm"));
    assertEquals("", Commands.run(folder, command));
  }

  private static byte[] random(ElementType type, int count, SplittableRandom random) {
    ByteBuffer buffer = ByteBuffer.allocate(count * type.bytes()).order(ByteOrder.LITTLE_ENDIAN);
    for (int i = 0; i < count; i++) {
      switch (type) {
        case F32 -> buffer.putFloat((float) random.nextGaussian());
        case I32 -> buffer.putInt(random.nextInt(-1000, 1000));
        default -> buffer.put((byte) random.nextInt());
      }
    }
    return buffer.array();
  }

  private static double number(ElementType type, byte[] bytes, int i) {
    ByteBuffer buffer = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
    return switch (type) {
      case F32 -> buffer.getFloat(4 * i);
      case I32 -> buffer.getInt(4 * i);
      case U8 -> buffer.get(i) & 0xff;
      default -> buffer.get(i);
    };
  }

  /// Integers are equal, and floats as near as factors of `bf16` let them be.
  private static void requireProduct(Product product, byte[] x, byte[] w, byte[] b, byte[] y) {
    assertEquals(product.m * product.n * 4, y.length);
    for (int i = 0; i < product.m * product.n; i++) {
      double sum = number(product.sum(), b, i % product.n);
      double size = 0;
      for (int k = 0; k < product.k; k++) {
        double term = number(product.left, x, i / product.n * product.k + k) * number(product.right, w, k * product.n + i % product.n);
        sum += term;
        size += Math.abs(term);
      }
      double expected = Math.max(sum, product.left.isFloat() ? -1 : -1000);
      double error = Math.abs(number(product.sum(), y, i) - expected);
      assertTrue(error <= (product.left.isFloat() ? size / 128 : 0), product + ": element " + i + " is off by " + error);
    }
  }

  @Test
  void aModelIsRight() throws IOException {
    Assumptions.assumeTrue(Commands.exists("cc"), "there is no C compiler here");
    try (HuggingFaceTokenizer tokenizer = HuggingFaceTokenizer.newInstance(MiniLm.tokenizer()); OnnxFile weights = OnnxFile.open(MiniLm.weights())) {
      long[] ids = tokenizer.encode("A recipe for sourdough: flour, water, salt, and a day of waiting until it has risen, and then another hour.").getIds();
      Options options = Options.defaults().withWeights(weights).withThreads(2).withWarmUp(false).withRemarks(_ -> {});
      Options inTiles = options.withBackend(Options.Backend.C).withCompute(Compute.BF16).withToolchain(Toolchain.usual().withTarget("amx"));
      Einfall.writeC(MiniLm.PROGRAM, Map.of("B", 1L, "T", (long) ids.length), inTiles,
          new CProgram.Options("product", CTargets.named("amx"), false, true, false), directory);
      assertTrue(Files.readString(directory.resolve("product.c")).contains("_tile_dpbf16ps"));
      build(directory, List.of());
      long[] ones = new long[ids.length];
      Arrays.fill(ones, 1);
      writeLongs("ids", ids);
      writeLongs("mask", ones);
      writeLongs("kinds", new long[ids.length]);
      assertEquals("", Commands.run(directory, List.of("./product", "2", "product.weights", "ids", "mask", "kinds", "hidden", "embedding")));
      float[] expected = MiniLm.embedding(ids, ones, new long[ids.length], options.withBackend(Options.Backend.JVM));
      float[] actual = new float[expected.length];
      ByteBuffer.wrap(Files.readAllBytes(directory.resolve("embedding"))).order(ByteOrder.LITTLE_ENDIAN).asFloatBuffer().get(actual);
      double cosine = Cosine.of(expected, actual);
      assertTrue(cosine >= 0.999 && cosine < 1 - 1e-9, "cosine " + cosine);
    }
  }

  private void writeLongs(String name, long[] values) throws IOException {
    ByteBuffer buffer = ByteBuffer.allocate(8 * values.length).order(ByteOrder.LITTLE_ENDIAN);
    buffer.asLongBuffer().put(values);
    Files.write(directory.resolve(name), buffer.array());
  }

  @TestFactory
  Stream<DynamicTest> compilersAcceptThem() {
    return Stream.of("gcc", "clang").flatMap(compiler -> products().filter(product -> product.m == 37).map(product ->
        DynamicTest.dynamicTest(compiler + " " + product, () -> {
          Assumptions.assumeTrue(Commands.exists(compiler), "there is no " + compiler + " here");
          Path folder = write(product, new byte[product.k * product.n * product.right.bytes()], 2);
          List<String> command = new ArrayList<>(List.of(compiler));
          command.addAll(WARNINGS);
          command.addAll(CTargets.named("amx").flags());
          command.addAll(List.of("-S", "-o", "product.s", "product.c"));
          assertEquals("", Commands.run(folder, command));
          assertTrue(Files.readString(folder.resolve("product.s")).contains("tdpb"), "no product of tiles");
        })));
  }

  @TestFactory
  Stream<DynamicTest> aRefusalIsAnError() {
    Assumptions.assumeTrue(Commands.exists("cc"), "there is no C compiler here");
    return Stream.of(DynamicTest.dynamicTest("open", () -> {
      Product product = new Product(16, 64, 32, ElementType.I8, ElementType.I8);
      Path folder = write(product, new byte[64 * 32], 1);
      build(folder, List.of("-DAMX_REFUSED"));
      Files.write(folder.resolve("x"), new byte[16 * 64]);
      Files.write(folder.resolve("b"), new byte[32 * 4]);
      String said = Commands.failing(folder, List.of("./product", "1", "product.weights", "x", "b", "y"));
      assertTrue(said.contains("product_open: the system does not let this process use the registers for tiles (AMX)"), said);
    }));
  }
}
