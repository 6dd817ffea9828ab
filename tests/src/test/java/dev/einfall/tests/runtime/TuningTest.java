package dev.einfall.tests.runtime;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.einfall.frontend.EinReader;
import dev.einfall.ir.cascade.Cascade;
import dev.einfall.passes.Decision;
import dev.einfall.passes.cascade.BindSizes;
import dev.einfall.runtime.Einfall;
import dev.einfall.runtime.Options;
import dev.einfall.runtime.Program;
import dev.einfall.runtime.Tensor;
import dev.einfall.runtime.Tuning;
import dev.einfall.runtime.tuning.Circumstances;
import dev.einfall.runtime.tuning.Entry;
import dev.einfall.runtime.tuning.Host;
import dev.einfall.runtime.tuning.Question;
import dev.einfall.runtime.tuning.RecordFile;
import dev.einfall.runtime.tuning.Tuner;
import dev.einfall.runtime.tuning.TuningKey;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class TuningTest {
  private static final String PRODUCT = """
      def product(A: f32[M, K], B: f32[K, N]) -> f32[M, N] {
        Y[m, n] = A[m, k] * B[k, n]
        return Y
      }
      """;
  private static final Map<String, Long> SIZES = Map.of("M", 17L, "K", 33L, "N", 49L);
  private static final String SUBJECT = "choose-mappings Y";
  private static final Tuner.Progress UNHEARD = new Tuner.Progress() {
    @Override
    public void compared(Entry.Compared compared, boolean isBetter) {}

    @Override
    public void skipped(Entry.Skipped skipped) {}
  };

  @TempDir
  private Path directory;
  private Path file;
  private final List<String> remarks = new ArrayList<>();

  @BeforeEach
  void write() throws IOException {
    file = Files.writeString(directory.resolve("product.ein"), PRODUCT);
  }

  private Options options() {
    return Options.defaults().withThreads(1).withWarmUp(false).withTuning(Optional.of(directory))
        .withRemarks(remark -> remarks.add(remark.message()));
  }

  private RecordFile record(Options options) {
    TreeMap<String, Long> sizes = new TreeMap<>(SIZES);
    Cascade cascade = EinReader.read(Einfall.source(file), Optional.empty()).cascade();
    return new RecordFile(directory, TuningKey.of(new BindSizes(sizes).apply(cascade, _ -> { }), sizes,
        new Circumstances(Einfall.pipelineOptions(options), Host.here())));
  }

  /// The decision about the product, in a program with `options`.
  private Decision decision(Options options) {
    List<Decision> heard = new ArrayList<>();
    try (Program program = Einfall.compile(file, options.withDecisions(options.decisions().withListener(heard::add)))) {
      program.prepare(SIZES);
    }
    return heard.stream().filter(decision -> decision.subject().equals(SUBJECT)).findFirst().orElseThrow();
  }

  private static String other(Decision decision) {
    return decision.alternatives().stream().map(Decision.Alternative::name).filter(name -> !name.equals(decision.chosen())).findFirst().orElseThrow();
  }

  @Test
  void programsFollowTheRecord() {
    Decision byCost = decision(options());
    String other = other(byCost);
    record(options()).append(new Entry.Better(Question.of(byCost), other, 1.5));
    assertEquals(List.of(), remarks);
    assertEquals(other, decision(options()).chosen());
    assertEquals(List.of("1 kinds of choices for product are as measured, not as modelled"), remarks);
    assertEquals(byCost.chosen(), decision(options().withTuning(Optional.empty())).chosen());
    assertEquals(byCost.chosen(), decision(options().withThreads(2)).chosen(), "what was measured for one thread says nothing of two");
    assertEquals(byCost.chosen(), decision(options().withDecisions(options().decisions().withForced(Map.of(SUBJECT, byCost.chosen())))).chosen());
  }

  @Test
  void ignoresWhatIsDamagedOrOutdated() throws IOException {
    Decision byCost = decision(options());
    RecordFile record = record(options());
    record.append(new Entry.Better(new Question(SUBJECT, "0123456789abcdef"), other(byCost), 1.5));
    record.append(new Entry.Better(Question.of(byCost), other(byCost), 1.5));
    Files.writeString(record.file(), Files.readString(record.file()).stripTrailing().replaceFirst(".$", ""));
    assertEquals(byCost.chosen(), decision(options()).chosen());
    assertEquals(2, remarks.size(), remarks.toString());
    assertTrue(remarks.get(0).startsWith("ignored line 10 of " + record.file() + ": cut off or damaged"), remarks.toString());
    assertEquals("ignored what was measured for product about choose-mappings Y: there are other alternatives or other costs now", remarks.get(1));
  }

  @Test
  void measuresAndRecords() throws IOException {
    try (Tuning tuning = Tuning.of(file, options()); Tensor a = Tensor.of(new float[17 * 33], 17, 33); Tensor b = Tensor.of(new float[33 * 49], 33, 49)) {
      Map<String, Tensor> inputs = Map.of("A", a, "B", b);
      assertEquals(record(options()).file(), tuning.record(inputs));
      Tuner.Report report = tuning.tune(inputs, Duration.ofMillis(200), UNHEARD);
      assertTrue(report.measured() > 0, report.toString());
      assertEquals(report.measured(), record(options()).read().entries().stream().filter(Entry.Compared.class::isInstance).count());
      assertEquals(report.measured(), tuning.tune(inputs, Duration.ZERO, UNHEARD).known());
      assertThrows(IllegalArgumentException.class, () -> tuning.tune(Map.of("A", a), Duration.ZERO, UNHEARD));
    }
  }

  @Test
  void needsAPlaceAndChoices() {
    assertEquals("the options name no directory for what is measured",
        assertThrows(IllegalArgumentException.class, () -> Tuning.of(file, options().withTuning(Optional.empty()))).getMessage());
    assertEquals("the reference backend makes no choices: there is nothing to measure",
        assertThrows(IllegalArgumentException.class, () -> Tuning.of(file, options().withBackend(Options.Backend.REFERENCE))).getMessage());
  }

  @Test
  void theCommandMeasuresAndShows() throws IOException {
    String[] command = {"tune", file.toString(), "--in", "A=rand:17x33", "--in", "B=rand:33x49", "--threads", "1", "--tuning", directory.toString(), "--budget"};
    CommandLineRun first = CommandLineRun.of(with(command, "1s"));
    assertEquals(0, first.exitCode(), first.err());
    assertTrue(first.out().contains("decision "), first.out());
    assertTrue(first.out().contains(SUBJECT) && first.out().matches("(?s).*\\d+ comparisons now, 0 before.*"), first.out());
    assertTrue(first.err().matches("(?s).*of 1 s  choose-mappings Y: .* us, kept .*"), first.err());
    CommandLineRun second = CommandLineRun.of(with(command, "0s"));
    assertEquals(0, second.exitCode(), second.err());
    assertTrue(second.out().matches("(?s).*0 comparisons now, \\d+ before.*"), second.out());
  }

  @Test
  void theCommandSaysWhyNothingIsMeasured() throws IOException {
    String[] command = {"tune", file.toString(), "--in", "A=rand:17x33", "--in", "B=rand:33x49", "--tuning", directory.toString(), "--budget"};
    CommandLineRun none = CommandLineRun.of(with(command, "0s"));
    assertEquals(1, none.exitCode());
    assertTrue(none.err().contains("error: nothing was measured: the budget of 0s leaves no time"), none.err());
    CommandLineRun wrong = CommandLineRun.of(with(command, "soon"));
    assertEquals(1, wrong.exitCode());
    assertTrue(wrong.err().contains("error: --budget soon: expected a time such as 500ms, 60s or 5m"), wrong.err());
    CommandLineRun place = CommandLineRun.of("tune", file.toString(), "--tuning", "none");
    assertTrue(place.exitCode() == 1 && place.err().contains("--tuning none: there is no place for what is measured"), place.err());
    CommandLineRun reference = CommandLineRun.of("tune", file.toString(), "--backend", "reference", "--tuning", directory.toString());
    assertTrue(reference.exitCode() == 1 && reference.err().contains("error: the reference backend makes no choices"), reference.err());
    Path occupied = Files.writeString(directory.resolve("occupied"), "");
    command[command.length - 2] = occupied.toString();
    CommandLineRun full = CommandLineRun.of(with(command, "2s"));
    assertTrue(full.exitCode() == 1 && full.err().contains("error: cannot write the record " + occupied), full.err());
  }

  @Test
  void theCommandSaysThatThereIsNothingToChoose() throws IOException {
    Path copy = Files.writeString(directory.resolve("one.ein"), """
        def one(x: f32) -> f32 {
          y = x + 1.0
          return y
        }
        """);
    CommandLineRun run = CommandLineRun.of("tune", copy.toString(), "--tuning", directory.toString());
    assertEquals(1, run.exitCode(), run.out());
    assertTrue(run.err().contains("error: nothing was measured: the cost model has no choice to make about this program"), run.err());
  }

  private static String[] with(String[] command, String last) {
    List<String> arguments = new ArrayList<>(List.of(command));
    arguments.add(last);
    return arguments.toArray(String[]::new);
  }
}
