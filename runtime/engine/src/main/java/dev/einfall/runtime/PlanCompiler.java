package dev.einfall.runtime;

import dev.einfall.backends.CompiledKernel;
import dev.einfall.ir.Diagnostic;
import dev.einfall.ir.InternalException;
import dev.einfall.ir.Span;
import dev.einfall.ir.cascade.Cascade;
import dev.einfall.ir.loop.Buffer;
import dev.einfall.ir.loop.Kernel;
import dev.einfall.ir.loop.KernelPlan;
import dev.einfall.passes.Decision;
import dev.einfall.passes.Decisions;
import dev.einfall.passes.Pipeline;
import dev.einfall.passes.cascade.BindSizes;
import dev.einfall.runtime.launch.WorkerPool;
import dev.einfall.runtime.plans.PlanKey;
import dev.einfall.runtime.plans.StoredPlan;
import dev.einfall.runtime.tuning.Circumstances;
import dev.einfall.runtime.tuning.Entry;
import dev.einfall.runtime.tuning.Evidence;
import dev.einfall.runtime.tuning.Question;
import dev.einfall.runtime.tuning.RecordFile;
import dev.einfall.runtime.tuning.TuningKey;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.SortedMap;
import java.util.function.Consumer;
import java.util.function.ObjLongConsumer;

/// Compiles one program for one assignment of sizes after another. The plans share the code of equal kernels and the memory
/// of equal constants.
final class PlanCompiler {
  private final ProgramReading reading;
  private final Pipeline pipeline;
  private final CodeMaker maker;
  private final Consumer<Diagnostic> remarks;
  private final WorkerPool workers;
  private final Optional<ObjLongConsumer<Kernel>> timings;
  private final KernelCache kernels = new KernelCache();
  private final ConstantPool constants = new ConstantPool(ConstantPool.Place::ofHost);
  private final Optional<Path> tuning;
  private final KeptPlans kept;

  /// @param timings is told how long each launch of a run took
  /// @param tuning the directory of the records that choices follow
  /// @param kept what was compiled before
  PlanCompiler(ProgramReading reading, Pipeline pipeline, CodeMaker maker, WorkerPool workers,
      Optional<ObjLongConsumer<Kernel>> timings, Optional<Path> tuning, KeptPlans kept) {
    this.reading = reading;
    this.pipeline = pipeline;
    this.maker = maker;
    this.remarks = pipeline.remarks();
    this.workers = workers;
    this.timings = timings;
    this.tuning = tuning;
    this.kept = kept;
  }

  /// The program for `sizes`, with the choices that were found best if there is a record of it; as it was kept, if it was.
  CompiledPlan compile(SortedMap<String, Long> sizes) {
    ProgramReading.Read read = reading.at(sizes);
    // Where nothing was measured yet, the key of the record need not be known.
    boolean isMeasured = tuning.filter(Files::isDirectory).isPresent();
    List<Entry> entries = isMeasured ? told(record(tuning.get(), read.cascade(), sizes)) : List.of();
    Optional<PlanKey> key = kept.key(read::identity, sizes, entries);
    return loaded(key, read).orElseGet(() -> compile(read, sizes, entries, key));
  }

  private CompiledPlan compile(ProgramReading.Read read, SortedMap<String, Long> sizes, List<Entry> entries, Optional<PlanKey> key) {
    Evidence evidence = Evidence.of(entries);
    Decisions decisions = entries.isEmpty() ? decisions() : decisions().withFindings(evidence);
    CompiledPlan compiled = finished(read, sizes, decisions, evidence, true, tuning, timings, key);
    tell(evidence, read.cascade().name());
    return compiled;
  }

  private void tell(Evidence evidence, String name) {
    if (evidence.answered() > 0) {
      remarks.accept(Diagnostic.remark(Span.NONE, evidence.answered() + " kinds of choices for " + name + " are as measured, not as modelled"));
    }
    List<String> outdated = evidence.outdated();
    if (!outdated.isEmpty()) {
      remarks.accept(Diagnostic.remark(Span.NONE, "ignored what was measured for " + name + " about " + String.join(", ", outdated)
          + ": there are other alternatives or other costs now"));
    }
  }

  /// What is in `record`; what was ignored there is told.
  List<Entry> told(RecordFile record) {
    RecordFile.Contents contents = record.read();
    contents.problems().forEach(problem -> remarks.accept(Diagnostic.remark(Span.NONE, problem)));
    return contents.entries();
  }

  /// Where what is measured of the program for `sizes` is recorded.
  RecordFile record(Path directory, SortedMap<String, Long> sizes) {
    return record(directory, reading.at(sizes).cascade(), sizes);
  }

  private RecordFile record(Path directory, Cascade cascade, SortedMap<String, Long> sizes) {
    Cascade bound = new BindSizes(sizes).apply(cascade, _ -> {});
    return new RecordFile(directory, TuningKey.of(bound, sizes, new Circumstances(pipeline.options(), maker.host())));
  }

  /// The program for `sizes`, with the choices given.
  ///
  /// @param launches is told how long each launch of a run took
  CompiledPlan compile(SortedMap<String, Long> sizes, Decisions decisions, ObjLongConsumer<Kernel> launches) {
    return finished(reading.at(sizes), sizes, decisions, Evidence.of(List.of()), false, Optional.empty(), Optional.of(launches), Optional.empty());
  }

  Decisions decisions() {
    return pipeline.options().decisions();
  }

  /// A plan, its code, and what was decided about it.
  private record Attempt(KernelPlan plan, Workshop.Made made, List<Decision> decisions) {

    Map<Kernel, Double> slow() {
      return SecondChoice.ofCalls(made.slow(), plan);
    }
  }

