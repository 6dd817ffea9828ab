package dev.einfall.runtime;

import dev.einfall.backends.KernelFault;
import dev.einfall.backends.cuda.CudaKernels;
import dev.einfall.ir.loop.Buffer;
import dev.einfall.ir.loop.Kernel;
import dev.einfall.ir.loop.KernelPlan;
import dev.einfall.ir.loop.Stmt;
import dev.einfall.runtime.device.Device;
import dev.einfall.runtime.device.DeviceGraph;
import dev.einfall.runtime.device.DeviceMemory;
import dev.einfall.runtime.device.DeviceStream;
import dev.einfall.runtime.device.PinnedMemory;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.IdentityHashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.ObjLongConsumer;
import java.util.stream.Stream;

/// What one run at a time of launches needs on a device: a stream, the arena, memory for inputs of the host. For one thread at a time, which has the
/// device's context.
///
/// Launches on the same memory as an earlier run are one graph.
final class DeviceRun implements AutoCloseable {
  private static final long ALIGNMENT = 256;
  /// Inputs up to this many bytes are copied to pinned memory first, from which the graph takes them.
  private static final long SMALL = 64 << 10;
  private static final int MOST_GRAPHS = 8;

  private final Device device;
  private final String what;
  private final Frame frame;
  private final DeviceStream stream;
  private final DeviceMemory memory;
  private final PinnedMemory pinned;
  private final long[] pinnedAt;
  private final DeviceMemory[] staged;
  private final DeviceLaunches launches;
  /// What frees all that there is, in the order in which it was made.
  private final List<Runnable> releases = new ArrayList<>();
  /// By the addresses that they are for; those that ran once have none.
  private final LinkedHashMap<List<Long>, Optional<DeviceGraph>> graphs = new LinkedHashMap<>(16, 0.75f, true);

  /// What is run.
  ///
  /// @param name of the program
  /// @param inputs may be somewhere else in each run
  /// @param outputs likewise
  /// @param fixed the addresses of weights and constants
  /// @param requirements what kernels may find not to hold
  record Frame(String name, List<Buffer> inputs, List<KernelPlan.Output> outputs, List<DeviceCall> calls, Map<Buffer, Long> fixed, KernelPlan.Arena arena,
      List<Stmt.Require> requirements) {

    private List<Buffer> moving() {
      return Stream.concat(inputs.stream(), outputs.stream().map(KernelPlan.Output::buffer)).toList();
    }

    private long scratchBytes() {
      return calls.stream().mapToLong(DeviceCall::scratchBytes).max().orElse(0);
    }
  }

  DeviceRun(Device device, Frame frame) {
    this.device = device;
    this.frame = frame;
    this.what = "a run of " + frame.name;
    this.staged = new DeviceMemory[frame.inputs.size()];
    this.pinnedAt = new long[frame.inputs.size()];
    long arenaAt = ALIGNMENT;
    long scratchAt = aligned(arenaAt + frame.arena.bytes());
    try {
      this.stream = new DeviceStream(device);
      releases.add(stream::close);
      this.memory = device.allocate(scratchAt + frame.scratchBytes(), "the arena of " + frame.name);
      releases.add(memory::close);
      this.pinned = device.pin(pinnedBytes(), "the inputs of " + frame.name);
      releases.add(pinned::close);
      Map<Buffer, Long> addresses = new IdentityHashMap<>(frame.fixed);
      frame.arena.placements().forEach(placement -> addresses.put(placement.buffer(), memory.address() + arenaAt + placement.offset()));
      this.launches = new DeviceLaunches(frame.calls, frame.moving(), addresses, memory.address() + scratchAt, memory.address());
      releases.add(launches::close);
      stream.clear(memory.address(), CudaKernels.FAULT_BYTES, what);
    } catch (RuntimeException | Error e) {
      close();
      throw e;
    }
  }

  /// The fault first, and then the small inputs.
  private long pinnedBytes() {
    long bytes = ALIGNMENT;
    for (int i = 0; i < pinnedAt.length; i++) {
      pinnedAt[i] = bytes;
      bytes += isSmall(i) ? aligned(frame.inputs.get(i).bytes()) : 0;
    }
    return bytes;
  }

  private boolean isSmall(int input) {
    return frame.inputs.get(input).bytes() <= SMALL;
  }

