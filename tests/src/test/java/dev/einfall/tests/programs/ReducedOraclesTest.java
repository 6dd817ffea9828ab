package dev.einfall.tests.programs;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.fail;

import dev.einfall.backends.reference.Array;
import dev.einfall.backends.reference.CascadeInterpreter;
import dev.einfall.frontend.EinProgram;
import dev.einfall.frontend.EinReader;
import dev.einfall.frontend.Imports;
import dev.einfall.ir.Source;
import dev.einfall.ir.cascade.Cascade;
import dev.einfall.ir.cascade.CascadeVerifier;
import dev.einfall.ir.cascade.Tensor;
import dev.einfall.passes.Pass;
import dev.einfall.passes.PassCatalog;
import dev.einfall.passes.analysis.PassCount;
import dev.einfall.passes.cascade.BindSizes;
import dev.einfall.runtime.Port;
import dev.einfall.tests.Comparison;
import dev.einfall.tests.programs.oracles.OracleCase;
import dev.einfall.tests.programs.oracles.OracleRun;
import dev.einfall.tests.programs.oracles.Oracles;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.parallel.Execution;
import org.junit.jupiter.api.parallel.ExecutionMode;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// The programs in the folders of `programs` compute the same when their passes are reduced, whole and in parts side by side, with tiles
/// that do and do not divide what they go over. Run by the reference interpreter against the formulas in plain Java.
@Execution(ExecutionMode.CONCURRENT)
class ReducedOraclesTest {
  private static final Path PROGRAMS = Path.of("programs");
  private static final String BEFORE = "normalize-reductions,fold-constants,eliminate-common-einsums";
  private static final List<String> FORMS = List.of("defer-factors,reduce-passes{tile=4,row-bytes=0}",
      "reduce-passes{tile=64,row-bytes=0}", "reduce-passes{tile=1,rows=3,row-bytes=0}", "reduce-passes{tile=8,parts=3,row-bytes=0}");

  @TestFactory
  List<DynamicTest> sameResults() {
    return Oracles.all().stream().map(oracle -> DynamicTest.dynamicTest(oracle.program(), () -> check(oracle))).toList();
  }

  private static void check(OracleCase oracle) throws IOException {
    EinProgram program = read(oracle);
    for (Map<String, Integer> round : oracle.rounds()) {
      Cascade plain = plain(program, round);
      for (String form : FORMS) {
        Cascade reduced = after(form, plain);
        if (reduced != plain) {
          check(oracle, program, round, reduced, form);
        }
      }
    }
  }

  /// The passes over an input along one of its dimensions, as the program is written and when they are reduced.
  @ParameterizedTest
  @CsvSource({
      "reduced/attention, K, 2, 2, 1", "reduced/causal, K, 0, 2, 1", "reduced/window, K, 1, 2, 1", "reduced/blocks, K, 0, 2, 1",
      "reduced/padding, K, 2, 2, 1", "reduced/temperature, K, 0, 2, 1",
      "reduced/alibi, K, 1, 2, 1", "reduced/soft_capped_sink, K, 2, 2, 1", "reduced/grouped_decode, K, 2, 2, 1",
      "reduced/cross_entropy, X, 1, 2, 1", "reduced/layer_norm, X, 1, 3, 2", "reduced/weighted_moments, X, 1, 2, 1",
      "reduced/weighted_moments, W, 1, 3, 1", "reduced/surprise, X, 1, 3, 1"})
  void fewerPasses(String name, String input, int dimension, int before, int after) throws IOException {
    OracleCase oracle = Oracles.all().stream().filter(one -> one.program().equals(name)).findFirst().orElseThrow();
    Cascade plain = plain(read(oracle), oracle.rounds().getFirst());
    assertEquals(before, passes(plain, input, dimension), "as it is written");
    assertEquals(after, passes(after(FORMS.getFirst(), plain), input, dimension), "when it is reduced");
  }

  private static int passes(Cascade cascade, String input, int dimension) {
    Tensor tensor = cascade.inputs().stream().filter(one -> one.name().equals(input)).findFirst().orElseThrow();
    return PassCount.of(cascade).count(tensor, dimension).passes();
  }

  private static EinProgram read(OracleCase oracle) throws IOException {
    Path file = PROGRAMS.resolve(oracle.program() + ".ein");
    return EinReader.read(new Source(file.toString(), Files.readString(file)), Optional.empty(), Imports.files());
  }

  private static Cascade plain(EinProgram program, Map<String, Integer> round) {
    SortedMap<String, Long> sizes = new TreeMap<>();
    round.forEach((name, size) -> sizes.put(name, (long) size));
    return after(BEFORE, new BindSizes(sizes).apply(program.cascade(sizes), _ -> {}));
  }

  private static Cascade after(String passes, Cascade cascade) {
    Cascade result = cascade;
    for (Pass pass : PassCatalog.parse(passes)) {
      result = ((Pass.OnCascade) pass).apply(result, _ -> {});
      CascadeVerifier.verify(result);
    }
    return result;
  }

  private static void check(OracleCase oracle, EinProgram program, Map<String, Integer> round, Cascade cascade, String form) {
    List<Port> inputs = program.inputs().stream().map(input -> new Port(input.name(), input.type(), input.shape())).toList();
    List<Port> outputs = program.results().stream().map(result -> new Port(result.name(), result.type(), result.shape())).toList();
    OracleRun run = OracleRun.of(oracle, inputs, round);
    run.difference(outputs, outputs(cascade, run.inputs()), Comparison.ofSums(oracle.terms()))
        .ifPresent(difference -> fail(oracle + " at " + round + " after " + form + ": " + difference));
  }

  private static List<Array> outputs(Cascade cascade, List<Array> inputs) {
    Map<Tensor, Array> arrays = new IdentityHashMap<>();
    for (int i = 0; i < inputs.size(); i++) {
      arrays.put(cascade.inputs().get(i), inputs.get(i));
    }
    Map<Tensor, Array> results = CascadeInterpreter.run(cascade, arrays);
    List<Array> outputs = new ArrayList<>();
    cascade.outputs().forEach(output -> outputs.add(results.get(output.tensor())));
    return outputs;
  }
}
