package dev.einfall.tests.reference;

import static dev.einfall.ir.loop.Expr.index;
import static dev.einfall.tests.loop.Loops.below;
import static dev.einfall.tests.loop.Loops.global;
import static dev.einfall.tests.loop.Loops.kernel;
import static dev.einfall.tests.loop.Loops.load;
import static dev.einfall.tests.loop.Loops.loop;
import static dev.einfall.tests.loop.Loops.number;
import static dev.einfall.tests.loop.Loops.plus;
import static dev.einfall.tests.loop.Loops.store;
import static dev.einfall.tests.loop.Loops.times;
import static dev.einfall.tests.loop.Loops.within;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.einfall.backends.KernelFault;
import dev.einfall.backends.reference.Array;
import dev.einfall.backends.reference.KernelInterpreter;
import dev.einfall.backends.reference.PlanInterpreter;
import dev.einfall.ir.BinaryOp;
import dev.einfall.ir.ElementType;
import dev.einfall.ir.InternalException;
import dev.einfall.ir.loop.Buffer;
import dev.einfall.ir.loop.Expr;
import dev.einfall.ir.loop.Kernel;
import dev.einfall.ir.loop.KernelPlan;
import dev.einfall.ir.loop.Stmt;
import dev.einfall.ir.loop.ValueType;
import dev.einfall.ir.loop.Var;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class KernelInterpreterTest {
  private final Buffer x = global("X", ElementType.F32, 8);
  private final Buffer y = global("Y", ElementType.F32, 8);
  private final Var i = Var.counter("i");

  @Test
  void aSumInARegister() {
    Buffer register = new Buffer("acc", ElementType.F32, List.of(1), Buffer.Space.REGISTER);
    Expr sum = new Expr.Fma(load(x, ref(i)), number(2), load(register, index(0)));
    Stmt body = Stmt.block(store(register, number(0), index(0)), loop(i, 8, store(register, sum, index(0))),
        store(y, load(register, index(0)), index(3)));
    assertEquals(56, run(new Stmt.Alloc(register, body)).numbers()[3]);
  }

  @Test
  void allLanesAreReadBeforeOneIsStored() {
    Expr lower = new Expr.Ramp(index(0), 1, 4);
    Expr upper = new Expr.Ramp(index(1), 1, 4);
    Stmt fill = loop(i, 8, store(y, load(x, ref(i)), ref(i)));
    assertArrayEquals(new double[] {0, 0, 1, 2, 3, 5, 6, 7}, run(Stmt.block(fill, store(y, load(y, lower), upper))).numbers());
  }

  @Test
  void lanesOfLetsBroadcastsAndReductions() {
    Var vector = new Var("v", new ValueType(ElementType.F32, 4));
    Expr sum = new Expr.Binary(BinaryOp.ADD, new Expr.Ref(vector), new Expr.Broadcast(load(x, index(7)), 4));
    Stmt body = new Stmt.Let(vector, load(x, new Expr.Ramp(index(0), 2, 4)), Stmt.block(
        store(y, sum, new Expr.Ramp(index(4), 1, 4)),
        store(y, new Expr.ReduceLanes(BinaryOp.MAX, new Expr.Ref(vector)), index(0)),
        store(y, new Expr.ReduceLanes(BinaryOp.ADD, sum), index(1)),
        loop(i, 2, store(y, ref(i, ElementType.F32), plus(ref(i), 2)))));
    assertArrayEquals(new double[] {6, 40, 0, 1, 7, 9, 11, 13}, run(body).numbers());
  }

  private static Expr ref(Var var, ElementType type) {
    return new Expr.Cast(type, new Expr.Ref(var));
  }

  private static Expr ref(Var var) {
    return new Expr.Ref(var);
  }

  @Test
  void branchesAndTails() {
    Var outer = Var.counter("o");
    Expr m = plus(times(ref(outer), 3), ref(i));
    Stmt body = loop(outer, 3, Stmt.For.Kind.PARALLEL, loop(i, 3, Stmt.For.Kind.VECTORIZED,
        new Stmt.If(below(m, 8), store(y, load(x, m), m), Stmt.NOTHING)));
    assertArrayEquals(new double[] {0, 1, 2, 3, 4, 5, 6, 7}, run(body).numbers());
  }

  @Test
  void bitsOfAPowerOfTwo() {
    Expr bits = new Expr.Binary(BinaryOp.SHL, index(127 + 3), index(23));
    assertEquals(8, run(store(y, new Expr.Bitcast(ElementType.F32, bits), index(0))).numbers()[0]);
  }

  @Test
  void aRequireThatFailsSaysItsValue() {
    Stmt body = loop(i, 9, new Stmt.Require(within(ref(i), 8), "i must be below 8 but is", ref(i)));
    KernelFault fault = assertThrows(KernelFault.class, () -> run(body));
    assertEquals("i must be below 8 but is 8", fault.getMessage());
  }

  @Test
  void anAccessOutOfBoundsIsAnInternalError() {
    assertThrows(InternalException.class, () -> run(loop(i, 9, store(y, load(x, ref(i)), index(0)))));
  }

  @Test
  void localMemoryStartsAsNaN() {
    Buffer local = new Buffer("t", ElementType.F32, List.of(2), Buffer.Space.LOCAL);
    assertTrue(Double.isNaN(run(new Stmt.Alloc(local, store(y, load(local, index(1)), index(0)))).numbers()[0]));
  }

  @Test
  void aPlanRunsItsSetupAndLaunches() {
    Buffer input = global("I", ElementType.F32, 8);
    Buffer weight = global("W", ElementType.F32, 8);
    Buffer constant = global("C", ElementType.F32, 8);
    Buffer output = global("O", ElementType.F32, 8);
    Kernel reverse = kernel(loop(i, 8, store(y, load(x, reversed(ref(i))), ref(i))), x, y);
    Buffer a = global("A", ElementType.F32, 8);
    Buffer b = global("B", ElementType.F32, 8);
    Buffer c = global("C", ElementType.F32, 8);
    Var j = Var.counter("j");
    Expr product = new Expr.Binary(BinaryOp.MUL, load(a, ref(j)), load(b, ref(j)));
    Kernel multiply = kernel(loop(j, 8, store(c, product, ref(j))), a, b, c);
    KernelPlan plan = new KernelPlan("p", List.of(input), List.of(new KernelPlan.Weight(weight, "w")), List.of(constant),
        List.of(new KernelPlan.Launch(reverse, List.of(weight, constant))),
        List.of(new KernelPlan.Launch(multiply, List.of(input, constant, output))),
        List.of(new KernelPlan.Output("O", output)), KernelPlan.Arena.EMPTY);
    Array numbers = Array.of(new float[] {0, 1, 2, 3, 4, 5, 6, 7}, 8);
    Map<Buffer, Array> result = PlanInterpreter.run(plan, Map.of(input, numbers, weight, numbers));
    assertArrayEquals(new double[] {0, 6, 10, 12, 12, 10, 6, 0}, result.get(output).numbers());
  }

  private static Expr reversed(Expr index) {
    return new Expr.Binary(BinaryOp.SUB, index(7), index);
  }

  /// Runs `body` with X = 0, 1, ... 7; gives Y, which starts as zeros.
  private Array run(Stmt body) {
    Array result = new Array(ElementType.F32, 8);
    KernelInterpreter.run(kernel(body, x, y), List.of(Array.of(new float[] {0, 1, 2, 3, 4, 5, 6, 7}, 8), result));
    return result;
  }
}
