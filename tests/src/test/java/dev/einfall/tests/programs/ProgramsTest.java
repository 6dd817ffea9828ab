package dev.einfall.tests.programs;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.fail;

import dev.einfall.backends.reference.Array;
import dev.einfall.backends.reference.CascadeInterpreter;
import dev.einfall.backends.reference.PlanInterpreter;
import dev.einfall.frontend.EinProgram;
import dev.einfall.frontend.EinReader;
import dev.einfall.ir.Size;
import dev.einfall.ir.Source;
import dev.einfall.ir.cascade.Cascade;
import dev.einfall.ir.cascade.CascadePrinter;
import dev.einfall.ir.cascade.CascadeVerifier;
import dev.einfall.ir.cascade.Tensor;
import dev.einfall.ir.loop.Buffer;
import dev.einfall.ir.loop.KernelPlan;
import dev.einfall.ir.loop.PlanVerifier;
import dev.einfall.passes.Pass;
import dev.einfall.passes.PassRunner;
import dev.einfall.passes.Pipeline;
import dev.einfall.passes.PipelineOptions;
import dev.einfall.passes.Target;
import dev.einfall.tests.Comparison;
import dev.einfall.tests.JvmRun;
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
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;

/// Runs every program in `programs` at sizes that do and do not fill vectors and tiles, against the reference interpreter.
class ProgramsTest {
  private static final Path PROGRAMS = Path.of("programs");
  private static final long[] SIZES = {1, 3, 7, 8, 9, 16, 17, 31, 64, 100};
  private static final int[] VECTOR_BYTES = {4, 16, 32, 64};
  private static final Comparison COMPARISON = Comparison.ofSums(300);

  /// The plans, run by the interpreter of kernels: slow, so at the small sizes only.
  @TestFactory
  List<DynamicTest> plansInterpreted() throws IOException {
    return programs().stream().map(file -> DynamicTest.dynamicTest(file.getFileName().toString(), () -> {
      EinProgram program = read(file);
      for (int i = 0; i < 7; i++) {
        SortedMap<String, Long> sizes = sizes(program, i);
        checkPlan(cascade(program, sizes), sizes, VECTOR_BYTES[i % VECTOR_BYTES.length]);
      }
    })).toList();
  }

  /// The bytecode, at every size, with vectors of every width and with 1 and 2 threads.
  @TestFactory
  List<DynamicTest> bytecode() throws IOException {
    return programs().stream().map(file -> DynamicTest.dynamicTest(file.getFileName().toString(), () -> {
      EinProgram program = read(file);
      for (int i = 0; i < SIZES.length; i++) {
        int vectorBytes = VECTOR_BYTES[i % VECTOR_BYTES.length];
        SortedMap<String, Long> sizes = sizes(program, i);
        Cascade cascade = cascade(program, sizes);
        List<Array> inputs = inputs(cascade, sizes);
        List<Array> actual = JvmRun.outputs(Files.readString(file), inputs, JvmRun.options(1 + i % 2, vectorBytes));
        requireClose(reference(cascade, inputs), actual,
            "at " + sizes + " with vectors of " + vectorBytes + " bytes");
      }
    })).toList();
  }

  /// What the passes make of a program, with all that they map, is a program that says the same.
  @TestFactory
  List<DynamicTest> mappedProgramsReadBack() throws IOException {
    List<Path> files = new ArrayList<>(programs());
    files.addAll(programs(PROGRAMS.resolve("reduced")));
    return files.stream().map(file -> DynamicTest.dynamicTest(file.getFileName().toString(), () -> {
      EinProgram program = read(file);
      for (int i = 5; i < SIZES.length; i += 2) {
        SortedMap<String, Long> sizes = sizes(program, i);
        String mapped = CascadePrinter.print(mapped(cascade(program, sizes), sizes, VECTOR_BYTES[i % VECTOR_BYTES.length], 1 + i % 3));
        assertEquals(mapped, CascadePrinter.print(EinReader.read(new Source("mapped.ein", mapped), Optional.empty()).cascade()));
      }
    })).toList();
  }

