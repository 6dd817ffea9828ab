package dev.einfall.runtime;

import dev.einfall.ir.loop.Buffer;
import dev.einfall.ir.loop.Kernel;
import dev.einfall.ir.loop.KernelPlan;
import dev.einfall.runtime.launch.Launch;
import dev.einfall.runtime.launch.Layout;
import dev.einfall.runtime.launch.RunMemory;
import dev.einfall.runtime.launch.Usage;
import dev.einfall.runtime.launch.WorkerPool;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentLinkedDeque;
import java.util.function.ObjLongConsumer;

/// A plan whose kernels are compiled and whose constants have memory.
final class CompiledPlan implements Executable {
  private final KernelPlan plan;
  private final List<Call> setup;
  private final List<Call> launches;
  private final Map<Buffer, Integer> numbers = new IdentityHashMap<>();
  private final Layout layout;
  private final List<Launch> code;
  private final WorkerPool workers;
  private final Optional<ObjLongConsumer<Kernel>> timings;
  private final ConcurrentLinkedDeque<RunMemory> idle = new ConcurrentLinkedDeque<>();
  private final List<OutputMemory<Tensor.Memory>> outputs;
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
    number(plan.inputs());
    number(plan.outputs().stream().map(KernelPlan.Output::buffer).toList());
    this.layout = layout(plan, fixed);
    this.code = numbered(launches);
    this.workers = workers;
    this.timings = timings;
    this.outputs = plan.outputs().stream().map(output -> OutputMemory.onHost(output.buffer())).toList();
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
      memory = memory(code);
    }
    try {
      memory.place(addresses(inputs, outputs));
      runAll(launches, code, memory);
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

  /// The launches of a run, in order.
  List<Call> launches() {
    return launches;
  }

  /// The address of a weight or constant; empty for other buffers.
  Optional<Long> fixed(Buffer buffer) {
    return Optional.ofNullable(numbers.get(buffer)).map(layout.fixed()::get);
  }

  KernelPlan plan() {
    return plan;
  }

  /// Fills the constants. Comes before any run.
  void fillConstants() {
    if (!setup.isEmpty()) {
      List<Launch> numbered = numbered(setup);
      try (RunMemory memory = memory(numbered)) {
        runAll(setup, numbered, memory);
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
      KernelPlan.Output output, OutputMemory<Tensor.Memory> memory, List<Tensor> inputs, Set<Integer> givenUp) {
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

  private void number(List<Buffer> buffers) {
    buffers.forEach(buffer -> numbers.putIfAbsent(buffer, numbers.size()));
  }

  private Layout layout(KernelPlan of, Map<Buffer, Long> fixed) {
    Map<Integer, Long> addresses = new HashMap<>();
    number(List.copyOf(fixed.keySet()));
    fixed.forEach((buffer, address) -> addresses.put(numbers.get(buffer), address));
    Map<Integer, Long> placements = new HashMap<>();
    of.arena().placements().forEach(placement -> {
      number(List.of(placement.buffer()));
      placements.put(numbers.get(placement.buffer()), placement.offset());
    });
    return new Layout(addresses, placements, of.arena().bytes());
  }

  private List<Launch> numbered(List<Call> calls) {
    return calls.stream().map(call -> new Launch(call.code(), call.arguments().stream().map(numbers::get).toList())).toList();
  }

  /// The addresses of inputs and outputs, by their numbers.
  private long[] addresses(List<Tensor> inputs, List<Tensor> results) {
    long[] addresses = new long[inputs.size() + results.size()];
    for (int i = 0; i < inputs.size(); i++) {
      addresses[numbers.get(plan.inputs().get(i))] = inputs.get(i).acquired().address();
    }
    for (int i = 0; i < results.size(); i++) {
      addresses[numbers.get(plan.outputs().get(i).buffer())] = results.get(i).acquired().address();
    }
    return addresses;
  }

  private RunMemory memory(List<Launch> of) {
    return new RunMemory(of, layout, workers.threads());
  }

  private void runAll(List<Call> calls, List<Launch> numbered, RunMemory memory) {
    for (int i = 0; i < calls.size(); i++) {
      if (timings.isEmpty()) {
        numbered.get(i).run(memory.addresses(i), memory, workers);
      } else {
        long start = System.nanoTime();
        numbered.get(i).run(memory.addresses(i), memory, workers);
        timings.get().accept(calls.get(i).kernel().orElseThrow(), System.nanoTime() - start);
      }
    }
  }

  private void freeIdle() {
    for (RunMemory memory = idle.pollFirst(); memory != null; memory = idle.pollFirst()) {
      memory.close();
    }
  }
}
