package dev.einfall.runtime;

import dev.einfall.ir.loop.Kernel;
import dev.einfall.ir.loop.KernelPlan;
import dev.einfall.passes.Decision;
import dev.einfall.passes.Decisions;
import dev.einfall.runtime.tuning.Workbench;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeSet;
import java.util.function.ObjLongConsumer;

/// Compiles one program with one choice after another. All share the code of equal kernels and the memory of equal constants, so that
/// only what differs is made anew.
///
/// @param inputs in order, of shapes for `sizes`
record ProgramWorkbench(PlanCompiler compiler, SortedMap<String, Long> sizes, List<Tensor> inputs) implements Workbench {

  @Override
  public Sample make(Decisions.Findings findings) {
    List<Decision> heard = new ArrayList<>();
    Times times = new Times();
    Decisions usual = compiler.decisions();
    CompiledPlan plan = compiler.compile(sizes, usual.withFindings(findings).withListener(decision -> {
      usual.listener().accept(decision);
      heard.add(decision);
    }), times);
    return new Compiled(plan, inputs, decisive(heard, plan.plan()), times);
  }

  /// Those of `decisions` that are not about what runs once, such as how weights are packed.
  private static List<Decision> decisive(List<Decision> decisions, KernelPlan plan) {
    Set<String> once = names(plan.setup());
    once.removeAll(names(plan.launches()));
    return decisions.stream().filter(decision -> !once.contains(decision.subject().substring(decision.subject().lastIndexOf(' ') + 1))).toList();
  }

  private static Set<String> names(List<KernelPlan.Launch> launches) {
    Set<String> names = new TreeSet<>();
    launches.forEach(launch -> names.add(launch.kernel().name()));
    return names;
  }

  /// The nanoseconds of the launches of a run.
  private static final class Times implements ObjLongConsumer<Kernel> {
    private final List<Long> nanos = new ArrayList<>();

    @Override
    public void accept(Kernel kernel, long nanoseconds) {
      nanos.add(nanoseconds);
    }
  }

  private record Compiled(CompiledPlan plan, List<Tensor> inputs, List<Decision> decisions, Times times) implements Sample {

    @Override
    public List<String> launches() {
      return plan.digests();
    }

    @Override
    public long[] run() {
      times.nanos.clear();
      plan.run(inputs, Set.of()).forEach(Tensor::close);
      return times.nanos.stream().mapToLong(Long::longValue).toArray();
    }

    @Override
    public void close() {
      plan.usage().close();
    }
  }
}
