package dev.einfall.tests.cascade;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.einfall.frontend.EinProgram;
import dev.einfall.frontend.EinReader;
import dev.einfall.ir.CompileException;
import dev.einfall.ir.Source;
import dev.einfall.ir.cascade.Cascade;
import dev.einfall.ir.cascade.CascadePrinter;
import dev.einfall.ir.cascade.Definition;
import dev.einfall.ir.cascade.Expr;
import dev.einfall.passes.Pass;
import dev.einfall.passes.PassRunner;
import dev.einfall.passes.Pipeline;
import dev.einfall.passes.PipelineOptions;
import dev.einfall.passes.Target;
import dev.einfall.passes.analysis.LiveFootprint;
import dev.einfall.passes.analysis.PassCount;
import dev.einfall.passes.analysis.PassCount.Count;
import dev.einfall.passes.analysis.TrafficBound;
import dev.einfall.passes.cascade.BindSizes;
import dev.einfall.passes.cascade.Constants;
import dev.einfall.passes.cascade.NormalizeReductions;
import dev.einfall.tests.random.SampleGenerator;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.parallel.Execution;
import org.junit.jupiter.api.parallel.ExecutionMode;

/// What holds of the passes of any program: a reduction is counted the same inside an expression and in an Einsum of its own,
/// there is a barrier for each pass but the first, and nothing fails on what the passes make.
@Execution(ExecutionMode.CONCURRENT)
final class PassCountProgramsTest {
  private static final Path PROGRAMS = Path.of("programs");

  @TestFactory
  List<DynamicTest> programs() throws IOException {
    try (Stream<Path> files = Files.walk(PROGRAMS)) {
      return files.filter(file -> file.toString().endsWith(".ein")).sorted()
          .map(file -> DynamicTest.dynamicTest(PROGRAMS.relativize(file).toString(), () -> check(file))).toList();
    }
  }

  @Test
  void randomPrograms() {
    for (long seed = 0; seed < 100; seed++) {
      var sample = SampleGenerator.sample(seed);
      check(sample.cascade(), sample.sizes());
    }
  }

  private static void check(Path file) throws IOException {
    EinProgram program = EinReader.read(new Source(file.toString(), Files.readString(file)), Optional.empty());
    SortedMap<String, Long> sizes = new TreeMap<>();
    program.neededSizes().forEach(name -> sizes.put(name, 8L));
    program.inputs().forEach(tensor -> tensor.shape().forEach(size -> size.names().forEach(name -> sizes.put(name, 8L))));
    try {
      check(program.cascade(sizes), sizes);
    } catch (CompileException impossible) {
      assumeTrue(false, impossible.getMessage());
    }
  }

  private static void check(Cascade cascade, SortedMap<String, Long> sizes) {
    Cascade bound = new BindSizes(sizes).apply(cascade, _ -> {});
    PassCount counts = counts(bound);
    Cascade normal = new NormalizeReductions().apply(bound, _ -> {});
    if (bound.definitions().stream().flatMap(Definition::exprs).flatMap(Expr::nodes)
        .noneMatch(node -> node instanceof Expr.Reduce reduce && reduce.reduction().isPosition())) {
      PassCount normalized = counts(normal);
      requireSame(bound, normal, counts, normalized);
    }
    Cascade compiled = bound;
    PassRunner runner = new PassRunner(_ -> {}, _ -> {});
    for (Pass.OnCascade pass : new Pipeline(PipelineOptions.of(Target.of(32, 2)), _ -> {}, _ -> {}).cascadePasses(sizes)) {
      compiled = runner.run(pass, compiled);
    }
    PassCount passes = counts(compiled);
    compiled.inputs().forEach(input -> LiveFootprint.of(input, passes).bytes().value());
    assertTrue(TrafficBound.of(compiled, 1 << 15, Constants.of(compiled)).bytes() >= 0);
  }

  private static void requireSame(Cascade bound, Cascade normal, PassCount counts, PassCount normalized) {
    for (var input : bound.inputs()) {
      assertEquals(passes(counts.counts(input)), passes(normalized.counts(input)),
          () -> input + " of\n" + CascadePrinter.print(bound) + "and of\n" + CascadePrinter.print(normal));
    }
  }

  private static List<Integer> passes(List<Count> counts) {
    return counts.stream().map(Count::passes).toList();
  }

  private static PassCount counts(Cascade cascade) {
    PassCount counts = PassCount.of(cascade);
    for (Count count : counts.all()) {
      assertEquals(Math.max(0, count.passes() - 1), count.barriers().size());
    }
    return counts;
  }
}
