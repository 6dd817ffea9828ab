package dev.einfall.runtime.launch;

import dev.einfall.backends.CompiledKernel;
import dev.einfall.backends.KernelFault;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.ConcurrentLinkedDeque;
import java.util.function.Function;

/// A program that was compiled ahead of time, in a jar of its own: what stands behind the class of that jar. It needs the JDK alone. Safe for
/// use by many threads.
public final class ArchivedProgram implements AutoCloseable {
  private final ArchivedPlan plan;
  private final List<Launch> launches;
  private final Layout layout;
  private final WorkerPool workers;
  private final ConcurrentLinkedDeque<Memory> idle = new ConcurrentLinkedDeque<>();
  private final Usage usage;

  /// What a run has for itself: besides intermediate results, memory for inputs and outputs, in this order.
  private record Memory(RunMemory run, Arena arena, List<MemorySegment> ports) {
    void close() {
      run.close();
      arena.close();
    }
  }

  private ArchivedProgram(ArchivedPlan plan, List<Launch> launches, Arena arena, MemorySegment constants, int threads) {
    this.plan = plan;
    this.launches = launches;
    this.layout = layout(plan, constants);
    this.workers = new WorkerPool(threads);
    this.usage = new Usage(() -> {
      workers.close();
      for (Memory memory = idle.pollFirst(); memory != null; memory = idle.pollFirst()) {
        memory.close();
      }
      arena.close();
    });
  }

  private static Layout layout(ArchivedPlan plan, MemorySegment constants) {
    int number = plan.inputs().size() + plan.outputs().size();
    Map<Integer, Long> fixed = new HashMap<>();
    for (ArchivedPlan.Place place : plan.constants()) {
      fixed.put(number++, constants.address() + place.offset());
    }
    Map<Integer, Long> placements = new HashMap<>();
    for (ArchivedPlan.Place place : plan.intermediate()) {
      placements.put(number++, place.offset());
    }
    return new Layout(fixed, placements, plan.arenaBytes());
  }

  /// Loads the program in `folder` beside `owner`, a class of its jar.
  ///
  /// @param threads how many threads share the work of a run
  /// @param warmUp whether to return only when the code runs at full speed
  /// @throws IllegalArgumentException for less than one thread
  /// @throws IllegalStateException when the jar is damaged
  public static ArchivedProgram load(Class<?> owner, String folder, int threads, boolean warmUp) {
    if (threads < 1) {
      throw new IllegalArgumentException("threads is " + threads + ": expected at least 1");
    }
    Archive archive = new Archive(owner, folder);
    ArchivedPlan plan = archive.plan();
    Arena arena = Arena.ofShared();
    try {
      MemorySegment constants = LargePages.allocate(arena, plan.constantBytes());
      ArchivedKernels kernels = ArchivedKernels.begin(archive, plan, warmUp);
      archive.copyConstants(plan, constants);
      List<CompiledKernel> code = kernels.finish();
      List<Launch> launches = plan.launches().stream().map(call -> new Launch(code.get(call.kernel()), call.arguments())).toList();
      return new ArchivedProgram(plan, launches, arena, constants, threads);
    } catch (RuntimeException | Error e) {
      arena.close();
      throw e;
    }
  }

  /// Computes the outputs as new arrays, in order.
  ///
  /// @param inputs an array for each input, in order, row by row
  /// @throws IllegalArgumentException when one has another number of elements than the program was compiled for, or when its values are at
  ///     fault, such as an index outside a table
  /// @throws IllegalStateException when the program is closed
  public Object[] arrays(Object... inputs) {
    return with(memory -> {
      for (int i = 0; i < inputs.length; i++) {
        ArchivedPlan.Port port = plan.inputs().get(i);
        ElementArrays.store(port, Objects.requireNonNull(inputs[i], port.name()), memory.ports.get(i));
      }
      int first = plan.inputs().size();
      run(memory, memory.ports);
      Object[] outputs = new Object[plan.outputs().size()];
      for (int i = 0; i < outputs.length; i++) {
        outputs[i] = ElementArrays.load(plan.outputs().get(i), memory.ports.get(first + i));
      }
      return outputs;
    });
  }

