package dev.einfall.runtime.plans;

import dev.einfall.backends.c.CKernel;
import dev.einfall.backends.jvm.KernelCode;
import dev.einfall.ir.ElementType;
import dev.einfall.ir.loop.Buffer;
import dev.einfall.ir.loop.KernelPlan;
import java.io.DataInputStream;
import java.io.IOException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;

/// Reads what a [PlanWriter] wrote.
final class PlanReader {
  private final DataInputStream in;
  private List<Buffer> buffers = List.of();

  private PlanReader(DataInputStream in) {
    this.in = in;
  }

  static StoredPlan read(DataInputStream in) throws IOException {
    return new PlanReader(in).plan();
  }

  /// Reads one thing.
  private interface Reading<T> {
    T read() throws IOException;
  }

  private <T> List<T> all(Reading<T> reading) throws IOException {
    int count = in.readInt();
    List<T> things = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      things.add(reading.read());
    }
    return things;
  }

  private StoredPlan plan() throws IOException {
    buffers = all(this::described);
    String name = in.readUTF();
    List<Buffer> inputs = all(this::buffer);
    List<KernelPlan.Weight> weights = all(() -> new KernelPlan.Weight(buffer(), in.readUTF()));
    List<Buffer> constants = all(this::buffer);
    List<KernelPlan.Output> outputs = all(() -> new KernelPlan.Output(in.readUTF(), buffer(), all(this::buffer).stream().findFirst()));
    List<KernelPlan.Placement> placements = all(() -> new KernelPlan.Placement(buffer(), in.readLong()));
    KernelPlan.Arena arena = new KernelPlan.Arena(placements, in.readLong());
    KernelPlan frame = new KernelPlan(name, inputs, weights, constants, List.of(), List.of(), outputs, arena);
    return new StoredPlan(frame, all(this::kernel), all(this::call), all(this::call));
  }

  private Buffer described() throws IOException {
    return new Buffer(in.readUTF(), ElementType.valueOf(in.readUTF()), all(in::readInt), Buffer.Space.GLOBAL);
  }

  private Buffer buffer() throws IOException {
    return buffers.get(in.readInt());
  }

  private StoredKernel kernel() throws IOException {
    String digest = in.readUTF();
    StoredCode code = in.readBoolean() ? new StoredCode.Native(all(in::readUTF), function()) : new StoredCode.Bytecode(bytecode());
    return new StoredKernel(digest, code, all(in::readLong), new LinkedHashSet<>(all(in::readInt)),
        new StoredKernel.Least(in.readDouble(), in.readBoolean()), in.readBoolean());
  }

  private KernelCode bytecode() throws IOException {
    String name = in.readUTF();
    byte[] classFile = in.readNBytes(in.readInt());
    Map<String, Integer> methods = new LinkedHashMap<>();
    all(() -> methods.put(in.readUTF(), in.readInt()));
    return new KernelCode(name, classFile, methods);
  }

  private CKernel function() throws IOException {
    return new CKernel(in.readUTF(), "", in.readInt(), in.readInt(), in.readInt(), in.readInt(), in.readLong(),
        all(() -> new CKernel.Requirement(in.readUTF(), in.readBoolean())));
  }

  private StoredPlan.Call call() throws IOException {
    return new StoredPlan.Call(in.readInt(), all(this::buffer));
  }
}