  /// One at a time: compiling keeps all cores busy, and the second may find what the first made.
  ///
  /// @param evidence what is known of the shapes of kernels
  /// @param mayChange whether another choice may be made where the first turns out badly
  /// @param directory where the record is that what is found out about kernels goes to
  /// @param key what the plan is kept as
  private synchronized CompiledPlan finished(ProgramReading.Read read, SortedMap<String, Long> sizes, Decisions decisions,
      Evidence evidence, boolean mayChange, Optional<Path> directory, Optional<ObjLongConsumer<Kernel>> launches, Optional<PlanKey> key) {
    Map<String, CompiledKernel> known = kernels.known();
    Attempt attempt = attempt(read, sizes, decisions, evidence, known.keySet());
    List<Entry> learned = new ArrayList<>(learned(attempt));
    SecondChoice second = SecondChoice.of(attempt.slow(), attempt.decisions, decisions);
    if (mayChange && !second.isEmpty()) {
      known.putAll(attempt.made.codes());
      Attempt other = attempt(read, sizes, decisions.withFindings(second), evidence, known.keySet());
      if (second.isBetter(other.slow())) {
        attempt = other;
        learned.addAll(second.entries());
        remarks.accept(Diagnostic.remark(Span.NONE, second.text()));
      }
    }
    if (directory.isPresent() && !learned.isEmpty()) {
      keep(learned, record(directory.get(), read.cascade(), sizes));
    }
    KernelPlan plan = attempt.plan;
    kernels.add(attempt.made);
    List<Call> setup = KernelCache.calls(plan.setup(), known, attempt.made);
    List<Call> calls = KernelCache.calls(plan.launches(), known, attempt.made);
    if (key.isPresent()) {
      kept.keep(key.get(), plan, setup, calls, attempt.made.slowDigests());
    }
    return compile(plan, setup, calls, read.weights(), launches);
  }

  /// The program as it was kept; empty if it was not, or if the just-in-time compiler makes worse code of it here than where it was kept.
  private synchronized Optional<CompiledPlan> loaded(Optional<PlanKey> key, ProgramReading.Read read) {
    Optional<StoredPlan> found = key.flatMap(kept::find);
    if (found.isEmpty()) {
      return Optional.empty();
    }
    StoredPlan plan = found.get();
    Map<String, CompiledKernel> known = kernels.known();
    Workshop.Made made;
    try (Workshop workshop = maker.workshop(known.keySet(), Evidence.of(List.of()))) {
      plan.kernels().forEach(workshop::add);
      made = workshop.finish();
    }
    made.remarks().forEach(remarks);
    known.putAll(made.codes());
    if (KeptPlans.isWorse(plan, made) || !KeptPlans.isWhole(plan, known)) {
      remarks.accept(Diagnostic.remark(Span.NONE, read.identity().name() + " is compiled again"));
      return Optional.empty();
    }
    kernels.add(made);
    remarks.accept(Diagnostic.remark(Span.NONE, read.identity().name() + " is from " + kept.file(key.get()) + ", as it was compiled before"));
    return Optional.of(compile(plan.frame(), KeptPlans.calls(plan, plan.setup(), known), KeptPlans.calls(plan, plan.launches(), known),
        read.weights(), timings));
  }

  private Attempt attempt(ProgramReading.Read read, SortedMap<String, Long> sizes, Decisions decisions, Evidence evidence, Set<String> known) {
    List<Decision> heard = new ArrayList<>();
    Decisions listening = decisions.withListener(decision -> {
      heard.add(decision);
      decisions.listener().accept(decision);
    });
    try (Workshop workshop = maker.workshop(known, evidence)) {
      KernelPlan plan = plan(pipeline.withDecisions(listening), read.cascade(), sizes, workshop);
      Workshop.Made made = workshop.finish();
      made.remarks().forEach(remarks);
      return new Attempt(plan, made, heard);
    }
  }

  private static List<Entry> learned(Attempt attempt) {
    return attempt.made.learned().stream().map(one ->
        (Entry) new Entry.Better(Question.ofShape(one.better().digest()), one.shape().text(), one.gain())).toList();
  }

  private void keep(List<Entry> learned, RecordFile record) {
    try {
      learned.forEach(record::append);
    } catch (UncheckedIOException e) {
      // A program that runs needs no record.
      remarks.accept(Diagnostic.remark(Span.NONE, e.getMessage()));
    }
  }

  private CompiledPlan compile(KernelPlan plan, List<Call> setup, List<Call> launches, Weights weights,
      Optional<ObjLongConsumer<Kernel>> listener) {
    ConstantPool.Held<Call> held = constants.hold(plan, setup, launches);
    CompiledPlan compiled =
        new CompiledPlan(plan, held.toRun(), launches, fixed(plan, held, weights), workers, listener, held::release);
    try {
      compiled.fillConstants();
      held.releaseSteps();
      return compiled;
    } catch (RuntimeException | Error e) {
      compiled.usage().close();
      throw e;
    }
  }

  private static KernelPlan plan(Pipeline pipeline, Cascade cascade, SortedMap<String, Long> sizes, Workshop workshop) {
    try {
      return pipeline.compile(cascade, sizes, workshop::add);
    } catch (IllegalArgumentException | IllegalStateException e) {
      throw new InternalException("compiling " + cascade.name() + " for " + sizes + ": " + e.getMessage(), e);
    }
  }

  private Map<Buffer, Long> fixed(KernelPlan plan, ConstantPool.Held<Call> held, Weights weights) {
    Map<Buffer, Long> fixed = new IdentityHashMap<>();
    plan.weights().forEach(weight -> fixed.put(weight.buffer(), weights.get(weight.key()).data().address()));
    fixed.putAll(held.addresses());
    return fixed;
  }
}
