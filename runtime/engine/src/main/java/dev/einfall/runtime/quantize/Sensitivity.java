package dev.einfall.runtime.quantize;

import dev.einfall.frontend.weights.WeightsFile;
import dev.einfall.ir.CompileException;
import dev.einfall.ir.ElementType;
import dev.einfall.ir.Source;
import dev.einfall.ir.Span;
import dev.einfall.ir.cascade.Cascade;
import dev.einfall.ir.cascade.CascadePrinter;
import dev.einfall.ir.cascade.Definition;
import dev.einfall.ir.cascade.Expr;
import dev.einfall.ir.cascade.Mapping;
import dev.einfall.ir.cascade.Tensor;
import dev.einfall.runtime.Einfall;
import dev.einfall.runtime.Options;
import dev.einfall.runtime.Program;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// How much what a program gives changes with each of its weights: it is run with weights as inputs, and one of them at a time is another.
final class Sensitivity implements AutoCloseable {
  private static final String WEIGHT = "candidate";
  private final List<Target> targets;
  private final List<float[]> exact;
  private final String output;
  private final Program program;
  private final List<Map<String, dev.einfall.runtime.Tensor>> batches;
  private final List<float[]> outputs = new ArrayList<>();

  /// @param exact the rows of the weights
  /// @param batches the inputs of runs
  /// @throws CompileException when the cascade has no output of floats
  Sensitivity(Cascade cascade, List<Target> targets, List<float[]> exact, List<Map<String, dev.einfall.runtime.Tensor>> batches,
      WeightsFile weights, Options options) {
    this.targets = targets;
    this.exact = exact;
    this.batches = batches;
    Cascade.Output last = cascade.outputs().stream().filter(result -> result.tensor().type() == ElementType.F32).reduce((_, next) -> next)
        .orElseThrow(() -> CompileException.of("a budget needs an output of f32, by whose change bits are chosen: " + cascade.name() + " has none"));
    this.output = last.name();
    String text = CascadePrinter.print(open(cascade, last));
    this.program = Einfall.compile(new Source("sensitivity of " + cascade.name(), text), options.withWeights(weights).withFunction(Optional.empty()));
    batches.forEach(batch -> outputs.add(run(batch, -1, new float[0])));
  }

  /// `cascade` with targets as inputs, stored as they are quantized.
  private Cascade open(Cascade cascade, Cascade.Output last) {
    Map<Tensor, Target> changed = new LinkedHashMap<>();
    Map<Tensor, Tensor> inputs = new LinkedHashMap<>();
    for (Target target : targets) {
      changed.put(target.weight().tensor(), target);
      inputs.put(target.weight().tensor(), new Tensor(WEIGHT + inputs.size(), ElementType.F32, target.shape(), Span.NONE));
    }
    List<Tensor> all = new ArrayList<>(cascade.inputs());
    all.addAll(inputs.values());
    List<Cascade.Weight> rest = cascade.weights().stream().filter(weight -> !changed.containsKey(weight.tensor())).toList();
    List<Definition> definitions = cascade.definitions().stream().map(definition -> definition.mapExprs(expr -> change(expr, changed, inputs))).toList();
    return new Cascade(cascade.name(), all, rest, definitions, List.of(last), Mapping.NONE);
  }

  private static Expr change(Expr expr, Map<Tensor, Target> changed, Map<Tensor, Tensor> inputs) {
    if (expr instanceof Expr.Access access && changed.containsKey(access.tensor())) {
      List<Expr> indices = changed.get(access.tensor()).order().stream().map(access.indices()::get).map(index -> change(index, changed, inputs)).toList();
      Expr element = new Expr.Access(inputs.get(access.tensor()), indices, access.outside().map(value -> new Expr.Cast(ElementType.F32, value)));
      return access.type() == ElementType.F32 ? element : new Expr.Cast(access.type(), element);
    }
    return expr.mapChildren(child -> change(child, changed, inputs));
  }

  /// The square of the norm of what changes with other rows of a weight, over that of what the program gives.
  double change(int place, float[] rows) {
    double change = 0;
    double size = 0;
    for (int batch = 0; batch < batches.size(); batch++) {
      float[] before = outputs.get(batch);
      float[] after = run(batches.get(batch), place, rows);
      for (int i = 0; i < before.length; i++) {
        change += ((double) after[i] - before[i]) * ((double) after[i] - before[i]);
        size += (double) before[i] * before[i];
      }
    }
    return size == 0 ? 0 : change / size;
  }

  private float[] run(Map<String, dev.einfall.runtime.Tensor> batch, int place, float[] rows) {
    Map<String, dev.einfall.runtime.Tensor> inputs = new LinkedHashMap<>(batch);
    List<dev.einfall.runtime.Tensor> own = new ArrayList<>();
    for (int i = 0; i < targets.size(); i++) {
      long[] shape = targets.get(i).shape().stream().mapToLong(size -> size.value()).toArray();
      own.add(dev.einfall.runtime.Tensor.of(i == place ? rows : exact.get(i), shape));
      inputs.put(WEIGHT + i, own.getLast());
    }
    Map<String, dev.einfall.runtime.Tensor> results = program.run(inputs);
    float[] values = results.get(output).floats();
    results.values().forEach(dev.einfall.runtime.Tensor::close);
    own.forEach(dev.einfall.runtime.Tensor::close);
    return values;
  }

  @Override
  public void close() {
    program.close();
  }
}