  /// Computes the outputs into the caller's memory, which must not be freed meanwhile. Memory outside of the Java heap is used as it is; best
  /// at a multiple of 64 bytes. An output that starts as an input may be given the same memory, and is then changed in place.
  ///
  /// @throws IllegalArgumentException as [#arrays] does, and when the memory of an output overlaps other memory or is read-only
  /// @throws IllegalStateException when the program is closed
  public void segments(MemorySegment[] inputs, MemorySegment[] outputs) {
    List<ArchivedPlan.Port> ports = new ArrayList<>(plan.inputs());
    ports.addAll(plan.outputs());
    List<MemorySegment> given = new ArrayList<>(Arrays.asList(inputs));
    given.addAll(Arrays.asList(outputs));
    for (int i = 0; i < ports.size(); i++) {
      requireFit(ports.get(i), Objects.requireNonNull(given.get(i), ports.get(i).name()), i >= inputs.length);
    }
    requireApart(ports, given);
    with(memory -> {
      List<MemorySegment> used = new ArrayList<>();
      for (int i = 0; i < given.size(); i++) {
        used.add(given.get(i).isNative() ? given.get(i) : memory.ports.get(i));
        if (i < inputs.length && !given.get(i).isNative()) {
          used.get(i).copyFrom(given.get(i));
        }
      }
      run(memory, used);
      for (int i = inputs.length; i < given.size(); i++) {
        if (!given.get(i).isNative()) {
          given.get(i).copyFrom(used.get(i));
        }
      }
      return given;
    });
  }

  private static void requireFit(ArchivedPlan.Port port, MemorySegment memory, boolean isOutput) {
    if (memory.byteSize() != port.bytes()) {
      throw new IllegalArgumentException("'" + port.name() + "' is " + port.type() + port.shape() + ", compiled ahead of time: expected "
          + port.bytes() + " bytes, not " + memory.byteSize());
    }
    if (isOutput && memory.isReadOnly()) {
      throw new IllegalArgumentException("the memory for '" + port.name() + "' is read-only");
    }
    if (!memory.scope().isAlive() || !memory.isAccessibleBy(Thread.currentThread())) {
      throw new IllegalArgumentException("the memory of '" + port.name() + "' is closed, or belongs to another thread");
    }
  }

  private void requireApart(List<ArchivedPlan.Port> ports, List<MemorySegment> given) {
    for (int output = plan.inputs().size(); output < given.size(); output++) {
      for (int other = 0; other < output; other++) {
        boolean inPlace = ports.get(output).start() == other && given.get(output).address() == given.get(other).address();
        if (!inPlace && given.get(output).asOverlappingSlice(given.get(other)).isPresent()) {
          throw new IllegalArgumentException(
              "the memory for '" + ports.get(output).name() + "' overlaps that of '" + ports.get(other).name() + "'");
        }
      }
    }
  }

  private <T> T with(Function<Memory, T> action) {
    if (!usage.acquire()) {
      throw new IllegalStateException("the program " + plan.name() + " is closed");
    }
    try {
      Memory memory = idle.pollFirst();
      memory = memory == null ? memory() : memory;
      try {
        return action.apply(memory);
      } catch (KernelFault fault) {
        throw new IllegalArgumentException(fault.getMessage());
      } finally {
        idle.addFirst(memory);
      }
    } finally {
      usage.release();
    }
  }

  private Memory memory() {
    Arena arena = Arena.ofShared();
    List<MemorySegment> ports = new ArrayList<>();
    plan.inputs().forEach(port -> ports.add(LargePages.allocate(arena, port.bytes())));
    plan.outputs().forEach(port -> ports.add(LargePages.allocate(arena, port.bytes())));
    return new Memory(new RunMemory(launches, layout, workers.threads()), arena, ports);
  }

  /// Runs all launches on the memory of inputs and outputs.
  private void run(Memory memory, List<MemorySegment> ports) {
    int first = plan.inputs().size();
    for (int i = 0; i < plan.outputs().size(); i++) {
      int start = plan.outputs().get(i).start();
      if (start >= 0 && ports.get(start).address() != ports.get(first + i).address()) {
        ports.get(first + i).copyFrom(ports.get(start));
      }
    }
    memory.run.place(ports.stream().mapToLong(MemorySegment::address).toArray());
    for (int i = 0; i < launches.size(); i++) {
      launches.get(i).run(memory.run.addresses(i), memory.run, workers);
    }
  }

  /// Frees everything, when the runs that have begun are over. A second call does nothing.
  @Override
  public void close() {
    usage.close();
  }
}