  private static Cascade mapped(Cascade cascade, SortedMap<String, Long> sizes, int vectorBytes, int threads) {
    Pipeline pipeline = new Pipeline(PipelineOptions.of(Target.of(vectorBytes, threads)), _ -> { }, _ -> { });
    PassRunner runner = new PassRunner(_ -> { }, _ -> { });
    Cascade mapped = cascade;
    for (Pass.OnCascade pass : pipeline.cascadePasses(sizes)) {
      mapped = runner.run(pass, mapped);
    }
    return mapped;
  }

  private static List<Path> programs() throws IOException {
    return programs(PROGRAMS);
  }

  private static List<Path> programs(Path folder) throws IOException {
    try (Stream<Path> files = Files.list(folder)) {
      return files.filter(file -> file.toString().endsWith(".ein")).sorted().toList();
    }
  }

  private static EinProgram read(Path file) throws IOException {
    return EinReader.read(new Source(file.toString(), Files.readString(file)), Optional.empty());
  }

  private static Cascade cascade(EinProgram program, SortedMap<String, Long> sizes) {
    Cascade cascade = program.cascade(sizes);
    CascadeVerifier.verify(cascade);
    return cascade;
  }

  /// The sizes of round `round`: each name another one.
  private static SortedMap<String, Long> sizes(EinProgram program, int round) {
    SortedMap<String, Long> sizes = new TreeMap<>();
    TreeSet<String> names = new TreeSet<>();
    program.inputs().forEach(tensor -> tensor.shape().forEach(size -> names.addAll(size.names())));
    for (String name : names) {
      sizes.put(name, SIZES[(round + 3 * sizes.size()) % SIZES.length]);
    }
    return sizes;
  }

  private static List<Array> inputs(Cascade cascade, SortedMap<String, Long> sizes) {
    List<Array> inputs = new ArrayList<>();
    for (Tensor tensor : cascade.inputs()) {
      int[] shape = tensor.shape().stream()
          .mapToInt(size -> size.substitute(name -> Optional.ofNullable(sizes.get(name)).map(Size::of)).value()).toArray();
      inputs.add(Array.random(tensor.type(), 77 + inputs.size(), shape));
    }
    return inputs;
  }

  private static List<Array> reference(Cascade cascade, List<Array> inputs) {
    Map<Tensor, Array> arrays = new LinkedHashMap<>();
    for (int i = 0; i < inputs.size(); i++) {
      arrays.put(cascade.inputs().get(i), inputs.get(i));
    }
    Map<Tensor, Array> results = CascadeInterpreter.run(cascade, arrays);
    return cascade.outputs().stream().map(output -> results.get(output.tensor())).toList();
  }

  private static void checkPlan(Cascade cascade, SortedMap<String, Long> sizes, int vectorBytes) {
    KernelPlan plan = new Pipeline(PipelineOptions.of(Target.of(vectorBytes, 2)), _ -> { }, _ -> { }).compile(cascade, sizes);
    PlanVerifier.verify(plan);
    List<Array> inputs = inputs(cascade, sizes);
    Map<Buffer, Array> arrays = new LinkedHashMap<>();
    for (int i = 0; i < inputs.size(); i++) {
      arrays.put(plan.inputs().get(i), inputs.get(i));
    }
    Map<Buffer, Array> results = PlanInterpreter.run(plan, arrays);
    requireClose(reference(cascade, inputs), plan.outputs().stream().map(output -> results.get(output.buffer())).toList(),
        "at " + sizes + " with vectors of " + vectorBytes + " bytes");
  }

  private static void requireClose(List<Array> expected, List<Array> actual, String where) {
    for (int i = 0; i < expected.size(); i++) {
      COMPARISON.difference(expected.get(i), actual.get(i)).ifPresent(difference -> fail(difference + " " + where));
    }
  }
}
