package dev.einfall.tests.jvm;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.einfall.backends.KernelFault;
import dev.einfall.backends.jvm.JvmBackend;
import dev.einfall.backends.jvm.JvmOptions;
import dev.einfall.backends.reference.Array;
import dev.einfall.ir.BinaryOp;
import dev.einfall.ir.ElementType;
import dev.einfall.ir.loop.Kernel;
import dev.einfall.ir.UnaryOp;
import java.lang.foreign.Arena;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

/// Bytecode gives what the reference interpreter gives.
class JvmBackendTest {

  @TestFactory
  Stream<DynamicTest> everyOperationOnEveryType() {
    return Stream.of(ElementType.values()).flatMap(type -> Stream.of(1, 2, 4, 8, 16)
        .map(lanes -> DynamicTest.dynamicTest(type.text() + "x" + lanes, () -> operations(type, lanes))));
  }

  /// All operations of a type in one kernel, each to an output of its own.
  private static void operations(ElementType type, int lanes) {
    List<String> values = new ArrayList<>();
    List<ElementType> types = new ArrayList<>();
    Stream.of(UnaryOp.values()).filter(op -> op.accepts(type)).forEach(op -> {
      String x = op == UnaryOp.LOG || op == UnaryOp.SQRT || op == UnaryOp.RSQRT ? "(a * a)" : "a";
      values.add(op.isFunction() ? op.text() + "(" + x + ")" : op.text() + "a");
      types.add(type);
    });
    Stream.of(BinaryOp.values()).filter(op -> op.accepts(type)).forEach(op -> {
      values.add(op.isFunction() ? op.text() + "(" + (op == BinaryOp.POW ? "a * a" : "a") + ", b)" : "a " + op.text() + " b");
      types.add(op.result(type));
    });
    Stream.of(ElementType.values()).filter(to -> to != type).forEach(to -> {
      values.add(to.text() + "(a)");
      types.add(to);
      if (to.bytes() == type.bytes() && !to.isBool()) {
        values.add("bitcast_" + to.text() + "(a)");
        types.add(to);
      }
    });
    values.add("select(a < b, a, b)");
    types.add(type);
    if (type.isFloat()) {
      values.add("fma(a, b, a)");
      types.add(type);
    }
    if (lanes > 1 && !type.isBool()) {
      values.addAll(List.of("zip_low(a, b)", "zip_high(a, b)"));
      types.addAll(List.of(type, type));
    }
    StringBuilder text = new StringBuilder("kernel k(A: " + type + "[32], B: " + type + "[32]");
    for (int i = 0; i < values.size(); i++) {
      text.append(", R").append(i).append(": ").append(types.get(i)).append("[32]");
    }
    String at = lanes == 1 ? "i" : "ramp(i * " + lanes + ", 1, " + lanes + ")";
    String valueType = lanes == 1 ? type.text() : type.text() + "x" + lanes;
    text.append(") {\n  for i in 0..").append(32 / lanes).append(" {\n    let a: ").append(valueType).append(" = A[").append(at)
        .append("]\n    let b: ").append(valueType).append(" = B[").append(at).append("]\n");
    for (int i = 0; i < values.size(); i++) {
      text.append("    R").append(i).append("[").append(at).append("] = ").append(values.get(i)).append("\n");
    }
    text.append("  }\n}\n");
    RunKernel.compare(text.toString(), 1e-6, RunKernel.numbers(type, 32, 1), RunKernel.divisors(type, 32));
  }

  @TestFactory
  Stream<DynamicTest> reductionsOverLanes() {
    return Stream.of("add", "mul", "min", "max").flatMap(op -> Stream.of(ElementType.F32, ElementType.F64, ElementType.I32,
        ElementType.I64, ElementType.I8, ElementType.F16).flatMap(type -> Stream.of(2, 4, 8, 16)
            .map(lanes -> DynamicTest.dynamicTest(op + " " + type + "x" + lanes, () -> RunKernel.compare("""
                kernel k(A: %2$s[16], R: %2$s[1]) {
                  R[0] = reduce_%1$s(A[ramp(0, 1, %3$d)])
                }
                """.formatted(op, type, lanes), 1e-2, RunKernel.numbers(type, 16, 2))))));
  }

