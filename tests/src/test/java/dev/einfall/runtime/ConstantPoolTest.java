package dev.einfall.runtime;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.einfall.frontend.LoopReader;
import dev.einfall.ir.Source;
import dev.einfall.ir.loop.Buffer;
import dev.einfall.ir.loop.KernelPlan;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.Test;

class ConstantPoolTest {
  private static final KernelPlan PLAN = LoopReader.read(new Source("p.loop", """
      kernel copy(F: f32[4], A: f32[4]) {
        for i in 0..4 {
          A[i] = F[i]
        }
      }
      plan p {
        input X: f32[4]
        weight F: f32[4] = "F"
        constant A: f32[4]
        constant B: f32[4]
        output Y: f32[4] = "Y"
        arena 0
        setup copy(F, A)
        setup copy(A, B)
        launch copy(B, Y)
      }
      """)).plan().orElseThrow();

  private static List<Call> calls(List<KernelPlan.Launch> launches) {
    return launches.stream().map(launch -> new Call("copy", null, launch.arguments(), Set.of(1), Optional.empty())).toList();
  }

  private static ConstantPool.Held<Call> hold(ConstantPool pool) {
    return pool.hold(PLAN, calls(PLAN.setup()), calls(PLAN.launches()));
  }

  private static Buffer constant(int index) {
    return PLAN.constants().get(index);
  }

  @Test
  void keepsWhatLaunchesRead() {
    ConstantPool.Held<Call> held = hold(new ConstantPool(ConstantPool.Place::ofHost));
    assertEquals(Set.of(constant(1)), held.constants().keySet());
    assertEquals(Set.of(constant(0)), held.steps().keySet(), "only on the way");
    assertEquals(2, held.toRun().size());
    held.releaseSteps();
    assertEquals(Set.of(constant(1)), held.addresses().keySet());
    held.release();
  }

  @Test
  void makesNothingTwice() {
    ConstantPool pool = new ConstantPool(ConstantPool.Place::ofHost);
    ConstantPool.Held<Call> first = hold(pool);
    first.releaseSteps();
    ConstantPool.Held<Call> second = hold(pool);
    assertEquals(List.of(), second.toRun(), "also where what it came from is gone");
    assertEquals(Map.of(constant(1), first.addresses().get(constant(1))), second.addresses());
    first.release();
    second.release();
  }

  @Test
  void makesAgainWhatNobodyHolds() {
    ConstantPool pool = new ConstantPool(ConstantPool.Place::ofHost);
    ConstantPool.Held<Call> first = hold(pool);
    first.release();
    ConstantPool.Held<Call> second = hold(pool);
    assertEquals(2, second.toRun().size());
    assertTrue(second.addresses().keySet().containsAll(PLAN.constants()));
    second.release();
  }
}
