package dev.einfall.runtime;

import dev.einfall.backends.c.CTarget;
import dev.einfall.backends.cuda.CudaKernel;
import dev.einfall.backends.cuda.CudaKernels;
import dev.einfall.ir.Diagnostic;
import dev.einfall.ir.InternalException;
import dev.einfall.ir.Span;
import dev.einfall.ir.loop.Buffer;
import dev.einfall.ir.loop.Kernel;
import dev.einfall.ir.loop.KernelPlan;
import dev.einfall.passes.Pipeline;
import dev.einfall.runtime.device.CudaBackend;
import dev.einfall.runtime.device.Device;
import dev.einfall.runtime.device.DeviceKernel;
import dev.einfall.runtime.device.DeviceMemory;
import dev.einfall.runtime.device.DeviceModule;
import java.util.ArrayList;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SortedMap;
import java.util.function.ObjLongConsumer;
import java.util.stream.Stream;

/// Compiles one program for a device and one assignment of sizes after another. The plans share the memory of equal weights and constants.
final class DevicePlanCompiler implements AutoCloseable {
  private final ProgramReading reading;
  private final Pipeline pipeline;
  private final CTarget machine;
  private final CudaBackend backend;
  private final Device device;
  private final Optional<ObjLongConsumer<Kernel>> timings;
  private final ConstantPool constants;
  private final DeviceWeights weights;

  /// @param machine what `pipeline` compiles for
  /// @param backend whose device this closes
  /// @param timings is told how long each launch of a run took
  DevicePlanCompiler(ProgramReading reading, Pipeline pipeline, CTarget machine, CudaBackend backend, Optional<ObjLongConsumer<Kernel>> timings) {
    this.reading = reading;
    this.pipeline = pipeline;
    this.machine = machine;
    this.backend = backend;
    this.device = backend.device();
    this.timings = timings;
    this.constants = new ConstantPool(bytes -> {
      DeviceMemory memory = device.allocate(bytes, "a constant");
      return new ConstantPool.Place(memory.address(), memory::close);
    });
    this.weights = new DeviceWeights(device);
  }

  Device device() {
    return device;
  }

  /// The program for `sizes`. One at a time: the second may find what the first copied.
  synchronized DevicePlan compile(SortedMap<String, Long> sizes) {
    ProgramReading.Read read = reading.at(sizes);
    KernelPlan plan = plan(read, sizes);
    CudaKernels kernels = CudaKernels.of(
        Stream.concat(plan.setup().stream(), plan.launches().stream()).map(KernelPlan.Launch::kernel).toList(), machine);
    pipeline.remarks().accept(Diagnostic.remark(Span.NONE, plan.name() + " is compiled for " + device + " by " + backend.compiler()));
    DeviceModule module = backend.load(kernels);
    List<Runnable> releases = new ArrayList<>(List.of(module::close));
    try {
      return compiled(plan, kernels, module, read.weights(), releases);
    } catch (RuntimeException | Error e) {
      releases.reversed().forEach(Runnable::run);
      throw e;
    }
  }

  private KernelPlan plan(ProgramReading.Read read, SortedMap<String, Long> sizes) {
    try {
      return pipeline.compile(read.cascade(), sizes);
    } catch (IllegalArgumentException | IllegalStateException e) {
      throw new InternalException("compiling " + read.cascade().name() + " for " + sizes + ": " + e.getMessage(), e);
    }
  }

  /// @param releases takes what is to be freed some time, in the order in which it was made
  private DevicePlan compiled(KernelPlan plan, CudaKernels kernels, DeviceModule module, Weights stored, List<Runnable> releases) {
    Map<Kernel, DeviceKernel> codes = new IdentityHashMap<>();
    List<DeviceCall> setup = calls(plan.setup(), kernels, module, codes);
    List<DeviceCall> launches = calls(plan.launches(), kernels, module, codes);
    ConstantPool.Held<DeviceCall> held = constants.hold(plan, setup, launches);
    releases.add(held::release);
    DeviceWeights.Held lasting = weights.hold(plan.weights(), launches, stored);
    releases.add(lasting::release);
    Map<Buffer, Long> fixed = new IdentityHashMap<>(held.addresses());
    fixed.putAll(lasting.addresses());
    fill(plan, kernels, held, fixed, stored);
    DeviceRun.Frame frame = new DeviceRun.Frame(plan.name(), plan.inputs(), plan.outputs(), launches, fixed, plan.arena(), kernels.requirements());
    return new DevicePlan(device, frame, timings, () -> releases.reversed().forEach(Runnable::run));
  }

  /// Computes the constants that no other plan has. Weights that only this needs leave the device again.
  private void fill(KernelPlan plan, CudaKernels kernels, ConstantPool.Held<DeviceCall> held, Map<Buffer, Long> fixed, Weights stored) {
    if (!held.toRun().isEmpty()) {
      DeviceWeights.Held passing = weights.hold(plan.weights(), held.toRun(), stored);
      try {
        Map<Buffer, Long> addresses = new IdentityHashMap<>(fixed);
        addresses.putAll(passing.addresses());
        DeviceRun.Frame frame = new DeviceRun.Frame("the setup of " + plan.name(), List.of(), List.of(), held.toRun(), addresses, plan.arena(),
            kernels.requirements());
        device.run(() -> {
          try (DeviceRun run = new DeviceRun(device, frame)) {
            run.run(new long[0], Optional.empty());
          }
        });
      } finally {
        passing.release();
      }
    }
    held.releaseSteps();
  }

  private List<DeviceCall> calls(List<KernelPlan.Launch> launches, CudaKernels kernels, DeviceModule module, Map<Kernel, DeviceKernel> codes) {
    List<DeviceCall> calls = new ArrayList<>();
    for (KernelPlan.Launch launch : launches) {
      Kernel kernel = launch.kernel();
      if (kernels.kernels().containsKey(kernel)) {
        CudaKernel text = kernels.kernels().get(kernel).on(device.sharedBytes());
        DeviceKernel code = codes.computeIfAbsent(kernel, _ -> module.kernel(text, kernel.name()));
        calls.add(new DeviceCall(KernelDigest.of(kernel), kernel, code, text.scratchBytes() * text.blocks(), launch.arguments(), PlacedCall.written(kernel)));
      }
    }
    return calls;
  }

  /// Lets the device go, when nothing of it is in use any more.
  @Override
  public void close() {
    device.close();
  }
}
