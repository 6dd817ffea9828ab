package dev.einfall.runtime;

import dev.einfall.backends.CompiledKernel;
import dev.einfall.ir.loop.Buffer;
import dev.einfall.ir.loop.Kernel;
import dev.einfall.ir.loop.KernelPlan;
import java.util.ArrayList;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentLinkedDeque;
import java.util.function.ObjLongConsumer;
import java.util.stream.LongStream;

/// A plan whose kernels are compiled and whose constants have memory.
final class CompiledPlan implements Executable {
  private static final int PARTS_PER_THREAD = 16;

  private final KernelPlan plan;
  private final List<Call> setup;
  private final List<Call> launches;
  private final Map<Buffer, Long> fixed;
  private final WorkerPool workers;
  private final Optional<ObjLongConsumer<Kernel>> timings;
  private final ConcurrentLinkedDeque<RunMemory> idle = new ConcurrentLinkedDeque<>();
  private final List<OutputMemory> outputs;
  private final Usage usage;

  /// @param plan need have no launches
  /// @param setup the launches of the plan's setup that must run
  /// @param fixed the addresses of weights and constants
  /// @param timings is told how long each launch took; empty where the kernels are not known, but only their code
  /// @param release frees the constants
  CompiledPlan(KernelPlan plan, List<Call> setup, List<Call> launches,
      Map<Buffer, Long> fixed, WorkerPool workers,
      Optional<ObjLongConsumer<Kernel>> timings, Runnable release) {
    this.plan = plan;
    this.setup = setup;
    this.launches = launches;
    this.fixed = fixed;
    this.workers = workers;
    this.timings = timings;
    this.outputs = plan.outputs().stream().map(output -> new OutputMemory(output.buffer())).toList();
    this.usage = new Usage(() -> {
      freeIdle();
      outputs.forEach(OutputMemory::close);
      release.run();
    });
  }

  @Override
  public Usage usage() {
    return usage;
  }

  @Override
  public List<Tensor> run(List<Tensor> inputs, Set<Integer> givenUp) {
    List<Tensor> outputs = outputs(inputs, givenUp);
    RunMemory memory = idle.pollFirst();
    if (memory == null) {
      memory = memory(launches);
    }
    try {
      memory.place(tensors(inputs, outputs));
      runAll(launches, memory);
      return outputs;
    } catch (RuntimeException | Error e) {
      outputs.forEach(Tensor::close);
      throw e;
    } finally {
      idle.addFirst(memory);
    }
  }

  /// Names for the launches of a run, in order: equal for those of equal code.
  List<String> digests() {
    return launches.stream().map(Call::digest).toList();
  }

  KernelPlan plan() {
    return plan;
  }

  /// Fills the constants. Comes before any run.
  void fillConstants() {
    if (!setup.isEmpty()) {
      try (RunMemory memory = memory(setup)) {
        runAll(setup, memory);
      }
    }
  }

  private List<Tensor> outputs(List<Tensor> inputs, Set<Integer> givenUp) {
    List<Tensor> tensors = new ArrayList<>();
    try {
      for (int i = 0; i < plan.outputs().size(); i++) {
        tensors.add(output(plan.outputs().get(i), outputs.get(i), inputs, givenUp));
      }
      return tensors;
    } catch (RuntimeException | Error e) {
      tensors.forEach(Tensor::close);
      throw e;
    }
  }

  /// An output that starts as an input takes its memory if the caller gives it up, and a copy of it otherwise.
  private Tensor output(
      KernelPlan.Output output, OutputMemory memory, List<Tensor> inputs, Set<Integer> givenUp) {
    int start = output.start().map(plan.inputs()::indexOf).orElse(-1);
    if (givenUp.contains(start)) {
      return inputs.get(start).takeOver();
    }
    Tensor tensor = memory.tensor();
    if (start >= 0) {
      tensor.acquired().copyFrom(inputs.get(start).acquired());
    }
    return tensor;
  }

  private Map<Buffer, Tensor> tensors(List<Tensor> inputs, List<Tensor> outputs) {
    Map<Buffer, Tensor> tensors = new IdentityHashMap<>();
    for (int i = 0; i < inputs.size(); i++) {
      tensors.put(plan.inputs().get(i), inputs.get(i));
    }
    for (int i = 0; i < outputs.size(); i++) {
      tensors.put(plan.outputs().get(i).buffer(), outputs.get(i));
    }
    return tensors;
  }

  private RunMemory memory(List<Call> calls) {
    Map<Buffer, Long> placements = new IdentityHashMap<>();
    plan.arena().placements().forEach(placement -> placements.put(placement.buffer(), placement.offset()));
    List<List<Buffer>> arguments = calls.stream().map(Call::arguments).toList();
    return new RunMemory(arguments, fixed, plan.arena().bytes(), placements, scratchBytes(calls), workers.threads());
  }

  private static long scratchBytes(List<Call> calls) {
    LongStream bytes = calls.stream().mapToLong(call -> call.code().scratchBytes());
    return bytes.max().orElse(0);
  }

  private void runAll(List<Call> calls, RunMemory memory) {
    for (int i = 0; i < calls.size(); i++) {
      if (timings.isEmpty()) {
        run(calls.get(i).code(), memory.addresses(i), memory);
      } else {
        long start = System.nanoTime();
        run(calls.get(i).code(), memory.addresses(i), memory);
        timings.get().accept(calls.get(i).kernel().orElseThrow(), System.nanoTime() - start);
      }
    }
  }

  /// Cuts the tasks of a kernel into ranges. A task computes the same whoever runs it and in whichever range it is.
  private void run(CompiledKernel code, long[] addresses, RunMemory memory) {
    if (code.sections() > 0) {
      workers.lead(code, addresses, memory.scratch());
      return;
    }
    int tasks = code.tasks();
    int parts = Math.min(parts(workers.threads()), tasks);
    workers.run(parts, (part, member) -> {
      int begin = (int) ((long) tasks * part / parts);
      int end = (int) ((long) tasks * (part + 1) / parts);
      code.run(addresses, memory.scratch(member), begin, end);
    });
  }

  /// Many ranges for each thread, so that one that is late, because it slept or the system took its core, holds up the
  /// others for a small part of its share only.
  private static int parts(int threads) {
    return threads == 1 ? 1 : PARTS_PER_THREAD * threads;
  }

  private void freeIdle() {
    for (RunMemory memory = idle.pollFirst(); memory != null; memory = idle.pollFirst()) {
      memory.close();
    }
  }
}
