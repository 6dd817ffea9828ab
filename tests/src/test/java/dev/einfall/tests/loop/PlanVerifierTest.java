package dev.einfall.tests.loop;

import static dev.einfall.tests.loop.Loops.global;
import static dev.einfall.tests.loop.Loops.kernel;
import static dev.einfall.tests.loop.Loops.load;
import static dev.einfall.tests.loop.Loops.loop;
import static dev.einfall.tests.loop.Loops.ref;
import static dev.einfall.tests.loop.Loops.store;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.einfall.ir.ElementType;
import dev.einfall.ir.InternalException;
import dev.einfall.ir.loop.Buffer;
import dev.einfall.ir.loop.Kernel;
import dev.einfall.ir.loop.KernelPlan;
import dev.einfall.ir.loop.KernelPlan.Arena;
import dev.einfall.ir.loop.KernelPlan.Launch;
import dev.einfall.ir.loop.KernelPlan.Placement;
import dev.einfall.ir.loop.PlanVerifier;
import dev.einfall.ir.loop.Var;
import java.util.List;
import org.junit.jupiter.api.Test;

class PlanVerifierTest {
  private final Buffer input = f32("X");
  private final Buffer weight = f32("W");
  private final Buffer constant = f32("C");
  private final Buffer first = f32("T1");
  private final Buffer second = f32("T2");
  private final Buffer output = f32("Y");
  private final Kernel copy = copy(8);

  private final List<Launch> setup = List.of(launch(copy, weight, constant));
  private final List<Launch> launches =
      List.of(launch(copy, input, first), launch(copy, first, second), launch(copy, second, output));

  @Test
  void acceptsAPlanWhoseBuffersTakeTurns() {
    PlanVerifier.verify(plan(setup, launches, arena(128, 0, 64)));
    List<Launch> apart = List.of(launch(copy, input, first), launch(copy, first, output), launch(copy, input, second));
    PlanVerifier.verify(plan(setup, apart, arena(64, 0, 0)));
  }

  @Test
  void rejectsBuffersThatOverlapWhileBothLive() {
    rejects("live at the same time", plan(setup, launches, arena(64, 0, 0)));
  }

  @Test
  void rejectsAPlaceThatIsNotAlignedOrOutside() {
    rejects("is not aligned", plan(setup, launches, arena(128, 0, 32)));
    rejects("leaves the arena", plan(setup, launches, arena(64, 0, 64)));
    rejects("leaves the arena", plan(setup, launches, arena(128, 0, -64)));
  }

  @Test
  void rejectsAReadBeforeTheWrite() {
    List<Launch> early = List.of(launch(copy, first, second), launch(copy, input, first), launch(copy, second, output));
    rejects("k reads T1: f32[8] before it is written", plan(setup, early, arena(128, 0, 64)));
  }

  @Test
  void rejectsAnOutputOrConstantThatNobodyWrites() {
    rejects("output Y: f32[8] is not written", plan(setup, launches.subList(0, 2), arena(128, 0, 64)));
    rejects("constant C: f32[8] is not written", plan(List.of(), launches, arena(128, 0, 64)));
  }

  @Test
  void rejectsAStoreToWhatIsOnlyRead() {
    List<Launch> toInput = List.of(launch(copy, weight, input), launch(copy, input, output));
    rejects("stores to the INPUT X", plan(setup, toInput, arena(128, 0, 64)));
    List<Launch> toConstant = List.of(launch(copy, input, constant), launch(copy, input, output));
    rejects("stores to the CONSTANT C", plan(setup, toConstant, arena(128, 0, 64)));
  }

  @Test
  void rejectsAnArgumentOfAnotherShape() {
    rejects("for its parameter", plan(setup, List.of(launch(copy(9), input, output)), arena(128, 0, 64)));
  }

  @Test
  void rejectsAWrittenBufferThatIsPassedTwice() {
    List<Launch> inPlace = List.of(launch(copy, input, first), launch(copy, first, first), launch(copy, first, output));
    rejects("which is passed twice", plan(setup, inPlace, arena(128, 0, 64)));
  }

  @Test
  void rejectsABufferWithoutMemoryAndOneWithTwo() {
    rejects("which has no memory", plan(setup, List.of(launch(copy, f32("Z"), output)), arena(128, 0, 64)));
    Arena twice = new Arena(List.of(new Placement(output, 0)), 64);
    rejects("is both OUTPUT and ARENA", plan(setup, List.of(launch(copy, input, output)), twice));
  }

  @Test
  void rejectsAKernelThatIsWrong() {
    Buffer y = f32("Y");
    Var i = Var.counter("i");
    Kernel wrong = kernel(loop(i, 9, store(y, Loops.number(0), ref(i))), y);
    rejects("may be in 0..8", plan(setup, List.of(launch(wrong, output)), Arena.EMPTY));
  }

  private static Buffer f32(String name) {
    return global(name, ElementType.F32, 8);
  }

  private static Kernel copy(int extent) {
    Buffer from = global("from", ElementType.F32, extent);
    Buffer to = global("to", ElementType.F32, extent);
    Var i = Var.counter("i");
    return kernel(loop(i, extent, store(to, load(from, ref(i)), ref(i))), from, to);
  }

  private static Launch launch(Kernel kernel, Buffer... arguments) {
    return new Launch(kernel, List.of(arguments));
  }

  private Arena arena(long bytes, long firstAt, long secondAt) {
    return new Arena(List.of(new Placement(first, firstAt), new Placement(second, secondAt)), bytes);
  }

  private KernelPlan plan(List<Launch> setup, List<Launch> launches, Arena arena) {
    return new KernelPlan("p", List.of(input), List.of(new KernelPlan.Weight(weight, "w")), List.of(constant), setup,
        launches, List.of(new KernelPlan.Output("Y", output)), arena);
  }

  private static void rejects(String message, KernelPlan plan) {
    InternalException problem = assertThrows(InternalException.class, () -> PlanVerifier.verify(plan));
    assertTrue(problem.getMessage().contains(message), problem::getMessage);
  }
}