  /// Of one vector, of two, and of three, for which there is no method.
  @TestFactory
  Stream<DynamicTest> permutes() {
    return Stream.of(ElementType.F32, ElementType.I32, ElementType.F64, ElementType.I8, ElementType.F16).flatMap(type -> Stream.of(2, 4, 8, 16)
        .map(lanes -> DynamicTest.dynamicTest(type + "x" + lanes, () -> RunKernel.compare("""
            kernel k(A: %1$s[64], C: i32[16], R: %1$s[16], S: %1$s[16], T: %1$s[16], U: %1$s[16]) {
              let a: %1$sx%2$d = A[ramp(0, 1, %2$d)]
              let b: %1$sx%2$d = A[ramp(16, 1, %2$d)]
              let c: i32x%2$d = C[ramp(0, 1, %2$d)]
              R[ramp(0, 1, %2$d)] = permute(c && broadcast(%3$d, %2$d), a)
              S[ramp(0, 1, %2$d)] = permute(c && broadcast(%4$d, %2$d), a, b)
              T[ramp(0, 1, %2$d)] = permute(c %% broadcast(%5$d, %2$d), a, b, A[ramp(32, 1, %2$d)])
              U[ramp(0, 1, %2$d)] = permute(min(max(c, broadcast(0, %2$d)), broadcast(%3$d, %2$d)), b)
            }
            """.formatted(type, lanes, lanes - 1, 2 * lanes - 1, 3 * lanes), 0, RunKernel.numbers(type, 64, 5), RunKernel.numbers(ElementType.I32, 16, 6)))));
  }

  /// Of vectors that the Vector API has and of wider ones, by bytes with all bits that they can have.
  @TestFactory
  Stream<DynamicTest> permutesOfBytes() {
    return Stream.of(2, 4, 8, 16, 32).map(lanes -> DynamicTest.dynamicTest("i32x" + lanes, () -> RunKernel.compare("""
        kernel k(A: i32[64], C: i32[32], R: i32[32], S: i32[32]) {
          let a: i32x%1$d = A[ramp(7, 1, %1$d)]
          let c: i32x%1$d = C[ramp(0, 1, %1$d)] * broadcast(77777777, %1$d)
          R[ramp(0, 1, %1$d)] = permute_bytes(c, a) + permute_bytes(shr(c, broadcast(3, %1$d)), a)
          S[ramp(0, 1, %1$d)] = permute_bytes(c, A[ramp(32, 1, %1$d)] * broadcast(1234567, %1$d))
        }
        """.formatted(lanes), 0, RunKernel.numbers(ElementType.I32, 64, 5), RunKernel.numbers(ElementType.I32, 32, 6))));
  }

  /// Of tables of two and of four vectors, by words that are read as bytes, by constants, and by what bytes were chosen for.
  @TestFactory
  Stream<DynamicTest> permutesOfBytesOfLongTables() {
    return Stream.of(2, 4, 8, 16).map(lanes -> DynamicTest.dynamicTest("i32x" + lanes, () -> RunKernel.compare("""
        kernel k(A: i32[64], C: i32[32], R: i32[32], S: i32[32], T: i32[32], U: i32[32]) {
          let a: i32x%1$d = A[ramp(7, 1, %1$d)] * broadcast(1234567, %1$d)
          let b: i32x%1$d = A[ramp(33, 1, %1$d)] * broadcast(7654321, %1$d)
          let c: i32x%1$d = C[ramp(0, 1, %1$d)] * broadcast(77777777, %1$d)
          let t: i32x%1$d = A[ramp(1, 1, %1$d)]
          let u: i32x%1$d = permute_bytes(c, b, t, a, t)
          R[ramp(0, 1, %1$d)] = permute_bytes(c, a, b) + permute_bytes(A[ramp(0, 1, %1$d)], t, a)
          S[ramp(0, 1, %1$d)] = permute_bytes(c, a, b, t, A[ramp(32, 1, %1$d)])
          T[ramp(0, 1, %1$d)] = permute_bytes(ramp(1090600960, 67372036, %1$d), u, permute_bytes(c, a, a, b, b))
          U[ramp(0, 1, %1$d)] = permute_bytes(ramp(201852930, 269488144, %1$d), u, permute_bytes(ramp(3, -5, %1$d), t))
        }
        """.formatted(lanes), 0, RunKernel.numbers(ElementType.I32, 64, 5), RunKernel.numbers(ElementType.I32, 32, 6))));
  }

