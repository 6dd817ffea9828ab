package dev.einfall.tests.docs;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import dev.einfall.frontend.EinReader;
import dev.einfall.ir.Source;
import dev.einfall.ir.cascade.Cascade;
import dev.einfall.passes.Numerics;
import dev.einfall.passes.Pass;
import dev.einfall.passes.PassCatalog;
import dev.einfall.passes.Pipeline;
import dev.einfall.passes.PipelineOptions;
import dev.einfall.passes.Speeds;
import dev.einfall.passes.Target;
import dev.einfall.passes.lower.Schedule;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.SortedMap;
import java.util.SortedSet;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/// Keeps `passes/README.md` true: what it shows of one program is what the pipeline does, and its table has every pass.
final class PassesReadmeTest {
  private static final Path README = Path.of("..", "passes", "README.md");
  private static final Path CASES = Path.of("cases", "passes");
  private static final Pattern ROW = Pattern.compile("^\\| \\[`([a-z-]+)`]", Pattern.MULTILINE);

  private static final Pattern NAME = Pattern.compile("`([a-z-]+)`");

  private static final String PROGRAM = """
      def linear(X: f32[M, 64]) -> f32[M, 48] {
        weight W: f32[64, 48] = "weight"
        weight B: f32[48] = "bias"
        P[m, n] = X[m, k] * W[k, n]
        H[m, n] = P[m, n] + B[n]
        Y[m, n] = max(H[m, n], 0.0)
        return Y
      }
      """;

  /// Vectors of 4 floats, and registers for a tile of 2 rows and 2 vectors: the least that shows everything.
  private static final Target TARGET = new Target(16, 12, true, 2, 32 << 10, 1 << 20, 32 << 20, Speeds.usual(), 0, 0, List.of(), List.of(), List.of(), false, Target.BIT_COUNT_IN_STEPS, false);
  private static final SortedMap<String, Long> SIZES = new TreeMap<>(Map.of("M", 100L));

  @Test
  void followsOneProgramThroughThePipeline() throws IOException {
    Map<String, String> blocks = blocks();
    GeneratedBlocks.check(README, name -> Optional.ofNullable(blocks.get(name)).orElseThrow(
        () -> new IllegalArgumentException(name + " is none of " + blocks.keySet())));
  }

  @Test
  void theTableHasEveryPassInOrder() throws IOException {
    assertEquals(PassCatalog.names(), ROW.matcher(Files.readString(README)).results().map(row -> row.group(1)).toList());
  }

  @Test
  void saysOfEachPassWhichContractItNeeds() throws IOException {
    String section = Files.readString(README).split("### Numerics\n")[1].split("\n#")[0];
    for (Numerics numerics : List.of(Numerics.REASSOCIATE, Numerics.FAST)) {
      String contract = "| `" + numerics.name().toLowerCase(Locale.ROOT) + "` |";
      SortedSet<String> listed = new TreeSet<>();
      section.lines().filter(line -> line.startsWith(contract)).map(line -> line.split("\\|")[2])
          .forEach(passes -> NAME.matcher(passes).results().forEach(name -> listed.add(name.group(1))));
      SortedSet<String> needing = new TreeSet<>();
      PassCatalog.names().stream().filter(name -> PassCatalog.parse(name).getFirst().needs() == numerics).forEach(needing::add);
      assertEquals(needing, listed);
    }
  }

  @Test
  void everyPassHasACase() throws IOException {
    for (String pass : PassCatalog.names()) {
      Path folder = CASES.resolve(pass);
      assertFalse(!Files.isDirectory(folder) || isEmpty(folder), "no case in tests/" + folder);
    }
  }

  private static boolean isEmpty(Path folder) throws IOException {
    try (Stream<Path> files = Files.list(folder)) {
      return files.findAny().isEmpty();
    }
  }

  /// The text of every block that the page may show, by name: `order`, `program`, and `after PASS on SUBJECT`, with
  /// `(2)` at the end for a second run of the pass.
  private static Map<String, String> blocks() {
    Map<String, String> blocks = new LinkedHashMap<>();
    blocks.put("order", order());
    blocks.put("program", PROGRAM);
    Cascade cascade = EinReader.read(new Source("linear.ein", PROGRAM), Optional.empty()).cascade();
    Pipeline pipeline = new Pipeline(PipelineOptions.of(TARGET), step -> {
      String name = "after " + step.pass() + " on " + step.subject();
      blocks.put(blocks.containsKey(name) ? name + " (2)" : name, step.text().get());
    }, _ -> { });
    pipeline.compile(cascade, SIZES);
    return blocks;
  }

  /// The names of the passes as the pipeline runs them, a line for each level.
  private static String order() {
    Pipeline pipeline = new Pipeline(PipelineOptions.of(TARGET), _ -> { }, _ -> { });
    return level("cascade", pipeline.cascadePasses(SIZES)) + "lowering: lower-einsums\n"
        + level("each kernel", pipeline.kernelPasses(Schedule.NONE)) + level("plan", pipeline.planPasses());
  }

  private static String level(String name, List<? extends Pass> passes) {
    String text = name + ": " + passes.stream().map(Pass::name).collect(Collectors.joining(", "));
    return wrapped(text, 120) + "\n";
  }

  private static String wrapped(String text, int width) {
    List<String> lines = new ArrayList<>();
    Pattern.compile("(\\S.{0," + (width - 5) + "})(?:\\s|$)").matcher(text).results()
        .map(MatchResult::group).forEach(line -> lines.add(line.strip()));
    return String.join("\n    ", lines);
  }
}
