package dev.einfall.runtime;

import dev.einfall.backends.CompiledKernel;
import dev.einfall.ir.Diagnostic;
import dev.einfall.ir.Span;
import dev.einfall.ir.loop.Buffer;
import dev.einfall.ir.loop.Kernel;
import dev.einfall.ir.loop.KernelPlan;
import dev.einfall.passes.Decisions;
import dev.einfall.passes.PipelineOptions;
import dev.einfall.passes.Speeds;
import dev.einfall.passes.analysis.LeastCycles;
import dev.einfall.runtime.plans.PlanCache;
import dev.einfall.runtime.plans.PlanKey;
import dev.einfall.runtime.plans.ProgramIdentity;
import dev.einfall.runtime.plans.StoredKernel;
import dev.einfall.runtime.plans.StoredPlan;
import dev.einfall.runtime.tuning.Circumstances;
import dev.einfall.runtime.tuning.Entry;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.SortedMap;
import java.util.function.Supplier;

/// What a program was compiled to before, if the options name a directory for it.
///
/// @param cache empty where nothing is kept
/// @param options what is compiled for
/// @param maker what makes the code of kernels
/// @param warmUp whether kernels are warmed up and checked
record KeptPlans(Optional<PlanCache> cache, PipelineOptions options, CodeMaker maker, boolean warmUp) {

  /// Those for `options`. Nothing is kept where each kernel's time is asked for, as only the code of kernels is, nor where choices follow
  /// what nobody can compare.
  static KeptPlans of(Options options, PipelineOptions pipelineOptions, CodeMaker maker) {
    Optional<PlanCache> cache = cache(options);
    if (cache.isPresent() && PlanCache.build().isEmpty()) {
      options.remarks().accept(Diagnostic.remark(Span.NONE,
          "nothing is kept in " + cache.get().directory() + ": it cannot be known which build of the compiler this is"));
      return new KeptPlans(Optional.empty(), pipelineOptions, maker, options.warmUp());
    }
    return new KeptPlans(cache, pipelineOptions, maker, options.warmUp());
  }

  /// The directory that the options name, if there is something to keep.
  static Optional<PlanCache> cache(Options options) {
    boolean isPossible = options.launches().isEmpty() && options.decisions().findings() == Decisions.Findings.none();
    return options.cache().filter(_ -> isPossible)
        .map(directory -> new PlanCache(directory, problem -> options.remarks().accept(Diagnostic.remark(Span.NONE, problem))));
  }

  /// What the plan of `program` for `sizes` is kept as.
  ///
  /// @param measured what choices follow
  Optional<PlanKey> key(Supplier<ProgramIdentity> program, SortedMap<String, Long> sizes, List<Entry> measured) {
    StringBuilder text = new StringBuilder();
    measured.forEach(entry -> text.append(String.join("\t", entry.fields())).append('\n'));
    return cache.flatMap(_ -> PlanCache.build()).map(build ->
        PlanKey.of(build, program.get(), sizes, new Circumstances(options, maker.host()), text.toString(), warmUp));
  }

  Optional<StoredPlan> find(PlanKey key) {
    return cache.flatMap(kept -> kept.find(key));
  }

  /// Where the plan for `key` is.
  Path file(PlanKey key) {
    return cache.orElseThrow().file(key);
  }

  /// Keeps a plan.
  ///
  /// @param slow the digests of kernels that are slow and cannot be made better
  void keep(PlanKey key, KernelPlan plan, List<Call> setup, List<Call> launches, Set<String> slow) {
    Map<String, Integer> places = new LinkedHashMap<>();
    List<StoredKernel> kernels = new ArrayList<>();
    List<StoredPlan.Call> storedSetup = stored(setup, slow, places, kernels);
    List<StoredPlan.Call> storedLaunches = stored(launches, slow, places, kernels);
    KernelPlan frame = new KernelPlan(plan.name(), plan.inputs(), plan.weights(), plan.constants(), List.of(), List.of(), plan.outputs(), plan.arena());
    cache.orElseThrow().keep(key, new StoredPlan(frame, kernels, storedSetup, storedLaunches));
  }

  private List<StoredPlan.Call> stored(List<Call> calls, Set<String> slow, Map<String, Integer> places, List<StoredKernel> kernels) {
    List<StoredPlan.Call> stored = new ArrayList<>();
    for (Call call : calls) {
      int place = places.computeIfAbsent(call.digest(), digest -> {
        kernels.add(stored(call, slow.contains(digest)));
        return kernels.size() - 1;
      });
      stored.add(new StoredPlan.Call(place, call.arguments()));
    }
    return stored;
  }

  private StoredKernel stored(Call call, boolean isSlow) {
    Kernel kernel = call.kernel().orElseThrow();
    Speeds speeds = options.target().speeds();
    return new StoredKernel(call.digest(), maker.stored(call.code()), kernel.parameters().stream().map(Buffer::bytes).toList(), call.written(),
        new StoredKernel.Least(LeastCycles.ofTask(kernel, speeds), LeastCycles.computes(kernel, speeds)), isSlow);
  }

  /// Whether a kernel is slow that was not when it was kept.
  static boolean isWorse(StoredPlan plan, Workshop.Made made) {
    return plan.kernels().stream().anyMatch(kernel -> !kernel.isSlow() && made.slowDigests().contains(kernel.digest()));
  }

  /// Whether there is code of all kernels.
  ///
  /// @param codes by the digests of kernels
  static boolean isWhole(StoredPlan plan, Map<String, CompiledKernel> codes) {
    return plan.kernels().stream().allMatch(kernel -> codes.containsKey(kernel.digest()));
  }

  /// The calls of a plan that was kept.
  ///
  /// @param codes by the digests of kernels
  static List<Call> calls(StoredPlan plan, List<StoredPlan.Call> calls, Map<String, CompiledKernel> codes) {
    return calls.stream().map(call -> {
      StoredKernel kernel = plan.kernels().get(call.kernel());
      return new Call(kernel.digest(), codes.get(kernel.digest()), call.arguments(), kernel.written(), Optional.empty());
    }).toList();
  }
}
