package dev.einfall.runtime;

import dev.einfall.backends.CompiledKernel;
import dev.einfall.backends.jvm.JvmBackend;
import dev.einfall.ir.Diagnostic;
import dev.einfall.ir.InternalException;
import dev.einfall.ir.cascade.Cascade;
import dev.einfall.ir.loop.Buffer;
import dev.einfall.ir.loop.Kernel;
import dev.einfall.ir.loop.KernelPlan;
import dev.einfall.passes.Pipeline;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SortedMap;
import java.util.function.Consumer;
import java.util.function.ObjLongConsumer;

/// Compiles one program for one assignment of sizes after another. The plans share the code of equal kernels and the memory
/// of equal constants.
final class PlanCompiler {
  private final ProgramReading reading;
  private final Pipeline pipeline;
  private final JvmBackend backend;
  private final Consumer<Diagnostic> remarks;
  private final WorkerPool workers;
  private final Optional<ObjLongConsumer<Kernel>> timings;
  private final KernelCache kernels = new KernelCache();
  private final ConstantPool constants = new ConstantPool();

  /// @param timings is told how long each launch of a run took
  PlanCompiler(ProgramReading reading, Pipeline pipeline, JvmBackend backend, WorkerPool workers,
      Optional<ObjLongConsumer<Kernel>> timings) {
    this.reading = reading;
    this.pipeline = pipeline;
    this.backend = backend;
    this.remarks = pipeline.remarks();
    this.workers = workers;
    this.timings = timings;
  }

  /// The program for `sizes`. One at a time: compiling keeps all cores busy, and the second may find what the first made.
  synchronized CompiledPlan compile(SortedMap<String, Long> sizes) {
    ProgramReading.Read read = reading.at(sizes);
    Map<String, CompiledKernel> known = kernels.known();
    try (KernelWorkshop workshop = new KernelWorkshop(backend, known.keySet())) {
      KernelPlan plan = plan(read.cascade(), sizes, workshop);
      KernelWorkshop.Made made = workshop.finish();
      made.remarks().forEach(remarks);
      return compile(plan, kernels.compiled(plan.setup(), known, made), kernels.compiled(plan.launches(), known, made), read.weights());
    }
  }

  private CompiledPlan compile(KernelPlan plan, List<KernelCache.Compiled> setup, List<KernelCache.Compiled> launches, Weights weights) {
    ConstantPool.Held held = constants.hold(plan, setup);
    CompiledPlan compiled =
        new CompiledPlan(plan, held.toRun(), launches, fixed(plan, held, weights), workers, timings, held::release);
    try {
      compiled.fillConstants();
      return compiled;
    } catch (RuntimeException | Error e) {
      compiled.usage().close();
      throw e;
    }
  }

  private KernelPlan plan(Cascade cascade, SortedMap<String, Long> sizes, KernelWorkshop workshop) {
    try {
      return pipeline.compile(cascade, sizes, workshop::add);
    } catch (IllegalArgumentException | IllegalStateException e) {
      throw new InternalException("compiling " + cascade.name() + " for " + sizes + ": " + e.getMessage(), e);
    }
  }

  private Map<Buffer, Long> fixed(KernelPlan plan, ConstantPool.Held held, Weights weights) {
    Map<Buffer, Long> fixed = new IdentityHashMap<>();
    plan.weights().forEach(weight -> fixed.put(weight.buffer(), weights.get(weight.key()).data().address()));
    held.constants().forEach((buffer, constant) -> fixed.put(buffer, constant.address()));
    return fixed;
  }
}
