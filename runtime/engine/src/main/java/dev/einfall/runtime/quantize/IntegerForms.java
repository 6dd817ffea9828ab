package dev.einfall.runtime.quantize;

import dev.einfall.ir.CompileException;
import dev.einfall.ir.ElementType;
import dev.einfall.ir.Size;
import dev.einfall.ir.Source;
import dev.einfall.ir.Span;
import dev.einfall.ir.cascade.Cascade;
import dev.einfall.ir.cascade.CascadePrinter;
import dev.einfall.ir.cascade.Definition;
import dev.einfall.ir.cascade.Einsum;
import dev.einfall.ir.cascade.Expr;
import dev.einfall.ir.cascade.Mapping;
import dev.einfall.ir.cascade.Tensor;
import dev.einfall.passes.cascade.BindSizes;
import dev.einfall.runtime.Einfall;
import dev.einfall.runtime.Options;
import dev.einfall.runtime.Program;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.SortedMap;
import java.util.SplittableRandom;
import java.util.TreeMap;

/// Finds which tensors are functions of rows that have counterparts in whole numbers: by what they compute of some numbers, whatever the definitions are called and
/// however they are written.
final class IntegerForms {
  /// How many definitions a function is made of at most.
  private static final int DEFINITIONS = 10;
  private static final int SAMPLE = 3;
  /// By how much functions that are taken for each other may differ.
  private static final double TOLERANCE = 5e-3;

  private final Map<Tensor, Definition> definitions;
  private final Map<Tensor, Integer> places = new HashMap<>();
  private final Set<Tensor> weights;
  private final Map<Tensor, Optional<Form>> known = new HashMap<>();

  /// A function of the rows of a tensor along its last dimension.
  enum Kind { SOFTMAX, GELU, LAYER_NORM }

  /// @param source whose rows it is of
  /// @param weights gamma and beta of a norm
  record Form(Kind kind, Tensor source, List<Tensor> weights) {}

  IntegerForms(Cascade cascade, Map<Tensor, Definition> definitions, Set<Tensor> weights) {
    this.definitions = definitions;
    this.weights = weights;
    cascade.definitions().forEach(definition -> definition.tensors().forEach(tensor -> places.put(tensor, places.size())));
  }

  Optional<Form> of(Tensor tensor) {
    if (!known.containsKey(tensor)) {
      known.put(tensor, search(tensor));
    }
    return known.get(tensor);
  }

  private Optional<Form> search(Tensor tensor) {
    Set<Tensor> open = new LinkedHashSet<>(List.of(tensor));
    Set<Tensor> vectors = new LinkedHashSet<>();
    List<Einsum> inside = new ArrayList<>();
    while (inside.size() < DEFINITIONS && !open.isEmpty()) {
      Tensor last = open.stream().max((left, right) -> Integer.compare(places.getOrDefault(left, -1), places.getOrDefault(right, -1))).orElseThrow();
      if (!(definitions.get(last) instanceof Einsum einsum) || last.type() != ElementType.F32) {
        return Optional.empty();
      }
      open.remove(last);
      inside.addFirst(einsum);
      for (Expr node : einsum.value().nodes().toList()) {
        if (node instanceof Expr.Access access) {
          (weights.contains(access.tensor()) ? vectors : open).add(access.tensor());
        }
      }
      boolean isCandidate = open.size() == 1 && open.iterator().next().shape().equals(tensor.shape()) && vectors.stream().allMatch(vector -> isVector(vector, tensor));
      Optional<Form> found = isCandidate ? compared(tensor, open.iterator().next(), List.copyOf(vectors), inside) : Optional.empty();
      if (found.isPresent() || vectors.size() > 2) {
        return found;
      }
    }
    return Optional.empty();
  }

  private static boolean isVector(Tensor weight, Tensor tensor) {
    return weight.shape().equals(List.of(tensor.shape().getLast()));
  }