  /// Of numbers of 16 bits that go beyond them, in vectors that the Vector API has and in wider ones; and what one instruction shifts, beside what looks nearly like it.
  @TestFactory
  Stream<DynamicTest> sumsOfHalvesAndShifts() {
    return Stream.of(2, 4, 8, 16, 32).map(lanes -> DynamicTest.dynamicTest("i32x" + lanes, () -> RunKernel.compare("""
        kernel k(A: i32[64], C: i32[32], R: i32[32], S: i32[32], T: i32[32], U: i32[32]) {
          let a: i32x%1$d = A[ramp(7, 1, %1$d)] * broadcast(987654321, %1$d)
          let c: i32x%1$d = C[ramp(0, 1, %1$d)] * broadcast(77777777, %1$d)
          R[ramp(0, 1, %1$d)] = add_halves(add_halves(a, c), add_halves(c, A[ramp(0, 1, %1$d)]))
          S[ramp(0, 1, %1$d)] = (shr(a, broadcast(8, %1$d)) && broadcast(16777215, %1$d)) + (broadcast(1, %1$d) && shr(c, broadcast(31, %1$d)))
          T[ramp(0, 1, %1$d)] = shr(a, broadcast(4, %1$d)) && broadcast(268435455, %1$d) || shl(a, broadcast(28, %1$d))
          U[ramp(0, 1, %1$d)] = (shr(a, broadcast(4, %1$d)) && broadcast(268435455, %1$d) || shl(c, broadcast(28, %1$d))) + (shr(a, broadcast(8, %1$d)) && broadcast(65535, %1$d))
        }
        """.formatted(lanes), 0, RunKernel.numbers(ElementType.I32, 64, 5), RunKernel.numbers(ElementType.I32, 32, 6))));
  }

  @Test
  void stridedAndGatheredAccesses() {
    RunKernel.compare("""
        kernel k(A: f32[64], I: i32[8], R: f32[8], S: f32[64], T: f32[64]) {
          for i in 0..64 {
            S[i] = 0.0
            T[i] = 0.0
          }
          R[ramp(0, 1, 8)] = A[ramp(3, 7, 8)] + A[ramp(7, -1, 8)]
          S[ramp(1, 5, 8)] = A[ramp(0, 1, 8)] * broadcast(2.0, 8)
          T[I[ramp(0, 1, 8)]] = A[I[ramp(0, 1, 8)] + broadcast(3, 8)]
        }
        """, 0, Array.random(ElementType.F32, 1, 64), Array.of(ElementType.I32, new long[] {3, 1, 4, 0, 5, 9, 2, 6}, 8));
  }

  @Test
  void narrowElementsWiden() {
    for (String type : List.of("i8", "u8", "i16", "bf16", "f16", "bool")) {
      RunKernel.compare("""
          kernel k(A: %1$s[32], R: f32[32], S: i32[32]) {
            for i in 0..4 {
              R[ramp(i * 8, 1, 8)] = f32(A[ramp(i * 8, 1, 8)])
              S[ramp(i * 8, 1, 8)] = i32(A[ramp(i * 8, 1, 8)])
            }
          }
          """.formatted(type), 0, RunKernel.numbers(ElementType.named(type).orElseThrow(), 32, 3));
    }
  }

  @Test
  void everyNumberOf16BitsWidens() {
    for (ElementType type : List.of(ElementType.F16, ElementType.BF16)) {
      for (int lanes : new int[] {4, 8, 16}) {
        List<String> remarks = RunKernel.compare("""
            kernel k(A: %s[65536], R: f32[65536]) {
              for i in 0..%d {
                R[ramp(i * %3$d, 1, %3$d)] = f32(A[ramp(i * %3$d, 1, %3$d)])
              }
            }
            """.formatted(type, 65536 / lanes, lanes), 0, everyNumber(type));
        assertEquals(List.of(), remarks);
      }
    }
  }

  private static Array everyNumber(ElementType type) {
    int shift = type == ElementType.BF16 ? 16 : 0;
    return Array.of(type, IntStream.range(0, 65536)
        .mapToDouble(bits -> shift > 0 ? Float.intBitsToFloat(bits << shift) : Float.float16ToFloat((short) bits)).toArray(), 65536);
  }

  @Test
  void masksOfWideElements() {
    RunKernel.compare("""
        kernel k(A: f64[8], M: i64[16], X: f32[16], R: f32[8], S: f32[16]) {
          let m: boolx8 = A[ramp(0, 1, 8)] < broadcast(f64(0.0), 8)
          R[ramp(0, 1, 8)] = select(m && (X[ramp(0, 1, 8)] > broadcast(0.25, 8)), broadcast(1.0, 8), X[ramp(8, 1, 8)])
          S[ramp(0, 1, 16)] = X[ramp(0, 1, 16)] + select(M[ramp(0, 1, 16)] == broadcast(i64(3), 16), broadcast(1.0, 16), f32(M[ramp(0, 1, 16)]))
        }
        """, 0, Array.random(ElementType.F64, 1, 8), Array.random(ElementType.I64, 2, 16), Array.random(ElementType.F32, 3, 16));
  }

