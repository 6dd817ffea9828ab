package dev.einfall.tests.cases;

import dev.einfall.backends.reference.Array;
import dev.einfall.backends.reference.KernelInterpreter;
import dev.einfall.frontend.LoopFile;
import dev.einfall.frontend.LoopReader;
import dev.einfall.ir.Diagnostic;
import dev.einfall.ir.Source;
import dev.einfall.ir.loop.Kernel;
import dev.einfall.ir.loop.KernelVerifier;
import dev.einfall.ir.loop.LoopPrinter;
import dev.einfall.passes.Pass;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.function.Consumer;
import java.util.stream.Collectors;

/// Reads a loop text for a case: a plan if it ends in one, else kernels that run on their own.
final class LoopStages {
  private LoopStages() {}

  static Stage read(Source source) {
    LoopFile file = LoopReader.read(source);
    return file.plan().<Stage>map(PlanStage::new).orElseGet(() -> new OfKernels(file.kernels()));
  }

  /// Kernels without a plan.
  private record OfKernels(List<Kernel> kernels) implements Stage {

    @Override
    public String text() {
      return kernels.stream().map(LoopPrinter::print).collect(Collectors.joining("\n"));
    }

    @Override
    public String textReadBack() {
      return read(new Source("printed.loop", text())).text();
    }

    @Override
    public void verify() {
      kernels.forEach(KernelVerifier::verify);
    }

    @Override
    public Stage apply(Pass pass, Consumer<Diagnostic> remarks) {
      return switch (pass) {
        case Pass.OnKernel onKernel ->
            new OfKernels(kernels.stream().map(kernel -> onKernel.apply(kernel, remarks)).toList());
        case Pass.OnCascade _, Pass.OnPlan _, Pass.Lowering _ -> throw Stage.misplaced(pass, "kernels");
      };
    }

    @Override
    public Map<String, Array> randomInputs(SortedMap<String, Long> sizes) {
      Map<String, Array> inputs = new LinkedHashMap<>();
      kernels.forEach(kernel -> kernel.parameters().forEach(buffer -> inputs.put(
          kernel.name() + " " + inputs.size(), Stage.randomInput(inputs, buffer.type(), PlanStage.shape(buffer)))));
      return inputs;
    }

    /// Each kernel on its own part of `inputs`; all buffers as they are in the end.
    @Override
    public Map<String, Array> run(Map<String, Array> inputs) {
      Map<String, Array> outputs = new LinkedHashMap<>();
      inputs.forEach((name, array) -> outputs.put(name, array.copy()));
      List<Array> arrays = new ArrayList<>(outputs.values());
      int next = 0;
      for (Kernel kernel : kernels) {
        KernelInterpreter.run(kernel, arrays.subList(next, next + kernel.parameters().size()));
        next += kernel.parameters().size();
      }
      return outputs;
    }
  }
}
