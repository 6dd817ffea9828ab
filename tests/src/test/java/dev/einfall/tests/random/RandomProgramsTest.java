package dev.einfall.tests.random;

import static org.junit.jupiter.api.Assertions.fail;

import dev.einfall.backends.reference.Array;
import dev.einfall.backends.reference.CascadeInterpreter;
import dev.einfall.backends.reference.PlanInterpreter;
import dev.einfall.frontend.EinReader;
import dev.einfall.ir.Source;
import dev.einfall.ir.cascade.Cascade;
import dev.einfall.ir.cascade.CascadePrinter;
import dev.einfall.ir.cascade.CascadeVerifier;
import dev.einfall.ir.cascade.Tensor;
import dev.einfall.ir.loop.Buffer;
import dev.einfall.ir.loop.KernelPlan;
import dev.einfall.ir.loop.PlanVerifier;
import dev.einfall.passes.Pipeline;
import dev.einfall.passes.Target;
import dev.einfall.tests.Comparison;
import dev.einfall.tests.JvmRun;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;

/// Runs 300 random programs, always the same, in every way that there is, against the reference interpreter. A program that
/// fails is made smaller before it is shown.
class RandomProgramsTest {
  private static final int PROGRAMS = 300;
  private static final int[] VECTOR_BYTES = {4, 16, 32, 64};

  /// Values stay below 8, so this is the rounding of a few hundred operations on `f32`.
  private static final Comparison COMPARISON = new Comparison(2e-4);

  /// What goes wrong with a sample, if anything.
  private interface Check {
    Optional<String> problem(Sample sample);
  }

  @Test
  void textsReadBack() {
    checkAll(_ -> RandomProgramsTest::readBack);
  }

  @Test
  void plansComputeTheSame() {
    checkAll(seed -> sample -> plan(sample, VECTOR_BYTES[seed % VECTOR_BYTES.length]));
  }

  @Test
  void bytecodeComputesTheSame() {
    checkAll(seed -> sample -> bytecode(sample, 1 + seed % 2, VECTOR_BYTES[seed % VECTOR_BYTES.length]));
  }

  private static void checkAll(java.util.function.IntFunction<Check> checkOfSeed) {
    for (int seed = 0; seed < PROGRAMS; seed++) {
      Check check = checkOfSeed.apply(seed);
      Sample sample = SampleGenerator.sample(seed);
      if (safe(check, sample).isPresent()) {
        Sample smallest = Shrinking.shrink(sample, smaller -> safe(check, smaller).isPresent());
        fail("program " + seed + ": " + safe(check, smallest).get() + "\n" + smallest.sizesLine()
            + CascadePrinter.print(smallest.cascade()));
      }
    }
  }

  /// The problem, be it an exception; none if the reference interpreter itself declines the sample.
  private static Optional<String> safe(Check check, Sample sample) {
    try {
      CascadeInterpreter.run(sample.cascade(), sample.inputs());
    } catch (RuntimeException _) {
      return Optional.empty();
    }
    try {
      return check.problem(sample);
    } catch (RuntimeException problem) {
      return Optional.of(problem.toString());
    }
  }

  private static Optional<String> readBack(Sample sample) {
    CascadeVerifier.verify(sample.cascade());
    String text = CascadePrinter.print(sample.cascade());
    Cascade read = EinReader.read(new Source("random.ein", text), Optional.empty()).cascade();
    CascadeVerifier.verify(read);
    if (!text.equals(CascadePrinter.print(read))) {
      return Optional.of("reads back as\n" + CascadePrinter.print(read));
    }
    Map<Tensor, Array> inputs = new LinkedHashMap<>();
    List<Array> arrays = List.copyOf(sample.inputs().values());
    for (int i = 0; i < arrays.size(); i++) {
      inputs.put(read.inputs().get(i), arrays.get(i));
    }
    return difference(sample, outputs(read, CascadeInterpreter.run(read, inputs)), new Comparison(0));
  }

  private static List<Array> outputs(Cascade cascade, Map<Tensor, Array> arrays) {
    return cascade.outputs().stream().map(output -> arrays.get(output.tensor())).toList();
  }

  private static Optional<String> plan(Sample sample, int vectorBytes) {
    KernelPlan plan = new Pipeline(Target.of(vectorBytes, 2), _ -> { }, _ -> { }).compile(sample.cascade(), sample.sizes());
    PlanVerifier.verify(plan);
    Map<Buffer, Array> inputs = new LinkedHashMap<>();
    List<Array> arrays = List.copyOf(sample.inputs().values());
    for (int i = 0; i < arrays.size(); i++) {
      inputs.put(plan.inputs().get(i), arrays.get(i));
    }
    Map<Buffer, Array> results = PlanInterpreter.run(plan, inputs);
    return difference(sample, plan.outputs().stream().map(output -> results.get(output.buffer())).toList(), COMPARISON);
  }

  private static Optional<String> bytecode(Sample sample, int threads, int vectorBytes) {
    List<Array> inputs = List.copyOf(sample.inputs().values());
    return difference(sample,
        JvmRun.outputs(CascadePrinter.print(sample.cascade()), inputs, JvmRun.options(threads, vectorBytes)), COMPARISON);
  }

  private static Optional<String> difference(Sample sample, List<Array> actual, Comparison comparison) {
    List<Array> expected = outputs(sample.cascade(), CascadeInterpreter.run(sample.cascade(), sample.inputs()));
    for (int i = 0; i < expected.size(); i++) {
      Optional<String> difference = comparison.difference(expected.get(i), actual.get(i));
      if (difference.isPresent()) {
        return Optional.of(sample.cascade().outputs().get(i).name() + ": " + difference.get());
      }
    }
    return Optional.empty();
  }
}