  /// `reduceLanes` itself adds in one order while it is interpreted and in another once it is compiled.
  @Test
  void lanesAddUpInOneOrder() {
    Array values = Array.of(ElementType.F32, new double[] {1e8, 1, -1e8, 1, 3, 1e8, 0.1, -1e8}, 8);
    String text = """
        kernel k(A: f32[8], R: f32[1]) {
          for i in 0..%d {
            R[0] = reduce_add(A[ramp(0, 1, 8)])
          }
        }
        """;
    float[] half = {1e8f + 3, 1 + 1e8f, -1e8f + 0.1f, 1 + -1e8f};
    float sum = (half[0] + half[2]) + (half[1] + half[3]);
    for (int times : new int[] {1, 100_000}) {
      Array result = new Array(ElementType.F32, 1);
      RunKernel.run(RunKernel.read(text.formatted(times)), true, List.of(values, result));
      assertEquals(sum, result.numbers()[0]);
    }
  }

  @TestFactory
  Stream<DynamicTest> productsOfEveryWidth() {
    return Stream.of(4, 8, 16).flatMap(lanes -> Stream.of(1, 3, 12).map(rows -> DynamicTest.dynamicTest(
        rows + "x2 tile of f32x" + lanes, () -> {
          int panels = (40 + 2 * lanes - 1) / (2 * lanes);
          List<String> remarks = RunKernel.compare(Products.tile(rows, 2, lanes, 2 * rows, 40, 17), 1e-5,
              Array.random(ElementType.F32, 1, 2 * rows, 17), Array.random(ElementType.F32, 2, panels, 17, 2 * lanes));
          assertEquals(List.of(), remarks);
        })));
  }

  @Test
  void tasksAreTheIterationsOfTheParallelLoop() {
    var kernel = RunKernel.read("""
        kernel k(R: i32[7, 2]) {
          parallel for i in 0..7 {
            R[i, 0] = i
            R[i, 1] = i * i
          }
        }
        """);
    var code = new JvmBackend(JvmOptions.ofThisJvm()).compile(List.of(kernel), _ -> {}).getFirst();
    assertEquals(7, code.tasks());
    try (Arena arena = Arena.ofConfined()) {
      var memory = arena.allocate(7 * 2 * 4, 64);
      code.run(new long[] {memory.address()}, 0, 2, 4);
      assertEquals(List.of(0L, 0L, 0L, 0L, 2L, 4L, 3L, 9L, 0L, 0L, 0L, 0L, 0L, 0L),
          Arrays.stream(Array.read(ElementType.I32, memory, 7, 2).integers()).boxed().toList());
    }
  }

  @Test
  void branchesAndLocalMemory() {
    RunKernel.compare("""
        kernel k(A: f32[10], R: f32[10]) {
          for i in 0..10 {
            alloc t: f32[4] in local {
              for j in 0..4 {
                if i + j < 10 && (A[i] > 0.0 || j == 2) {
                  t[j] = A[i] * f32(j)
                } else {
                  t[j] = -1.0
                }
              }
              R[i] = t[0] + t[1] * t[2] - t[3]
            }
          }
        }
        """, 1e-6, Array.random(ElementType.F32, 5, 10));
  }

  /// The sign of a zero shows in its inverse.
  @Test
  void whatRoundsToZeroKeepsItsSign() {
    RunKernel.compare("""
        kernel k(A: f32[8], F: f32[8], C: f32[8], R: f32[8]) {
          let a: f32x8 = A[ramp(0, 1, 8)]
          F[ramp(0, 1, 8)] = broadcast(1.0, 8) / floor(a)
          C[ramp(0, 1, 8)] = broadcast(1.0, 8) / ceil(a)
          R[ramp(0, 1, 8)] = broadcast(1.0, 8) / round(a)
        }
        """, 0, Array.of(ElementType.F32, new double[] {-0.7, -0.3, 0.3, 0.7, -0.0, 0.0, -1.2, 1.2}, 8));
  }

  /// Bit by bit: of the zeros 0 is the larger.
  @Test
  void clampsTreatNanAndZerosAsJavaDoes() {
    double[] values = {Double.NaN, 0.0, -0.0, 1, -1, Double.POSITIVE_INFINITY, Double.NEGATIVE_INFINITY, 0.5};
    for (float bound : new float[] {0f, -0f, 0.5f, Float.NEGATIVE_INFINITY}) {
      Kernel kernel = RunKernel.read("""
          kernel k(A: f32[8], L: f32[8], H: f32[8]) {
            L[ramp(0, 1, 8)] = max(A[ramp(0, 1, 8)], broadcast(%1$s, 8))
            H[ramp(0, 1, 8)] = min(broadcast(%1$s, 8), A[ramp(0, 1, 8)])
          }
          """.formatted(Float.isInfinite(bound) ? "-inf" : Float.toString(bound)));
      Array low = new Array(ElementType.F32, 8);
      Array high = new Array(ElementType.F32, 8);
      RunKernel.run(kernel, true, List.of(Array.of(ElementType.F32, values, 8), low, high));
      for (int i = 0; i < values.length; i++) {
        assertEquals(0, Double.compare(Math.max((float) values[i], bound), low.numbers()[i]), "max " + values[i] + " " + bound);
        assertEquals(0, Double.compare(Math.min((float) values[i], bound), high.numbers()[i]), "min " + values[i] + " " + bound);
      }
    }
  }

