package dev.einfall.tests.cuda;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.einfall.frontend.EinReader;
import dev.einfall.ir.cascade.Cascade;
import dev.einfall.ir.loop.Buffer;
import dev.einfall.ir.loop.Expr;
import dev.einfall.ir.loop.KernelPlan;
import dev.einfall.ir.loop.Stmt;
import dev.einfall.passes.Compute;
import dev.einfall.passes.Pipeline;
import dev.einfall.passes.PipelineOptions;
import dev.einfall.runtime.Einfall;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.parallel.Execution;
import org.junit.jupiter.api.parallel.ExecutionMode;

/// How many elements a program for a GPU loads from and stores to the device's memory, counted in its loops.
@Execution(ExecutionMode.CONCURRENT)
class CudaTrafficTest {
  private static final long HEADS = 32;
  private static final long ROWS = 512;
  private static final long KEYS = 1024;
  private static final long WIDTH = 64;
  private static final long ROWS_OF_BLOCK = 64;

  /// The scores of attention stay in the block: it reads the rows once, and keys and values once for each of its tiles of rows.
  @Test
  void attentionKeepsItsScores() {
    KernelPlan plan = plan(Compute.F32);
    assertEquals(1, plan.launches().size(), "one kernel");
    assertEquals(0, plan.arena().bytes(), "nothing between kernels");
    assertEquals(counts("Q", "K", "V"), counts(plan));
  }

  /// With factors of 16 bits, nothing but these lies between kernels.
  @Test
  void tilesKeepTheirScores() {
    KernelPlan plan = plan(Compute.BF16);
    assertEquals(2 * HEADS * WIDTH * (ROWS + 2 * KEYS), plan.arena().bytes(), "rounded factors between kernels");
    assertEquals(counts("Q_bf16", "K_bf16", "V_bf16"), counts(plan));
  }

  private static KernelPlan plan(Compute compute) {
    TreeMap<String, Long> sizes = new TreeMap<>(Map.of("B", 1L, "H", HEADS, "P", ROWS, "M", KEYS, "E", WIDTH, "F", WIDTH));
    Cascade cascade = EinReader.read(Einfall.source(Path.of("..", "grammar", "examples", "attention.ein")), Optional.empty()).cascade(sizes);
    return new Pipeline(PipelineOptions.of(Gpu.target()).withCompute(compute), _ -> { }, _ -> { }).compile(cascade, sizes);
  }

  private static Map<String, Long> counts(String rows, String keys, String values) {
    long tiles = HEADS * ROWS / ROWS_OF_BLOCK;
    return Map.of(rows, HEADS * ROWS * WIDTH, keys, tiles * KEYS * WIDTH, values, tiles * KEYS * WIDTH, "Z", HEADS * ROWS * WIDTH);
  }

  /// What the last kernel of `plan` loads and stores.
  private static Map<String, Long> counts(KernelPlan plan) {
    Map<String, Long> counts = new TreeMap<>();
    count(plan.launches().getLast().kernel().body(), 1, counts);
    return counts;
  }

  private static void count(Stmt statement, long times, Map<String, Long> counts) {
    statement.exprs().flatMap(Expr::nodes).forEach(node -> {
      if (node instanceof Expr.Load load) {
        count(load.buffer(), times * load.type().lanes(), counts);
      }
    });
    if (statement instanceof Stmt.Store store) {
      count(store.buffer(), times * store.value().type().lanes(), counts);
    }
    long inside = statement instanceof Stmt.For loop ? times * ((Expr.IntLiteral) loop.extent()).value() : times;
    statement.children().forEach(inner -> count(inner, inside, counts));
  }

  private static void count(Buffer buffer, long times, Map<String, Long> counts) {
    if (buffer.space() == Buffer.Space.GLOBAL) {
      counts.merge(buffer.name(), times, Long::sum);
    }
  }
}
