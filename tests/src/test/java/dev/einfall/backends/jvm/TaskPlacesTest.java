package dev.einfall.backends.jvm;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.einfall.frontend.LoopReader;
import dev.einfall.ir.Source;
import dev.einfall.ir.loop.Stmt;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class TaskPlacesTest {

  private static List<Integer> tasks(String loop) {
    Stmt.For tasks = (Stmt.For) LoopReader.read(new Source("k.loop", "kernel k(Y: f32[64]) {" + loop + "}")).kernels().getFirst().body();
    TaskPlaces places = TaskPlaces.of(tasks);
    return IntStream.rangeClosed(0, Arithmetic.LAST_PLACE).map(places::task).boxed().toList();
  }

  @Test
  void areSpreadOverOneLoop() {
    assertEquals(List.of(0, 15, 31, 47, 63), tasks("parallel for i in 0..64 { Y[i] = 0.0 }"));
  }

  @Test
  void areSpreadOverEachLoopOfANest() {
    assertEquals(List.of(0, 0, 5, 10, 15), tasks("""
        parallel for task in 0..16 {
          let r: i32 = task / 4
          let s: i32 = task % 4
          Y[4 * r + s] = 0.0
        }"""));
  }

  @Test
  void areTasksWhereALetIsNoLoop() {
    assertEquals(List.of(0, 15, 31, 47, 63), tasks("""
        parallel for i in 0..64 {
          let j: i32 = i % 7
          Y[i] = f32(j)
        }"""));
  }
}