  @Test
  void comparisonsWithNanAreFalse() {
    double nan = Double.NaN;
    for (ElementType type : List.of(ElementType.F32, ElementType.F64)) {
      RunKernel.compare("""
          kernel k(A: %1$s[8], B: %1$s[8], L: bool[8], G: bool[8], E: bool[8], N: bool[8], M: %1$s[8], S: %1$s[8]) {
            let a: %1$sx8 = A[ramp(0, 1, 8)]
            let b: %1$sx8 = B[ramp(0, 1, 8)]
            L[ramp(0, 1, 8)] = a <= b
            G[ramp(0, 1, 8)] = a >= b
            E[ramp(0, 1, 8)] = a == b
            N[ramp(0, 1, 8)] = !(a < b) && a != b
            M[ramp(0, 1, 8)] = max(a, b)
            for i in 0..8 {
              S[i] = select(A[i] < B[i], A[i], select(A[i] > B[i], B[i], min(A[i], B[i])))
            }
          }
          """.formatted(type), 0, Array.of(type, new double[] {nan, 1, nan, 2, 3, -0.0, 5, 5}, 8),
          Array.of(type, new double[] {1, nan, nan, 3, 2, 0.0, 5, -5}, 8));
    }
  }

  @Test
  void aFailedRequireIsAFault() {
    String text = """
        kernel k(I: i64[4], R: i64[4]) {
          for i in 0..4 {
            require I[i] < i64(5), "id must be below 5 but is", I[i]
            R[i] = I[i]
          }
        }
        """;
    KernelFault fault = assertThrows(KernelFault.class, () -> RunKernel.run(RunKernel.read(text), true,
        List.of(Array.of(ElementType.I64, new long[] {1, 2, 77, 3}, 4), new Array(ElementType.I64, 4))));
    assertEquals("77", fault.value());
    assertTrue(fault.getMessage().contains("id must be below 5 but is"), fault.getMessage());
  }

  @Test
  void integerDivisionByZeroIsAFault() {
    String text = "kernel k(I: i32[1], R: i32[1]) {\n  R[0] = 7 / I[0]\n}\n";
    assertThrows(KernelFault.class, () -> RunKernel.run(RunKernel.read(text), true,
        List.of(new Array(ElementType.I32, 1), new Array(ElementType.I32, 1))));
  }

  @Test
  void largeBodiesAreSplitIntoMethods() {
    StringBuilder text = new StringBuilder("kernel k(A: f32[64], R: f32[64]) {\n");
    for (int i = 0; i < 2000; i++) {
      text.append("  R[").append(i % 64).append("] = A[").append(i * 7 % 64).append("] * 2.0 + ").append(i).append(".0\n");
    }
    List<String> remarks = RunKernel.compare(text.append("}\n").toString(), 1e-6, Array.random(ElementType.F32, 1, 64));
    assertEquals(List.of(), remarks);
  }

  @Test
  void threadsShareLoopsInside() {
    RunKernel.compare("""
        kernel k(A: f32[40, 20], Y: f32[40], Z: f64[40]) {
          alloc S: f32[40] in local {
            alloc one: f64[] in local {
              one[] = f64(1.5)
              for t in 0..3 {
                let s: f32 = A[t, 1] * 0.5
                let d: f64 = one[] + f64(0.25)
                let l: i64 = i64(t) * i64(3)
                parallel for m in 0..40 {
                  alloc P: f32[20] in local {
                    for k in 0..20 {
                      P[k] = A[m, k] * s
                    }
                    S[m] = P[0] + P[19] + f32(l)
                    Z[m] = d + f64(t) + one[]
                  }
                }
                parallel for n in 0..5 {
                  Y[n * 8] = Y[n * 8] + S[n * 8]
                }
                for r in 0..39 {
                  Y[r + 1] = Y[r] + S[39 - r]
                }
              }
            }
          }
        }
        """, 1e-5, RunKernel.numbers(ElementType.F32, 800, 3));
  }
}
