package dev.einfall.tests.runtime;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.einfall.command.explain.KernelWork;
import dev.einfall.frontend.LoopReader;
import dev.einfall.ir.Source;
import org.junit.jupiter.api.Test;

class KernelWorkTest {

  @Test
  void countsAMultiplyAddOfAVectorAsTwoOfEachLane() {
    assertEquals(new KernelWork(2 * 8 * 100, (100 * 8 + 100 + 2 * 8) * 4), work("""
        kernel k(A: f32[100, 8], B: f32[100], C: f32[8]) {
          for i in 0..100 {
            C[ramp(0, 1, 8)] = fma(broadcast(B[i], 8), A[i, ramp(0, 1, 8)], C[ramp(0, 1, 8)])
          }
        }
        """));
  }

  @Test
  void countsWhatIsReadOfATable() {
    assertEquals(new KernelWork(0, 3 * 4 + 3 * 4 + 3 * 4), work("""
        kernel k(T: f32[30000], I: i32[3], Y: f32[3]) {
          for i in 0..3 {
            require I[i] >= 0 && I[i] < 30000, "out of the table", I[i]
            Y[i] = T[I[i]]
          }
        }
        """));
  }

  @Test
  void takesLoopsOfVaryingLengthForHalfAsLong() {
    assertEquals(new KernelWork(10 * 4.5, (10 + 10) * 4), work("""
        kernel k(X: f32[10], Y: f32[10]) {
          for i in 0..10 {
            for j in 0..i {
              Y[i] = X[j] * 2.0
            }
          }
        }
        """));
  }

  private static KernelWork work(String text) {
    return KernelWork.of(LoopReader.read(new Source("test.loop", text)).kernels().getFirst());
  }
}
