package dev.einfall.runtime;

import dev.einfall.backends.KernelFault;
import dev.einfall.ir.loop.Buffer;
import dev.einfall.ir.loop.Kernel;
import dev.einfall.runtime.device.Device;
import dev.einfall.runtime.launch.Usage;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import java.util.concurrent.ConcurrentLinkedDeque;
import java.util.function.ObjLongConsumer;

/// A plan whose kernels and constants are on a device. Each thread that calls has a stream and an arena of its own.
final class DevicePlan implements Executable {
  private final Device device;
  private final DeviceRun.Frame frame;
  private final Optional<ObjLongConsumer<Kernel>> timings;
  private final ConcurrentLinkedDeque<DeviceRun> idle = new ConcurrentLinkedDeque<>();
  private final List<OutputMemory<DeviceElements>> outputs;
  private final Usage usage;

  /// @param timings is told how long each launch took
  /// @param release frees kernels and constants
  DevicePlan(Device device, DeviceRun.Frame frame, Optional<ObjLongConsumer<Kernel>> timings, Runnable release) {
    this.device = device;
    this.frame = frame;
    this.timings = timings;
    this.outputs = frame.outputs().stream().map(output -> OutputMemory.onDevice(output.buffer(), device)).toList();
    this.usage = new Usage(() -> {
      device.run(() -> {
        for (DeviceRun run = idle.pollFirst(); run != null; run = idle.pollFirst()) {
          run.close();
        }
      });
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
    return device.with(() -> {
      DeviceRun run = idle.pollFirst();
      return run(run == null ? new DeviceRun(device, frame) : run, inputs, givenUp);
    });
  }

  /// After a fault of the data all is as before; after one of the device, its memory may not be.
  private List<Tensor> run(DeviceRun run, List<Tensor> inputs, Set<Integer> givenUp) {
    List<Tensor> results = new ArrayList<>();
    try {
      run.run(addresses(run, inputs, givenUp, results), timings);
      idle.addFirst(run);
      return results;
    } catch (KernelFault fault) {
      results.forEach(Tensor::close);
      idle.addFirst(run);
      throw fault;
    } catch (RuntimeException | Error e) {
      run.abandon();
      results.forEach(Tensor::close);
      run.close();
      throw e;
    }
  }

  /// Where inputs and outputs are. What is to be copied from the host is on its way.
  ///
  /// @param results takes the outputs
  private long[] addresses(DeviceRun run, List<Tensor> inputs, Set<Integer> givenUp, List<Tensor> results) {
    long[] addresses = new long[inputs.size() + frame.outputs().size()];
    boolean[] isPlaced = new boolean[inputs.size()];
    for (int i = 0; i < frame.outputs().size(); i++) {
      Optional<Buffer> start = frame.outputs().get(i).start();
      int from = start.map(frame.inputs()::indexOf).orElse(-1);
      Tensor result = output(i, from, inputs, givenUp);
      results.add(result);
      long address = result.acquiredOn(device).orElseThrow();
      addresses[inputs.size() + i] = address;
      if (from >= 0) {
        isPlaced[from] = true;
        addresses[from] = started(run, address, inputs.get(from), start.get());
      }
    }
    for (int i = 0; i < inputs.size(); i++) {
      if (!isPlaced[i]) {
        Tensor input = inputs.get(i);
        OptionalLong address = input.acquiredOn(device);
        addresses[i] = address.isPresent() ? address.getAsLong() : run.stage(i, input.acquired());
      }
    }
    return addresses;
  }

  /// An output that starts as an input takes its memory if that is on the device and the caller gives it up.
  private Tensor output(int number, int from, List<Tensor> inputs, Set<Integer> givenUp) {
    boolean takesOver = givenUp.contains(from) && inputs.get(from).acquiredOn(device).isPresent();
    return takesOver ? inputs.get(from).takeOver() : outputs.get(number).tensor();
  }

  /// Where an input is that the output at `address` starts as: there, if it comes from the host. No launch reads it.
  private long started(DeviceRun run, long address, Tensor input, Buffer buffer) {
    OptionalLong there = input.acquiredOn(device);
    if (there.isEmpty()) {
      run.copy(address, input.acquired(), buffer);
    }
    return there.orElse(address);
  }
}
