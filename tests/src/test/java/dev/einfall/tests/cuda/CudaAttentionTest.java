package dev.einfall.tests.cuda;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.einfall.backends.cuda.CudaFile;
import dev.einfall.backends.reference.Array;
import dev.einfall.frontend.EinReader;
import dev.einfall.ir.Source;
import dev.einfall.ir.cascade.Cascade;
import dev.einfall.ir.loop.Expr;
import dev.einfall.ir.loop.KernelPlan;
import dev.einfall.ir.loop.Stmt;
import dev.einfall.passes.Compute;
import dev.einfall.passes.Pipeline;
import dev.einfall.passes.PipelineOptions;
import dev.einfall.tests.programs.Programs;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.TreeMap;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.api.parallel.Execution;
import org.junit.jupiter.api.parallel.ExecutionMode;

/// Attention with factors of 16 bits, whose products within a block are of tiles that a GPU multiplies.
@Execution(ExecutionMode.CONCURRENT)
class CudaAttentionTest {
  /// The factors are rounded to 8 bits, and most of what that changes cancels in sums.
  private static final double TOLERANCE = 0.02;

  /// Attention of some heads, rows, keys, and numbers of keys and values; the scores are what `scores` makes of the products.
  private record Attention(String name, int heads, int rows, int keys, int width, int values, String scores) {

    Cascade cascade() {
      String text = """
          def %s(Q: f32[%d, %d, %d], K: f32[%d, %d, %d], V: f32[%d, %d, %d]) -> f32[%d, %d, %d] {
            P[h, p, m] = sum[e](Q[h, p, e] * K[h, m, e])
            S[h, p, m] = %s
            A[h, p, m] = exp(S[h, p, m] - max[m](S[h, p, m]))
            Z[h, p, f] = sum[m](A[h, p, m] * V[h, m, f]) / sum[m](A[h, p, m])
            return Z
          }
          """.formatted(name, heads, rows, width, heads, keys, width, heads, keys, values, heads, rows, values, scores);
      return EinReader.read(new Source(name + ".ein", text), Optional.empty()).cascade(new TreeMap<>());
    }

    KernelPlan plan() {
      return new Pipeline(PipelineOptions.of(Gpu.target()).withCompute(Compute.BF16), _ -> { }, _ -> { }).compile(cascade(), new TreeMap<>());
    }

    String source() {
      return CudaFile.of(plan(), name, Gpu.machine()).source();
    }
  }

  private static final Attention WHOLE = new Attention("whole", 20, 64, 128, 32, 32, "P[h, p, m] * 0.25");
  private static final List<Attention> ALL = List.of(WHOLE,
      new Attention("odd", 40, 48, 100, 40, 24, "P[h, p, m] * 0.2"),
      new Attention("narrow_rows", 20, 70, 90, 25, 18, "P[h, p, m] * 0.2"),
      new Attention("causal", 20, 96, 96, 32, 64, "where(m <= p, P[h, p, m] * 0.25, -inf)"));

  @TestFactory
  List<DynamicTest> onHost(@TempDir Path folder) throws IOException {
    Assumptions.assumeTrue(CudaOnHost.isPossible(), "no g++");
    CudaOnHost host = CudaOnHost.compile(including(folder));
    return ALL.stream().map(attention -> DynamicTest.dynamicTest(attention.name, () -> {
      assertTrue(Files.readString(folder.resolve(attention.name + ".cu")).contains("mma_sync"));
      Cascade cascade = attention.cascade();
      List<Array> inputs = Programs.inputs(cascade, new TreeMap<>());
      requireClose(Programs.reference(cascade, inputs).getFirst(), host.run(attention.name, attention.plan(), inputs).getFirst());
    })).toList();
  }

  private static void requireClose(Array expected, Array actual) {
    for (int i = 0; i < expected.elements(); i++) {
      assertEquals(expected.floats()[i], actual.floats()[i], TOLERANCE, "element " + i);
    }
  }

  @Test
  void compiledForDevices(@TempDir Path folder) throws IOException {
    Assumptions.assumeTrue(Compiler.isThere("nvcc"), "no nvcc");
    Path all = including(folder);
    Compiler.run(List.of("nvcc", "-std=c++17", "-fmad=false", "-Werror", "all-warnings", "-Xcicc", "-O1", "-Xptxas", "-O0", "-fatbin", "--threads", "2",
        "-gencode", "arch=compute_80,code=sm_80", "-gencode", "arch=compute_90a,code=sm_90a", "-o", folder.resolve("device.fatbin").toString(), all.toString()));
  }

  private static Path including(Path folder) throws IOException {
    for (Attention attention : ALL) {
      Files.writeString(folder.resolve(attention.name + ".cu"), attention.source());
    }
    return Files.writeString(folder.resolve("all.cu"), ALL.stream().map(attention -> "#include \"" + attention.name + ".cu\"\n").collect(Collectors.joining()));
  }

  /// No thread adds up products of what it loads: warps multiply all tiles.
  @Test
  void productsAreOfTiles() {
    Stmt body = WHOLE.plan().launches().getLast().kernel().body();
    assertTrue(body.nodes().flatMap(Stmt::exprs).flatMap(Expr::nodes).filter(Expr.TileProduct.class::isInstance).map(node -> ((Expr.TileProduct) node).left())
        .distinct().count() >= 2);
    body.nodes().filter(node -> node instanceof Stmt.For loop && loop.kind() == Stmt.For.Kind.THREAD).forEach(loop ->
        assertFalse(loop.nodes().anyMatch(node -> node instanceof Stmt.For inner && inner.kind() == Stmt.For.Kind.SERIAL && multipliesLoads(inner)), loop::toString));
  }

  private static boolean multipliesLoads(Stmt statement) {
    return statement.nodes().flatMap(Stmt::exprs).flatMap(Expr::nodes).anyMatch(node -> node instanceof Expr.Fma(Expr left, Expr right, _) && loads(left) && loads(right));
  }

  private static boolean loads(Expr expr) {
    return expr.nodes().anyMatch(Expr.Load.class::isInstance);
  }
}
