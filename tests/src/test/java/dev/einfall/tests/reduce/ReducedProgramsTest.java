package dev.einfall.tests.reduce;

import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assertions.fail;

import dev.einfall.backends.KernelFault;
import dev.einfall.backends.reference.Array;
import dev.einfall.backends.reference.CascadeInterpreter;
import dev.einfall.frontend.EinProgram;
import dev.einfall.frontend.EinReader;
import dev.einfall.ir.CompileException;
import dev.einfall.ir.Size;
import dev.einfall.ir.Source;
import dev.einfall.ir.cascade.Cascade;
import dev.einfall.ir.cascade.CascadePrinter;
import dev.einfall.ir.cascade.Tensor;
import dev.einfall.passes.Pass;
import dev.einfall.passes.PassCatalog;
import dev.einfall.passes.PassRunner;
import dev.einfall.passes.cascade.BindSizes;
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
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.parallel.Execution;
import org.junit.jupiter.api.parallel.ExecutionMode;

/// Reduces the passes of every program in `programs` wherever the algebra allows it, worth it or not, and compares the results.
@Execution(ExecutionMode.CONCURRENT)
class ReducedProgramsTest {
  private static final Path PROGRAMS = Path.of("programs");
  private static final Comparison COMPARISON = Comparison.ofSums(300);
  private static final List<String> FORMS = List.of(
      "reduce-passes{tile=2, rows=2, row-bytes=0}", "reduce-passes{tile=1, rows=1, row-bytes=0}",
      "reduce-passes{tile=2, rows=1, parts=2, row-bytes=0}");
  /// Most programs go with one of these; the sizes of a program are one after the other of a row.
  private static final List<List<Long>> SIZES = List.of(
      List.of(7L, 5L, 9L, 3L, 6L), List.of(8L), List.of(6L), List.of(4L), List.of(12L, 4L, 8L, 2L), List.of(2L, 4L, 6L, 8L));

  @Test
  void allProgramsKeepTheirResults() throws IOException {
    List<Path> files;
    try (Stream<Path> found = Files.walk(PROGRAMS)) {
      files = found.filter(file -> file.toString().endsWith(".ein")).sorted().toList();
    }
    int reduced = 0;
    List<String> problems = new ArrayList<>();
    for (Path file : files) {
      EinProgram program = EinReader.read(new Source(file.toString(), Files.readString(file)), Optional.empty());
      Optional<SortedMap<String, Long>> sizes = SIZES.stream().map(row -> sizes(program, row)).filter(row -> fits(program, row)).findFirst();
      if (sizes.isPresent()) {
        reduced += check(file, program.cascade(sizes.get()), sizes.get(), problems);
      }
    }
    if (!problems.isEmpty()) {
      fail(String.join("\n\n", problems));
    }
    assertTrue(reduced > 100, "reduced " + reduced);
  }

  private static SortedMap<String, Long> sizes(EinProgram program, List<Long> row) {
    SortedMap<String, Long> sizes = new TreeMap<>();
    program.inputs().forEach(tensor -> tensor.shape().forEach(size -> size.names().forEach(name ->
        sizes.computeIfAbsent(name, _ -> row.get(sizes.size() % row.size())))));
    return sizes;
  }

  private static boolean fits(EinProgram program, SortedMap<String, Long> sizes) {
    try {
      Cascade cascade = new BindSizes(sizes).apply(program.cascade(sizes), _ -> { });
      return cascade.weights().isEmpty();
    } catch (CompileException _) {
      return false;
    }
  }

  /// How many forms changed the program.
  private static int check(Path file, Cascade source, SortedMap<String, Long> sizes, List<String> problems) {
    PassRunner runner = new PassRunner(_ -> { }, _ -> { });
    Cascade bound = runner.run(new BindSizes(sizes), source);
    List<Array> inputs = inputs(bound);
    Optional<List<Array>> expected = Optional.empty();
    int changed = 0;
    for (String form : FORMS) {
      Cascade before = bound;
      for (Pass pass : PassCatalog.parse("normalize-reductions,fold-constants,eliminate-common-einsums,defer-factors")) {
        before = runner.run((Pass.OnCascade) pass, before);
      }
      Cascade after = runner.run((Pass.OnCascade) PassCatalog.parse(form).getFirst(), before);
      if (after != before) {
        changed++;
        expected = expected.or(() -> run(bound, inputs));
        if (expected.isEmpty()) {
          return 0;
        }
        compare(expected.get(), run(after, inputs).orElseThrow(), problems, file + " " + sizes + " " + form, after);
      }
    }
    return changed;
  }

  private static void compare(List<Array> expected, List<Array> actual, List<String> problems, String where, Cascade cascade) {
    for (int i = 0; i < expected.size(); i++) {
      String name = cascade.outputs().get(i).name();
      COMPARISON.difference(expected.get(i), actual.get(i)).ifPresent(difference ->
          problems.add(where + ", " + name + ": " + difference + "\n" + CascadePrinter.print(cascade)));
    }
  }

  private static List<Array> inputs(Cascade cascade) {
    List<Array> inputs = new ArrayList<>();
    for (Tensor tensor : cascade.inputs()) {
      inputs.add(Array.random(tensor.type(), 77 + inputs.size(), tensor.shape().stream().mapToInt(Size::value).toArray()));
    }
    return inputs;
  }

  private static Optional<List<Array>> run(Cascade cascade, List<Array> inputs) {
    Map<Tensor, Array> arrays = new LinkedHashMap<>();
    for (int i = 0; i < inputs.size(); i++) {
      arrays.put(cascade.inputs().get(i), inputs.get(i));
    }
    try {
      Map<Tensor, Array> results = CascadeInterpreter.run(cascade, arrays);
      return Optional.of(cascade.outputs().stream().map(output -> results.get(output.tensor())).toList());
    } catch (KernelFault _) {
      return Optional.empty();
    }
  }
}