  private static Optional<Form> compared(Tensor tensor, Tensor source, List<Tensor> vectors, List<Einsum> inside) {
    SortedMap<String, Long> sizes = new TreeMap<>();
    inside.forEach(einsum -> einsum.tensor().shape().stream().map(Size::names).forEach(names -> names.forEach(name -> sizes.put(name, (long) SAMPLE))));
    List<Tensor> inputs = new ArrayList<>(List.of(source));
    inputs.addAll(vectors);
    Tensor result = new Tensor("result", ElementType.F32, tensor.shape(), Span.NONE);
    Cascade cascade = new Cascade("main", inputs, List.of(), List.copyOf(inside), List.of(new Cascade.Output("result", tensor)), Mapping.NONE);
    String text = CascadePrinter.print(new BindSizes(sizes).apply(cascade, _ -> { }));
    List<float[]> values = new ArrayList<>();
    float[] given;
    try (Program program = Einfall.compile(new Source(result.name(), text), Options.defaults().withBackend(Options.Backend.REFERENCE))) {
      Map<String, dev.einfall.runtime.Tensor> all = new LinkedHashMap<>();
      program.inputs().forEach(port -> {
        long[] shape = port.shape().stream().mapToLong(Size::value).toArray();
        values.add(normal(shape, values.size()));
        all.put(port.name(), dev.einfall.runtime.Tensor.of(values.getLast(), shape));
      });
      try (dev.einfall.runtime.Tensor out = program.run(all).get("result")) {
        given = out.floats();
      }
      all.values().forEach(dev.einfall.runtime.Tensor::close);
    } catch (CompileException _) {
      return Optional.empty();
    }
    int length = tensor.shape().getLast().constant().map(Long::intValue).orElse(SAMPLE);
    return forms(source, vectors).stream()
        .filter(form -> isNear(given, formula(form, values.getFirst(), form.weights.stream().map(vector -> values.get(1 + vectors.indexOf(vector))).toList(), length))).findFirst();
  }

  private static float[] normal(long[] shape, long seed) {
    SplittableRandom random = new SplittableRandom(seed);
    long count = 1;
    for (long size : shape) {
      count *= size;
    }
    float[] values = new float[Math.toIntExact(count)];
    for (int i = 0; i < values.length; i++) {
      values[i] = (float) random.nextGaussian();
    }
    return values;
  }

  private static List<Form> forms(Tensor source, List<Tensor> vectors) {
    return switch (vectors.size()) {
      case 0 -> List.of(new Form(Kind.SOFTMAX, source, vectors), new Form(Kind.GELU, source, vectors));
      case 2 -> List.of(new Form(Kind.LAYER_NORM, source, vectors), new Form(Kind.LAYER_NORM, source, vectors.reversed()));
      default -> List.of();
    };
  }

  private static boolean isNear(float[] given, double[] formula) {
    for (int i = 0; i < given.length; i++) {
      if (!(Math.abs(given[i] - formula[i]) < TOLERANCE)) {
        return false;
      }
    }
    return true;
  }

  private static double[] formula(Form form, float[] x, List<float[]> vectors, int length) {
    double[] y = new double[x.length];
    for (int start = 0; start < x.length; start += length) {
      double sum = 0;
      double mean = 0;
      double square = 0;
      for (int i = start; i < start + length; i++) {
        sum += Math.exp(x[i]);
        mean += x[i] / (double) length;
      }
      for (int i = start; i < start + length; i++) {
        square += (x[i] - mean) * (x[i] - mean) / length;
      }
      for (int i = start; i < start + length; i++) {
        y[i] = switch (form.kind) {
          case SOFTMAX -> Math.exp(x[i]) / sum;
          case GELU -> 0.5 * x[i] * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (x[i] + 0.044715 * x[i] * x[i] * x[i])));
          case LAYER_NORM -> (x[i] - mean) / Math.sqrt(square) * vectors.getFirst()[i - start] + vectors.getLast()[i - start];
        };
      }
    }
    return y;
  }
}
