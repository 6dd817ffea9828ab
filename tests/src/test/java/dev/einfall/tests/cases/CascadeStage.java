package dev.einfall.tests.cases;

import dev.einfall.backends.reference.Array;
import dev.einfall.backends.reference.CascadeInterpreter;
import dev.einfall.frontend.EinReader;
import dev.einfall.ir.Diagnostic;
import dev.einfall.ir.Size;
import dev.einfall.ir.Source;
import dev.einfall.ir.cascade.Cascade;
import dev.einfall.ir.cascade.CascadePrinter;
import dev.einfall.ir.cascade.CascadeVerifier;
import dev.einfall.ir.cascade.Tensor;
import dev.einfall.passes.Pass;
import dev.einfall.passes.PassRunner;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.function.Consumer;

/// A cascade in a case.
record CascadeStage(Cascade cascade) implements Stage {

  static CascadeStage read(Source source) {
    return new CascadeStage(EinReader.read(source, Optional.empty()).cascade());
  }

  @Override
  public String text() {
    return CascadePrinter.print(cascade);
  }

  @Override
  public String textReadBack() {
    return read(new Source("printed.ein", text())).text();
  }

  @Override
  public void verify() {
    CascadeVerifier.verify(cascade);
  }

  @Override
  public Stage apply(Pass pass, Consumer<Diagnostic> remarks) {
    return switch (pass) {
      case Pass.OnCascade onCascade -> new CascadeStage(new PassRunner(_ -> {}, remarks).run(onCascade, cascade));
      case Pass.Lowering lowering -> new PlanStage(lowering.apply(cascade, remarks));
      case Pass.OnKernel _, Pass.OnPlan _ -> throw Stage.misplaced(pass, "a cascade");
    };
  }

  /// Sizes that the case does not bind are 3, 5, 7, ... in alphabetical order.
  @Override
  public Map<String, Array> randomInputs(SortedMap<String, Long> given) {
    SortedMap<String, Long> sizes = new TreeMap<>(given);
    long[] next = {3};
    tensors().values().stream().flatMap(tensor -> tensor.shape().stream()).flatMap(size -> size.names().stream())
        .sorted().filter(name -> !sizes.containsKey(name)).forEach(name -> {
          sizes.putIfAbsent(name, next[0]);
          next[0] += 2;
        });
    Map<String, Array> inputs = new LinkedHashMap<>();
    tensors().forEach((name, tensor) ->
        inputs.put(name, Stage.randomInput(inputs, tensor.type(), shape(tensor, sizes))));
    return inputs;
  }

  private static int[] shape(Tensor tensor, SortedMap<String, Long> sizes) {
    return tensor.shape().stream()
        .mapToInt(size -> size.substitute(name -> Optional.ofNullable(sizes.get(name)).map(Size::of)).value()).toArray();
  }

  private Map<String, Tensor> tensors() {
    Map<String, Tensor> tensors = new LinkedHashMap<>();
    List<Tensor> inputs = new ArrayList<>(cascade.inputs());
    inputs.forEach(tensor -> tensors.put("input " + tensors.size(), tensor));
    cascade.weights().forEach(weight -> tensors.put("weight " + weight.key(), weight.tensor()));
    return tensors;
  }

  @Override
  public Map<String, Array> run(Map<String, Array> inputs) {
    Map<Tensor, Array> arrays = new LinkedHashMap<>();
    tensors().forEach((name, tensor) -> arrays.put(tensor, inputs.get(name)));
    Map<Tensor, Array> results = CascadeInterpreter.run(cascade, arrays);
    Map<String, Array> outputs = new LinkedHashMap<>();
    cascade.outputs().forEach(output -> outputs.put("output " + output.name(), results.get(output.tensor())));
    return outputs;
  }
}
