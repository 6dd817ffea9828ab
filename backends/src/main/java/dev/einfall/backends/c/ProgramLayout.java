package dev.einfall.backends.c;

import dev.einfall.ir.InternalException;
import dev.einfall.ir.loop.Buffer;
import dev.einfall.ir.loop.KernelPlan;
import java.util.ArrayList;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;

/// The names and addresses that the files of a program agree on.
///
/// @param digest of what comes after the heading in the file of weights
/// @param inputs the names of the parameters for inputs
/// @param outputs the same for outputs
/// @param weights where each weight lies in the file of weights
/// @param addresses of the buffers of the plan, as expressions in the function that runs it
/// @param constantBytes the memory of what is computed once
record ProgramLayout(KernelPlan plan, long digest, CProgram.Options options, List<String> inputs, List<String> outputs, List<CProgram.Place> weights,
    Map<Buffer, String> addresses, long constantBytes) {

  static ProgramLayout of(KernelPlan plan, long digest, CProgram.Options options) {
    CNames names = new CNames();
    List<String> inputs = plan.inputs().stream().map(names::of).toList();
    List<String> outputs = plan.outputs().stream()
        .map(output -> names.of(new Buffer(output.name(), output.buffer().type(), List.of(), Buffer.Space.GLOBAL))).toList();
    List<CProgram.Place> weights = CProgram.places(plan);
    Map<Buffer, String> addresses = new IdentityHashMap<>();
    for (int i = 0; i < inputs.size(); i++) {
      addresses.put(plan.inputs().get(i), "(void *) " + inputs.get(i));
    }
    for (int i = 0; i < outputs.size(); i++) {
      addresses.put(plan.outputs().get(i).buffer(), outputs.get(i));
    }
    for (int i = 0; i < weights.size(); i++) {
      addresses.put(plan.weights().get(i).buffer(), "(void *) (program->weights + " + weights.get(i).offset() + ")");
    }
    long constantBytes = 0;
    for (Buffer constant : plan.constants()) {
      addresses.put(constant, "program->constants + " + constantBytes);
      constantBytes += CProgram.aligned(constant.bytes());
    }
    plan.arena().placements().forEach(placement -> addresses.put(placement.buffer(), "program->arena + " + placement.offset()));
    return new ProgramLayout(plan, digest, options, inputs, outputs, weights, addresses, constantBytes);
  }

  String name() {
    return options.name();
  }

  /// The size of the file of weights; 0 if there is none.
  long weightsBytes() {
    return weights.isEmpty() ? 0 : weights.getLast().offset() + CProgram.aligned(weights.getLast().bytes());
  }

  /// Whether the program opens a file of weights.
  boolean hasWeightsFile() {
    return !weights.isEmpty() && !options.isEmbedded();
  }

  String address(Buffer buffer) {
    String address = addresses.get(buffer);
    if (address == null) {
      throw new InternalException("no place for " + buffer + " of the plan of " + plan.name());
    }
    return address;
  }

  /// The inputs and outputs as parameters of a function.
  String parameters() {
    List<String> all = new ArrayList<>();
    for (int i = 0; i < inputs.size(); i++) {
      all.add("const " + CTypes.memory(plan.inputs().get(i).type()) + " *" + inputs.get(i));
    }
    for (int i = 0; i < outputs.size(); i++) {
      all.add(CTypes.memory(plan.outputs().get(i).buffer().type()) + " *" + outputs.get(i));
    }
    return String.join(", ", all);
  }

  /// What compilers are to be told.
  List<String> flags() {
    List<String> flags = new ArrayList<>(List.of("-std=c11", "-O3", "-ffp-contract=off", "-fno-math-errno", "-fno-trapping-math"));
    flags.addAll(options.target().flags());
    return flags;
  }
}
