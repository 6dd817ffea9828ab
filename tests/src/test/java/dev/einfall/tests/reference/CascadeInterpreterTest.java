package dev.einfall.tests.reference;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.einfall.backends.KernelFault;
import dev.einfall.backends.reference.Array;
import dev.einfall.backends.reference.CascadeInterpreter;
import dev.einfall.ir.BinaryOp;
import dev.einfall.ir.ElementType;
import dev.einfall.ir.Size;
import dev.einfall.ir.Span;
import dev.einfall.ir.UnaryOp;
import dev.einfall.ir.cascade.Cascade;
import dev.einfall.ir.cascade.Einsum;
import dev.einfall.ir.cascade.Expr;
import dev.einfall.ir.cascade.Mapping;
import dev.einfall.ir.cascade.Rank;
import dev.einfall.ir.cascade.Reduction;
import dev.einfall.ir.cascade.Tensor;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class CascadeInterpreterTest {
  private final Rank m = new Rank("m", Size.named("M"));
  private final Rank n = new Rank("n", Size.named("N"));
  private final Tensor x = new Tensor("X", ElementType.F32, List.of(m.size(), n.size()), Span.NONE);
  private final Array data = Array.random(ElementType.F32, 7, 5, 9);

  @Test
  void aProductOfMatrices() {
    Rank k = new Rank("k", n.size());
    Rank p = new Rank("p", Size.named("P"));
    Tensor w = new Tensor("W", ElementType.F32, List.of(p.size(), k.size()), Span.NONE);
    Expr product = new Expr.Binary(BinaryOp.MUL, at(x, m, k), at(w, p, k));
    Array weights = Array.random(ElementType.F32, 8, 4, 9);
    Array result = run(List.of(m, p), new Expr.Reduce(Reduction.SUM, List.of(k), product), x, data, w, weights);
    double[] expected = new double[5 * 4];
    for (int i = 0; i < 20; i++) {
      for (int j = 0; j < 9; j++) {
        expected[i] += data.numbers()[i / 4 * 9 + j] * weights.numbers()[i % 4 * 9 + j];
      }
    }
    assertArrayEquals(expected, result.numbers());
  }

  @Test
  void aSoftmaxWrittenInOneExpression() {
    Rank inner = new Rank("n", n.size());
    Rank outer = new Rank("n", n.size());
    Expr exponential = exponential(m, n, inner);
    Rank last = new Rank("n", n.size());
    Expr sum = new Expr.Reduce(Reduction.SUM, List.of(outer), exponential(m, outer, last));
    Array result = run(List.of(m, n), new Expr.Binary(BinaryOp.DIV, exponential, sum), x, data);
    for (int row = 0; row < 5; row++) {
      double largest = Double.NEGATIVE_INFINITY;
      double denominator = 0;
      for (int i = 0; i < 9; i++) {
        largest = Math.max(largest, data.numbers()[row * 9 + i]);
      }
      for (int i = 0; i < 9; i++) {
        denominator += Math.exp(data.numbers()[row * 9 + i] - largest);
      }
      for (int i = 0; i < 9; i++) {
        assertEquals(Math.exp(data.numbers()[row * 9 + i] - largest) / denominator, result.numbers()[row * 9 + i], 1e-15);
      }
    }
  }

  private Expr exponential(Rank row, Rank column, Rank inner) {
    Expr largest = new Expr.Reduce(Reduction.MAX, List.of(inner), at(x, row, inner));
    return new Expr.Unary(UnaryOp.EXP, new Expr.Binary(BinaryOp.SUB, at(x, row, column), largest));
  }

  @Test
  void anAccessOutsideGivesTheOrValue() {
    Expr left = new Expr.Binary(BinaryOp.SUB, new Expr.Coordinate(n), Expr.index(1));
    Expr access = new Expr.Access(x, List.of(new Expr.Coordinate(m), left), Optional.of(number(0.5)));
    Array result = run(List.of(m, n), access, x, data);
    assertEquals(0.5, result.numbers()[9]);
    assertEquals(data.numbers()[9], result.numbers()[10]);
  }

  @Test
  void anAccessOutsideWithoutOrIsAnErrorUnlessItIsNotTaken() {
    Expr left = new Expr.Binary(BinaryOp.SUB, new Expr.Coordinate(n), Expr.index(1));
    Expr access = new Expr.Access(x, List.of(new Expr.Coordinate(m), left));
    KernelFault fault = assertThrows(KernelFault.class, () -> run(List.of(m, n), access, x, data));
    assertEquals("index 2 of X must be in 0..8 but is -1", fault.getMessage());
    Expr inside = new Expr.Binary(BinaryOp.GE, left, Expr.index(0));
    assertEquals(2, run(List.of(m, n), new Expr.Select(inside, access, number(2)), x, data).numbers()[0]);
  }

  @Test
  void positionsAreTheFirstOfEqualValues() {
    Array ties = Array.of(new float[] {1, 3, 3, -2, 0, -2}, 2, 3);
    Rank k = new Rank("k", n.size());
    assertArrayEquals(new long[] {1, 1},
        run(List.of(m), new Expr.Reduce(Reduction.ARGMAX, List.of(k), at(x, m, k)), x, ties).integers());
    assertArrayEquals(new long[] {0, 0},
        run(List.of(m), new Expr.Reduce(Reduction.ARGMIN, List.of(k), at(x, m, k)), x, ties).integers());
  }

  @Test
  void anEmptyRankReducesToTheIdentity() {
    Rank k = new Rank("k", n.size());
    Array empty = new Array(ElementType.F32, 2, 0);
    assertArrayEquals(new double[] {Double.NEGATIVE_INFINITY, Double.NEGATIVE_INFINITY},
        run(List.of(m), new Expr.Reduce(Reduction.MAX, List.of(k), at(x, m, k)), x, empty).numbers());
    assertEquals(0, run(List.of(m, n), at(x, m, n), x, empty).elements());
  }

  @Test
  void integersWrapAndFloorAndSaturate() {
    assertEquals(-2, integer(new Expr.Binary(BinaryOp.DIV, Expr.index(-3), Expr.index(2))));
    assertEquals(1, integer(new Expr.Binary(BinaryOp.MOD, Expr.index(-3), Expr.index(2))));
    assertEquals(Integer.MIN_VALUE, integer(new Expr.Binary(BinaryOp.ADD, Expr.index(Integer.MAX_VALUE), Expr.index(1))));
    assertEquals(255, integer(new Expr.Cast(ElementType.U8, number(300))));
    assertEquals(0, integer(new Expr.Cast(ElementType.I32, number(Double.NaN))));
    assertEquals(44, integer(new Expr.Cast(ElementType.U8, Expr.index(300))));
    assertEquals(-3, integer(new Expr.Cast(ElementType.I32, number(-3.9))));
    assertThrows(KernelFault.class, () -> integer(new Expr.Binary(BinaryOp.MOD, Expr.index(1), Expr.index(0))));
  }

  @Test
  void theErrorFunctionIsExact() {
    double[] expected = {0, 0.5204998778130465, 0.8427007929497149, 0.9953222650189527, 0.9999779095030014, 1};
    double[] arguments = {0, 0.5, 1, 2, 3, 7};
    for (int i = 0; i < expected.length; i++) {
      Expr erf = new Expr.Unary(UnaryOp.ERF, new Expr.FloatLiteral(ElementType.F64, -arguments[i]));
      assertEquals(-expected[i], run(List.of(), erf).numbers()[0], 1e-15);
    }
  }

  @Test
  void shapesThatDoNotFitAreTheCallersMistake() {
    Rank k = new Rank("k", m.size());
    Tensor square = new Tensor("Q", ElementType.F32, List.of(m.size(), m.size()), Span.NONE);
    assertThrows(IllegalArgumentException.class, () -> run(List.of(m, k), at(square, m, k), square, data));
    assertThrows(IllegalArgumentException.class, () -> run(List.of(m, n), at(x, m, n)));
  }

  private long integer(Expr value) {
    return run(List.of(), value).integers()[0];
  }

  private static Expr number(double value) {
    return Expr.literal(ElementType.F32, value);
  }

  private static Expr at(Tensor tensor, Rank... ranks) {
    return new Expr.Access(tensor, java.util.Arrays.stream(ranks).<Expr>map(Expr.Coordinate::new).toList());
  }

  /// `Y[ranks] = value`, run over pairs of a tensor and its array.
  private static Array run(List<Rank> ranks, Expr value, Object... tensorsAndArrays) {
    Map<Tensor, Array> inputs = new LinkedHashMap<>();
    for (int i = 0; i < tensorsAndArrays.length; i += 2) {
      inputs.put((Tensor) tensorsAndArrays[i], (Array) tensorsAndArrays[i + 1]);
    }
    Tensor y = new Tensor("Y", value.type(), ranks.stream().map(Rank::size).toList(), Span.NONE);
    Cascade cascade = new Cascade("c", List.copyOf(inputs.keySet()), List.of(),
        List.of(new Einsum(y, ranks, value, Span.NONE)), List.of(new Cascade.Output("Y", y)), Mapping.NONE);
    return CascadeInterpreter.run(cascade, inputs).get(y);
  }
}
