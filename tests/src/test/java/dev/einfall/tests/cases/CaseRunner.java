package dev.einfall.tests.cases;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.fail;

import dev.einfall.backends.KernelFault;
import dev.einfall.backends.reference.Array;
import dev.einfall.ir.CompileException;
import dev.einfall.ir.Diagnostic;
import dev.einfall.ir.Source;
import dev.einfall.passes.Pass;
import dev.einfall.passes.PassCase;
import dev.einfall.tests.Comparison;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;

/// Runs the passes of a case and checks them four ways: the expected text, the verifiers before and after every pass, the
/// round trip of both texts, and the same results by the reference interpreter before and after.
record CaseRunner(Function<String, List<Pass>> catalog) {

  /// Polynomials of the `f32` functions are allowed their error.
  private static final Comparison COMPARISON = new Comparison(1e-5);

  /// What the passes make of the case: the text that belongs after its arrow.
  ///
  /// @throws CompileException if the program or the list of passes is wrong: such a case would test nothing
  String run(String fileName, PassCase passCase) {
    Source source = new Source(fileName, passCase.before());
    Stage first = fileName.endsWith(".ein") ? CascadeStage.read(source) : LoopStages.read(source);
    check(first, "the input");
    List<Pass> passes = catalog.apply(passCase.passes());
    StringBuilder after = new StringBuilder();
    try {
      Stage last = first;
      for (Pass pass : passes) {
        last = last.apply(pass, remark -> append(after, remark));
        check(last, "the result of " + pass.name());
      }
      requireSameResults(first, last, passCase);
      after.append(last.text());
    } catch (CompileException problem) {
      problem.diagnostics().forEach(diagnostic -> append(after, diagnostic));
    }
    return after.toString();
  }

  private static void check(Stage stage, String what) {
    stage.verify();
    assertEquals(stage.text(), stage.textReadBack(), "round trip of " + what);
  }

  private static void append(StringBuilder after, Diagnostic diagnostic) {
    after.append("# ").append(diagnostic.severity()).append(": ").append(diagnostic.message()).append('\n');
    diagnostic.notes().forEach(note -> after.append("# NOTE: ").append(note.message()).append('\n'));
  }

  private static void requireSameResults(Stage first, Stage last, PassCase passCase) {
    Map<String, Array> inputs = first.randomInputs(passCase.sizes());
    Optional<Map<String, Array>> expected = run(first, inputs);
    Optional<Map<String, Array>> actual = run(last, inputs);
    assertEquals(expected.isPresent(), actual.isPresent(), "whether a fault ends the run");
    expected.ifPresent(results -> {
      assertEquals(results.keySet(), actual.get().keySet(), "the results");
      results.forEach((name, array) -> COMPARISON.difference(array, actual.get().get(name))
          .ifPresent(difference -> fail(name + ": " + difference)));
    });
  }

  private static Optional<Map<String, Array>> run(Stage stage, Map<String, Array> inputs) {
    try {
      return Optional.of(stage.run(inputs));
    } catch (KernelFault _) {
      return Optional.empty();
    }
  }
}
