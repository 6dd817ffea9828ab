package dev.einfall.tests.cascade;

import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.einfall.frontend.EinReader;
import dev.einfall.ir.Source;
import dev.einfall.ir.cascade.Cascade;
import dev.einfall.passes.Pass;
import dev.einfall.passes.PassCase;
import dev.einfall.passes.PassCatalog;
import dev.einfall.passes.PassRunner;
import dev.einfall.passes.analysis.PassCount;
import dev.einfall.passes.analysis.PassCount.Count;
import dev.einfall.passes.cascade.NormalizeReductions;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;

/// Whether `reduce-passes` reduces passes, by the count that knows nothing of it: no input of a case is read more often after it, and
/// some input less often, unless the case is one in which it declines something or keeps what is there.
final class ReducedPassesTest {
  private static final Path CASES = Path.of("cases", "passes", "reduce-passes");

  @TestFactory
  List<DynamicTest> cases() throws IOException {
    try (Stream<Path> files = Files.list(CASES)) {
      return files.sorted().map(file -> DynamicTest.dynamicTest(file.getFileName().toString(), () -> check(file))).toList();
    }
  }

  private static void check(Path file) throws IOException {
    PassCase reduction = PassCase.read(Files.readString(file));
    Cascade written = EinReader.read(new Source(file.toString(), reduction.before()), Optional.empty()).cascade();
    Cascade before = new NormalizeReductions().apply(written, _ -> {});
    Cascade after = written;
    PassRunner runner = new PassRunner(_ -> {}, _ -> {});
    for (Pass pass : PassCatalog.parse(reduction.passes())) {
      after = runner.run((Pass.OnCascade) pass, after);
    }
    String counts = passes(before) + " before, " + passes(after) + " after";
    List<Integer> most = passes(before);
    for (int i = 0; i < most.size(); i++) {
      assertTrue(passes(after).get(i) <= most.get(i), counts);
    }
    String name = file.getFileName().toString();
    assertTrue(name.startsWith("declines") || name.startsWith("keeps") == passes(after).equals(most), counts);
  }

  /// The passes over the inputs, along each of their dimensions.
  private static List<Integer> passes(Cascade cascade) {
    PassCount passes = PassCount.of(cascade);
    return cascade.inputs().stream().flatMap(input -> passes.counts(input).stream()).map(Count::passes).toList();
  }
}
