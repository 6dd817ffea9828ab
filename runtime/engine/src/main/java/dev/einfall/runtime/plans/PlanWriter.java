package dev.einfall.runtime.plans;

import dev.einfall.backends.c.CKernel;
import dev.einfall.backends.jvm.KernelCode;
import dev.einfall.ir.loop.Buffer;
import dev.einfall.ir.loop.KernelPlan;
import java.io.DataOutputStream;
import java.io.IOException;
import java.util.Collection;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

/// Writes a plan for a [PlanReader]: first its buffers, which all else names by their numbers.
final class PlanWriter {
  private final DataOutputStream out;
  private final Map<Buffer, Integer> numbers = new IdentityHashMap<>();

  private PlanWriter(DataOutputStream out) {
    this.out = out;
  }

  static void write(StoredPlan plan, DataOutputStream out) throws IOException {
    new PlanWriter(out).write(plan);
  }

  /// Writes one thing.
  private interface Writing<T> {
    void write(T one) throws IOException;
  }

  private <T> void all(Collection<T> things, Writing<T> writing) throws IOException {
    out.writeInt(things.size());
    for (T thing : things) {
      writing.write(thing);
    }
  }

  private void write(StoredPlan plan) throws IOException {
    KernelPlan frame = plan.frame();
    List<Buffer> buffers = Stream.of(frame.inputs().stream(), frame.weights().stream().map(KernelPlan.Weight::buffer), frame.constants().stream(),
        frame.outputs().stream().map(KernelPlan.Output::buffer), frame.arena().placements().stream().map(KernelPlan.Placement::buffer),
        Stream.of(plan.setup(), plan.launches()).flatMap(List::stream).flatMap(call -> call.arguments().stream()))
        .flatMap(some -> some).filter(buffer -> numbers.putIfAbsent(buffer, numbers.size()) == null).toList();
    all(buffers, this::describe);
    out.writeUTF(frame.name());
    all(frame.inputs(), this::name);
    all(frame.weights(), weight -> {
      name(weight.buffer());
      out.writeUTF(weight.key());
    });
    all(frame.constants(), this::name);
    all(frame.outputs(), output -> {
      out.writeUTF(output.name());
      name(output.buffer());
      all(output.start().stream().toList(), this::name);
    });
    all(frame.arena().placements(), placement -> {
      name(placement.buffer());
      out.writeLong(placement.offset());
    });
    out.writeLong(frame.arena().bytes());
    all(plan.kernels(), this::write);
    all(plan.setup(), this::write);
    all(plan.launches(), this::write);
  }

  private void describe(Buffer buffer) throws IOException {
    out.writeUTF(buffer.name());
    out.writeUTF(buffer.type().name());
    all(buffer.extents(), out::writeInt);
  }

  private void name(Buffer buffer) throws IOException {
    out.writeInt(numbers.get(buffer));
  }

  private void write(StoredKernel kernel) throws IOException {
    out.writeUTF(kernel.digest());
    switch (kernel.code()) {
      case StoredCode.Bytecode(KernelCode code) -> {
        out.writeBoolean(false);
        write(code);
      }
      case StoredCode.Native(List<String> library, CKernel function) -> {
        out.writeBoolean(true);
        all(library, out::writeUTF);
        write(function);
      }
    }
    all(kernel.parameterBytes(), out::writeLong);
    all(kernel.written(), out::writeInt);
    out.writeDouble(kernel.least().cycles());
    out.writeBoolean(kernel.least().computes());
    out.writeBoolean(kernel.isSlow());
  }

  private void write(KernelCode code) throws IOException {
    out.writeUTF(code.name());
    out.writeInt(code.classFile().length);
    out.write(code.classFile());
    all(code.methods().entrySet(), method -> {
      out.writeUTF(method.getKey());
      out.writeInt(method.getValue());
    });
  }

  private void write(CKernel function) throws IOException {
    out.writeUTF(function.name());
    out.writeInt(function.parameters());
    out.writeInt(function.mostArguments());
    out.writeInt(function.sections());
    out.writeInt(function.tasks());
    out.writeLong(function.scratchBytes());
    all(function.requirements(), requirement -> {
      out.writeUTF(requirement.message());
      out.writeBoolean(requirement.isNumber());
    });
  }

  private void write(StoredPlan.Call call) throws IOException {
    out.writeInt(call.kernel());
    all(call.arguments(), this::name);
  }
}