  private static long aligned(long bytes) {
    return (bytes + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
  }

  /// Begins to copy an input of the host to memory of the device, whose address it gives.
  long stage(int input, MemorySegment data) {
    if (staged[input] == null) {
      staged[input] = device.allocate(data.byteSize(), "input " + frame.inputs.get(input));
      releases.add(staged[input]::close);
    }
    if (isSmall(input)) {
      pinnedOf(input).copyFrom(data);
    } else {
      copy(staged[input].address(), data, frame.inputs.get(input));
    }
    return staged[input].address();
  }

  private MemorySegment pinnedOf(int input) {
    return pinned.data().asSlice(pinnedAt[input], frame.inputs.get(input).bytes());
  }

  /// Begins to copy what the host has to an address of the device.
  void copy(long to, MemorySegment data, Buffer buffer) {
    stream.copyToDevice(to, data, "input " + buffer);
  }

  /// Runs all, and waits for it.
  ///
  /// @param addresses of the inputs and then the outputs; an input that an output starts as is copied where its address is another one
  /// @param timings is told how long each launch took
  /// @throws KernelFault when a requirement does not hold
  void run(long[] addresses, Optional<ObjLongConsumer<Kernel>> timings) {
    if (timings.isPresent()) {
      copyInputs(addresses);
      launches.runTimed(device, stream, addresses);
      copyFault();
    } else {
      launch(addresses);
    }
    stream.synchronize(what);
    timings.ifPresent(launches::tell);
    requireNoFault();
  }

  /// Memory that comes once may never come again: only the second time is worth a graph.
  private void launch(long[] addresses) {
    List<Long> key = Arrays.stream(addresses).boxed().toList();
    Optional<DeviceGraph> known = graphs.get(key);
    if (known == null) {
      steps(addresses);
      graphs.put(key, Optional.empty());
      if (graphs.size() > MOST_GRAPHS) {
        graphs.pollFirstEntry().getValue().ifPresent(DeviceGraph::close);
      }
    } else {
      DeviceGraph graph = known.orElseGet(() -> stream.record(() -> steps(addresses), what));
      graphs.put(key, Optional.of(graph));
      stream.launch(graph, what);
    }
  }

  private void steps(long[] addresses) {
    copyInputs(addresses);
    launches.run(stream, addresses);
    copyFault();
  }

  private void copyInputs(long[] addresses) {
    for (int i = 0; i < staged.length; i++) {
      if (staged[i] != null && addresses[i] == staged[i].address() && isSmall(i)) {
        stream.copyToDevice(addresses[i], pinnedOf(i), "input " + frame.inputs.get(i));
      }
    }
    for (int i = 0; i < frame.outputs.size(); i++) {
      KernelPlan.Output output = frame.outputs.get(i);
      long to = addresses[frame.inputs.size() + i];
      output.start().map(start -> addresses[frame.inputs.indexOf(start)]).filter(from -> from != to)
          .ifPresent(from -> stream.copyOnDevice(to, from, output.buffer().bytes(), "output " + output.buffer()));
    }
  }

  private void copyFault() {
    stream.copyToHost(pinned.data().asSlice(0, CudaKernels.FAULT_BYTES), memory.address(), "what " + frame.name + " required");
  }

  private void requireNoFault() {
    MemorySegment fault = pinned.data();
    int number = fault.get(ValueLayout.JAVA_INT, 0);
    if (number != 0) {
      Stmt.Require broken = frame.requirements.get(number - 1);
      stream.clear(memory.address(), CudaKernels.FAULT_BYTES, what);
      throw new KernelFault(broken.message(), broken.value().type().element().isFloat()
          ? Double.toString(fault.get(ValueLayout.JAVA_DOUBLE, 2 * Long.BYTES)) : Long.toString(fault.get(ValueLayout.JAVA_LONG, Long.BYTES)));
    }
  }

  /// Waits for what was begun, whatever becomes of it, so that its memory can go.
  void abandon() {
    try {
      stream.synchronize(what);
    } catch (RuntimeException _) {
      // What went wrong is told already.
    }
  }

  @Override
  public void close() {
    graphs.values().forEach(graph -> graph.ifPresent(DeviceGraph::close));
    releases.reversed().forEach(Runnable::run);
    releases.clear();
  }
}
