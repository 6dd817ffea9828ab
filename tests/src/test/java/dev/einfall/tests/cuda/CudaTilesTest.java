package dev.einfall.tests.cuda;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.einfall.backends.cuda.CudaFile;
import dev.einfall.backends.cuda.CudaTargets;
import dev.einfall.backends.reference.Array;
import dev.einfall.frontend.EinReader;
import dev.einfall.ir.CompileException;
import dev.einfall.ir.Source;
import dev.einfall.ir.cascade.Cascade;
import dev.einfall.ir.loop.KernelPlan;
import dev.einfall.passes.Compute;
import dev.einfall.passes.Numerics;
import dev.einfall.passes.Pipeline;
import dev.einfall.passes.PipelineOptions;
import dev.einfall.runtime.nativecode.CTargets;
import dev.einfall.tests.programs.Programs;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.TreeMap;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Assertions;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.api.parallel.Execution;
import org.junit.jupiter.api.parallel.ExecutionMode;

/// Products of what the warps of a GPU multiply by tiles: with and without copies of several elements, whole tiles and others.
@Execution(ExecutionMode.CONCURRENT)
class CudaTilesTest {

  /// A product of two types, and where its factors have their steps.
  ///
  /// @param converted what the factors are converted to, with a `%s` for the factor
  private record Product(String name, String type, String sum, String converted, String left, String right, int... sizes) {

    Cascade cascade() {
      String text = """
          def %s(X: %s[%s], W: %s[%s], bias: %s[%s]) -> %s[%s] {
            S[b, m, n] = sum[k](%s * %s)
            Y[b, m, n] = max(S[b, m, n] + bias[n], 1)
            return Y
          }
          """.formatted(name, type, shape(left), type, shape(right), sum, shape("n"), sum, shape("b, m, n"), converted.formatted("X[" + left + "]"),
              converted.formatted("W[" + right + "]"));
      return EinReader.read(new Source(name + ".ein", text), Optional.empty()).cascade(new TreeMap<>());
    }

    private String shape(String ranks) {
      return Stream.of(ranks.split(", ")).map(rank -> Integer.toString(sizes["bmnk".indexOf(rank)])).collect(Collectors.joining(", "));
    }
  }

  private static final List<Product> PRODUCTS = List.of(
      new Product("whole", "bf16", "f32", "f32(%s)", "b, m, k", "k, n", 1, 64, 64, 64),
      new Product("odd", "bf16", "f32", "f32(%s)", "b, m, k", "k, n", 2, 37, 45, 51),
      new Product("turned", "bf16", "f32", "f32(%s)", "b, k, m", "n, k", 1, 40, 72, 80),
      new Product("short_sums", "f16", "f32", "f32(%s)", "b, m, k", "b, n, k", 3, 33, 32, 16),
      new Product("bytes", "i8", "i32", "i32(%s)", "b, m, k", "k, n", 1, 48, 64, 96),
      new Product("odd_bytes", "u8", "i32", "i32(%s)", "b, m, k", "n, k", 1, 17, 50, 41),
      new Product("doubles", "f64", "f64", "%s", "b, m, k", "k, n", 1, 20, 36, 27));

  private static KernelPlan plan(Cascade cascade, Numerics numerics) {
    return new Pipeline(PipelineOptions.of(Gpu.target()).withNumerics(numerics), _ -> { }, _ -> { }).compile(cascade, new TreeMap<>());
  }

  private static String source(Product product, Numerics numerics) {
    return CudaFile.of(plan(product.cascade(), numerics), product.name, Gpu.machine()).source();
  }

  @TestFactory
  List<DynamicTest> onHost(@TempDir Path folder) throws IOException {
    Assumptions.assumeTrue(CudaOnHost.isPossible(), "no g++");
    Path all = including(folder);
    CudaOnHost host = CudaOnHost.compile(all);
    return PRODUCTS.stream().map(product -> DynamicTest.dynamicTest(product.name, () -> {
      assertTrue(Files.readString(folder.resolve(product.name + ".cu")).contains("mma_sync"));
      Cascade cascade = product.cascade();
      List<Array> inputs = Programs.inputs(cascade, new TreeMap<>());
      Programs.requireClose(Programs.reference(cascade, inputs), host.run(product.name, plan(cascade, Numerics.REASSOCIATE), inputs), product.name);
    })).toList();
  }

  @Test
  void compiledForDevices(@TempDir Path folder) throws IOException {
    Assumptions.assumeTrue(Compiler.isThere("nvcc"), "no nvcc");
    Path all = including(folder);
    Compiler.run(List.of("nvcc", "-std=c++17", "-fmad=false", "-Werror", "all-warnings", "-fatbin", "--threads", "2",
        "-gencode", "arch=compute_80,code=sm_80", "-gencode", "arch=compute_90a,code=sm_90a",
        "-o", folder.resolve("device.fatbin").toString(), all.toString()));
  }

  private static Path including(Path folder) throws IOException {
    for (Product product : PRODUCTS) {
      Files.writeString(folder.resolve(product.name + ".cu"), source(product, Numerics.REASSOCIATE));
    }
    return Files.writeString(folder.resolve("all.cu"),
        PRODUCTS.stream().map(product -> "#include \"" + product.name + ".cu\"\n").collect(Collectors.joining()));
  }

  @Test
  void sumsStayInOrderWhereTheyMust() {
    assertFalse(source(PRODUCTS.getFirst(), Numerics.STRICT).contains("mma_sync"));
  }

  @Test
  void wholeRowsAreCopiedByTheHardware() {
    assertTrue(source(PRODUCTS.getFirst(), Numerics.REASSOCIATE).contains(", 16);"));
  }

  /// The factors of products with weights become numbers that tiles multiply.
  @Test
  void narrowFactors() {
    String text = """
        weights "none.safetensors"

        def main(X: f32[64, 96]) -> f32[64, 64] {
          weight W: f32[96, 64] = "W"
          Y[m, n] = sum[k](X[m, k] * W[k, n])
          return Y
        }
        """;
    Cascade cascade = EinReader.read(new Source("narrow.ein", text), Optional.empty()).cascade(new TreeMap<>());
    PipelineOptions options = PipelineOptions.of(Gpu.target()).withCompute(Compute.BF16);
    KernelPlan plan = new Pipeline(options, _ -> { }, _ -> { }).compile(cascade, new TreeMap<>());
    assertTrue(CudaFile.of(plan, "narrow", Gpu.machine()).source().contains("mma_sync"));
  }

  /// How much memory a block may have depends on the GPU, and so do the rows of attention that it takes together.
  @Test
  void blocksShareWhatTheirGpuHas() {
    assertEquals(163 << 10, CTargets.gpu("sm_80").sharedBytes());
    assertEquals(99 << 10, CTargets.gpu("sm_89").sharedBytes());
    assertEquals(227 << 10, CTargets.gpu("sm_90").sharedBytes());
    assertTrue(CudaTargets.NAMES.stream().map(CTargets::gpu).allMatch(gpu -> gpu.sharedBytes() >= 64 << 10 && !gpu.tiles().isEmpty()));
  }

  @Test
  void namesOfGpus() {
    assertEquals("sm_90", CTargets.gpu("sm_100a").name());
    assertEquals("sm_70", CTargets.gpu("sm_72").name());
    Assertions.assertThrows(CompileException.class, () -> CTargets.gpu("sm_35"));
    Assertions.assertThrows(CompileException.class, () -> CTargets.gpu("avx2"));
  }
}
