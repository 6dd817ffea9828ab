package dev.einfall.tests.programs;

import static org.junit.jupiter.api.Assertions.fail;

import dev.einfall.backends.reference.Array;
import dev.einfall.backends.reference.CascadeInterpreter;
import dev.einfall.backends.reference.PlanInterpreter;
import dev.einfall.frontend.EinProgram;
import dev.einfall.frontend.EinReader;
import dev.einfall.ir.Size;
import dev.einfall.ir.Source;
import dev.einfall.ir.cascade.Cascade;
import dev.einfall.ir.cascade.CascadeVerifier;
import dev.einfall.ir.cascade.Tensor;
import dev.einfall.ir.loop.Buffer;
import dev.einfall.ir.loop.KernelPlan;
import dev.einfall.ir.loop.PlanVerifier;
import dev.einfall.passes.Pipeline;
import dev.einfall.passes.PipelineOptions;
import dev.einfall.passes.Target;
import dev.einfall.tests.Comparison;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.Stream;

/// The programs in `programs`, their sizes and inputs in each round, and what they should give.
public final class Programs {
  public static final Path PROGRAMS = Path.of("programs");
  public static final long[] SIZES = {1, 3, 7, 8, 9, 16, 17, 31, 64, 100};
  private static final Comparison COMPARISON = Comparison.ofSums(300);

  private Programs() {}

  public static List<Path> programs() throws IOException {
    return programs(PROGRAMS);
  }

  public static List<Path> programs(Path folder) throws IOException {
    try (Stream<Path> files = Files.list(folder)) {
      return files.filter(file -> file.toString().endsWith(".ein")).sorted().toList();
    }
  }

  public static EinProgram read(Path file) throws IOException {
    return EinReader.read(new Source(file.toString(), Files.readString(file)), Optional.empty());
  }

  public static Cascade cascade(EinProgram program, SortedMap<String, Long> sizes) {
    Cascade cascade = program.cascade(sizes);
    CascadeVerifier.verify(cascade);
    return cascade;
  }

  /// The sizes of round `round`: each name another one.
  public static SortedMap<String, Long> sizes(EinProgram program, int round) {
    SortedMap<String, Long> sizes = new TreeMap<>();
    TreeSet<String> names = new TreeSet<>();
    program.inputs().forEach(tensor -> tensor.shape().forEach(size -> names.addAll(size.names())));
    for (String name : names) {
      sizes.put(name, SIZES[(round + 3 * sizes.size()) % SIZES.length]);
    }
    return sizes;
  }

  public static List<Array> inputs(Cascade cascade, SortedMap<String, Long> sizes) {
    List<Array> inputs = new ArrayList<>();
    for (Tensor tensor : cascade.inputs()) {
      int[] shape = tensor.shape().stream()
          .mapToInt(size -> size.substitute(name -> Optional.ofNullable(sizes.get(name)).map(Size::of)).value()).toArray();
      inputs.add(Array.random(tensor.type(), 77 + inputs.size(), shape));
    }
    return inputs;
  }

  public static List<Array> reference(Cascade cascade, List<Array> inputs) {
    Map<Tensor, Array> arrays = new LinkedHashMap<>();
    for (int i = 0; i < inputs.size(); i++) {
      arrays.put(cascade.inputs().get(i), inputs.get(i));
    }
    Map<Tensor, Array> results = CascadeInterpreter.run(cascade, arrays);
    return cascade.outputs().stream().map(output -> results.get(output.tensor())).toList();
  }

  public static void requireClose(List<Array> expected, List<Array> actual, String where) {
    for (int i = 0; i < expected.size(); i++) {
      COMPARISON.difference(expected.get(i), actual.get(i)).ifPresent(difference -> fail(difference + " " + where));
    }
  }

  /// The plan for `target`, run by the interpreter of kernels.
  public static void requireRight(Cascade cascade, SortedMap<String, Long> sizes, Target target, String where) {
    KernelPlan plan = new Pipeline(PipelineOptions.of(target), _ -> { }, _ -> { }).compile(cascade, sizes);
    PlanVerifier.verify(plan);
    List<Array> inputs = inputs(cascade, sizes);
    Map<Buffer, Array> arrays = new LinkedHashMap<>();
    for (int i = 0; i < inputs.size(); i++) {
      arrays.put(plan.inputs().get(i), inputs.get(i));
    }
    Map<Buffer, Array> results = PlanInterpreter.run(plan, arrays);
    requireClose(reference(cascade, inputs), plan.outputs().stream().map(output -> results.get(output.buffer())).toList(),
        where);
  }
}
