package dev.einfall.tests.cuda;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.einfall.backends.c.CTarget;
import dev.einfall.backends.cuda.CudaFile;
import dev.einfall.backends.cuda.CudaTargets;
import dev.einfall.backends.reference.Array;
import dev.einfall.frontend.EinReader;
import dev.einfall.ir.Source;
import dev.einfall.ir.cascade.Cascade;
import dev.einfall.ir.loop.KernelPlan;
import dev.einfall.passes.Numerics;
import dev.einfall.passes.Pipeline;
import dev.einfall.passes.PipelineOptions;
import dev.einfall.passes.Target;
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
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.api.parallel.Execution;
import org.junit.jupiter.api.parallel.ExecutionMode;

/// Products of what groups of warps multiply, of a GPU that has instructions for that.
@Execution(ExecutionMode.CONCURRENT)
class CudaWarpgroupsTest {
  private static final CTarget MACHINE = CTargets.gpu("sm_90a");

  /// A product of `m` rows, `n` columns and `k` steps.
  ///
  /// @param left how the factor of the rows lies, with its sizes
  /// @param right the same for the columns
  /// @param columns how many columns the instruction multiplies that it takes
  private record Product(String name, String leftType, String rightType, String sum, String left, String right, int rows, int width, int steps, int columns) {

    Cascade cascade() {
      String text = """
          def %s(X: %s[%s], W: %s[%s], bias: %s[%d]) -> %s[%d, %d] {
            S[m, n] = sum[k](%s(X[%s]) * %s(W[%s]))
            Y[m, n] = max(S[m, n] + bias[n], 1)
            return Y
          }
          """.formatted(name, leftType, sizes(left), rightType, sizes(right), sum, width, sum, rows, width, sum, left, sum, right);
      return EinReader.read(new Source(name + ".ein", text), Optional.empty()).cascade(new TreeMap<>());
    }

    private String sizes(String ranks) {
      return ranks.replace("m", Integer.toString(rows)).replace("n", Integer.toString(width)).replace("k", Integer.toString(steps));
    }
  }

  private static final List<Product> PRODUCTS = List.of(
      new Product("whole", "bf16", "bf16", "f32", "m, k", "k, n", 128, 64, 128, 32),
      new Product("odd", "bf16", "bf16", "f32", "m, k", "k, n", 70, 45, 51, 32),
      new Product("steps_together", "bf16", "bf16", "f32", "m, k", "n, k", 96, 72, 200, 32),
      new Product("turned", "f16", "f16", "f32", "k, m", "k, n", 72, 40, 144, 32),
      new Product("large", "bf16", "bf16", "f32", "m, k", "k, n", 1664, 640, 16, 128),
      new Product("larger", "f16", "f16", "f32", "m, k", "n, k", 2048, 2048, 264, 256),
      new Product("bytes", "i8", "i8", "i32", "m, k", "n, k", 48, 64, 160, 32),
      new Product("turned_bytes", "u8", "i8", "i32", "m, k", "k, n", 65, 50, 41, 32));

  private static KernelPlan plan(Cascade cascade, Numerics numerics) {
    Target target = Target.gpu(MACHINE.sharedBytes()).withTiles(MACHINE.tiles()).withWarpgroupTiles(MACHINE.warpgroupTiles());
    return new Pipeline(PipelineOptions.of(target).withNumerics(numerics), _ -> { }, _ -> { }).compile(cascade, new TreeMap<>());
  }

  private static String source(Product product, Numerics numerics) {
    return CudaFile.of(plan(product.cascade(), numerics), product.name, MACHINE).source();
  }

  @TestFactory
  List<DynamicTest> onHost(@TempDir Path folder) throws IOException {
    Assumptions.assumeTrue(CudaOnHost.isPossible(), "no g++");
    CudaOnHost host = CudaOnHost.compile(including(folder));
    return PRODUCTS.stream().filter(product -> product.columns < 256).map(product -> DynamicTest.dynamicTest(product.name, () -> {
      assertTrue(Files.readString(folder.resolve(product.name + ".cu")).contains("wgmma.mma_async.sync.aligned.m64n" + product.columns + "k"));
      Cascade cascade = product.cascade();
      List<Array> inputs = Programs.inputs(cascade, new TreeMap<>());
      Programs.requireClose(Programs.reference(cascade, inputs), host.run(product.name, plan(cascade, Numerics.REASSOCIATE), inputs), product.name);
    })).toList();
  }

  /// `ptxas` spills no registers, and says nothing of products, such as that it puts them in order.
  @Test
  void compiledForDevices(@TempDir Path folder) throws IOException {
    Assumptions.assumeTrue(Compiler.isThere("nvcc"), "no nvcc");
    String said = Compiler.run(List.of("nvcc", "-std=c++17", "-fmad=false", "-Werror", "all-warnings", "-Xptxas", "-warn-spills", "-cubin", "-arch=sm_90a",
        "-o", folder.resolve("device.cubin").toString(), including(folder).toString()));
    assertFalse(said.contains("wgmma") || said.contains("GMMA"), said);
  }

  private static Path including(Path folder) throws IOException {
    for (Product product : PRODUCTS) {
      Files.writeString(folder.resolve(product.name + ".cu"), source(product, Numerics.REASSOCIATE));
    }
    Files.writeString(folder.resolve("weighted.cu"), weighted(2048));
    return Files.writeString(folder.resolve("all.cu"), Stream.concat(PRODUCTS.stream().map(Product::name), Stream.of("weighted"))
        .map(name -> "#include \"" + name + ".cu\"\n").collect(Collectors.joining()));
  }

  /// A product of `rows` rows with weights.
  private static String weighted(int rows) {
    String text = """
        weights "none.safetensors"

        def main(X: bf16[%1$d, 264]) -> f32[%1$d, 2040] {
          weight W: bf16[264, 2040] = "W"
          Y[m, n] = sum[k](f32(X[m, k]) * f32(W[k, n]))
          return Y
        }
        """.formatted(rows);
    Cascade cascade = EinReader.read(new Source("weighted.ein", text), Optional.empty()).cascade(new TreeMap<>());
    return CudaFile.of(plan(cascade, Numerics.REASSOCIATE), "weighted", MACHINE).source();
  }

  /// A stage of weights is one copy; few rows are no tiles of groups, and read the weights as they are.
  @Test
  void weightsArriveByThemselves() {
    assertTrue(weighted(2048).contains("bulk_copy(&right"));
    assertFalse(weighted(16).contains("cores"));
  }

  @Test
  void sumsStayInOrderWhereTheyMust() {
    assertFalse(source(PRODUCTS.getFirst(), Numerics.STRICT).contains("wgmma"));
  }

  @Test
  void whatOneCapabilityHas() {
    assertEquals("sm_90a", CTargets.gpu("sm_90a").name());
    assertEquals("sm_90", CTargets.gpu("sm_100a").name());
    assertEquals("sm_90a", CudaTargets.nameOf(90));
    assertEquals("sm_89", CudaTargets.nameOf(89));
    assertTrue(CTargets.gpu("sm_90").warpgroupTiles().isEmpty());
    assertEquals(CTargets.gpu("sm_90").tiles(), MACHINE.tiles());
  }
}
