package dev.einfall.runtime.tuning;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.einfall.passes.Decision;
import dev.einfall.passes.Decisions;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class TunerTest {
  private static final long LONG = 1_000_000_000_000L;
  /// What the model takes to be best is not.
  private static final Imagined MISTAKEN = Imagined.of("tile Y", new TreeMap<>(Map.of("8", 100.0, "16", 110.0, "32", 120.0)),
      Map.of("8", 500.0, "16", 550.0, "32", 300.0));

  @TempDir
  private Path directory;

  private final List<Entry> heard = new ArrayList<>();
  private long now;

  private RecordFile record() {
    return new RecordFile(directory, new TuningKey(List.of("imagined")));
  }

  private Tuner tuner(Workbench workbench) {
    return new Tuner(workbench, record(), () -> now += 1_000, new Tuner.Progress() {
      @Override
      public void compared(Entry.Compared compared, boolean isBetter) {
        heard.add(compared);
      }

      @Override
      public void skipped(Entry.Skipped skipped) {
        heard.add(skipped);
      }
    });
  }

  /// What is chosen by the record, for each subject.
  private Map<String, String> chosen(Imagined program) {
    Map<String, String> chosen = new LinkedHashMap<>();
    program.make(Evidence.of(record().read().entries())).decisions().forEach(decision -> chosen.put(decision.subject(), decision.chosen()));
    return chosen;
  }

  @Test
  void correctsAWrongModel() {
    Tuner.Report report = tuner(MISTAKEN).tune(LONG);
    assertEquals(Tuner.End.ALL_MEASURED, report.end());
    assertEquals(3, report.measured(), "16 once, and 32 twice");
    Tuner.Outcome outcome = report.outcomes().getFirst();
    assertEquals(List.of("8", "32"), List.of(outcome.modelled(), outcome.best()));
    Entry.Compared last = outcome.comparisons().getLast();
    assertEquals(500 / 300.0, last.gain(), 0.01);
    assertTrue(last.turns() >= 9, last.toString());
    assertEquals(List.of(100.0, 120.0), List.of(last.kept().cycles(), last.other().cycles()));
    assertEquals(Map.of("tile Y", "32"), chosen(MISTAKEN));
    assertEquals(3500 / 3300.0, report.whole().orElseThrow().gain(), 0.01, "other work counts, too");
  }

  @Test
  void confirmsAGoodModel() {
    Imagined good = Imagined.of("tile Y", new TreeMap<>(Map.of("8", 100.0, "16", 110.0)), Map.of("8", 500.0, "16", 550.0));
    Tuner.Report report = tuner(good).tune(LONG);
    assertEquals(1, report.measured());
    assertTrue(report.whole().isEmpty());
    assertEquals("8", report.outcomes().getFirst().best());
    assertEquals(Map.of("tile Y", "8"), chosen(good));
  }

  @Test
  void doesNotLetNoiseDecide() {
    Imagined close = Imagined.of("tile Y", new TreeMap<>(Map.of("8", 100.0, "16", 110.0)), Map.of("8", 50_000.0, "16", 46_000.0));
    assertEquals("8", tuner(close.withNoise(0.2)).tune(LONG).outcomes().getFirst().best());
    assertEquals(Map.of("tile Y", "8"), chosen(close));
  }

  @Test
  void measuresEqualDecisionsOnce() {
    Map<String, Map<String, Double>> layers = new TreeMap<>();
    for (String subject : List.of("tile Y", "tile Y_1", "tile Y_2")) {
      layers.put(subject, new TreeMap<>(Map.of("8", 100.0, "16", 110.0)));
    }
    Imagined program = new Imagined(layers, Map.of("tile Y: 8", 500.0, "tile Y: 16", 400.0));
    Tuner.Report report = tuner(program).tune(LONG);
    assertEquals(1, report.outcomes().size());
    assertEquals(3, report.outcomes().getFirst().count());
    assertEquals(2, report.measured());
    assertEquals(1500e3, report.outcomes().getFirst().comparisons().getFirst().kept().nanos(), 30e3, "all three");
    assertEquals(Map.of("tile Y", "16", "tile Y_1", "16", "tile Y_2", "16"), chosen(program));
  }

  @Test
  void looksAtWhatTakesLongFirst() {
    Map<String, Map<String, Double>> costs = new TreeMap<>();
    costs.put("tile A", new TreeMap<>(Map.of("8", 10.0, "16", 11.0)));
    costs.put("tile B", new TreeMap<>(Map.of("8", 1000.0, "16", 1100.0)));
    tuner(new Imagined(costs, Map.of())).tune(LONG);
    assertEquals(List.of("tile B", "tile A"), heard.stream().map(entry -> entry.question().subject()).toList());
  }

  @Test
  void losesNothingWhenInterrupted() {
    MISTAKEN.made().clear();
    Workbench interrupted = findings -> {
      if (MISTAKEN.made().size() == 2) {
        throw new StackOverflowError("a key was pressed");
      }
      return MISTAKEN.make(findings);
    };
    assertThrows(StackOverflowError.class, () -> tuner(interrupted).tune(LONG));
    assertEquals(1, record().read().entries().size());
    MISTAKEN.made().clear();
    Tuner.Report report = tuner(MISTAKEN).tune(LONG);
    assertEquals(List.of(1, 2), List.of(report.known(), report.measured()));
    assertEquals(List.of("8", "32", "8"), MISTAKEN.made().stream().map(choices -> choices.get("tile Y")).toList(), "16 is known");
    assertEquals(Map.of("tile Y", "32"), chosen(MISTAKEN));
  }

  @Test
  void measuresNothingAgain() {
    tuner(MISTAKEN).tune(LONG);
    Tuner.Report report = tuner(MISTAKEN).tune(LONG);
    assertEquals(List.of(3, 0), List.of(report.known(), report.measured()));
    assertEquals("32", report.outcomes().getFirst().best());
  }

  @Test
  void endsWithTheBudget() {
    Tuner.Report report = tuner(MISTAKEN).tune(1_500);
    assertEquals(List.of(Tuner.End.OUT_OF_TIME, 1), List.of(report.end(), report.measured()));
    Tuner.Report nothing = tuner(Imagined.of("tile Z", Map.of("8", 1.0, "16", 1.1), Map.of())).tune(0);
    assertEquals(List.of(Tuner.End.OUT_OF_TIME, 0), List.of(nothing.end(), nothing.measured()));
  }

  @Test
  void hasNothingToChoose() {
    Tuner.Report report = tuner(Imagined.of("tile Y", Map.of("8", 100.0), Map.of())).tune(LONG);
    assertEquals(List.of(Tuner.End.NOTHING_TO_CHOOSE, 0), List.of(report.end(), report.measured()));
  }

  @Test
  void goesOnWhereAnAlternativeCannotBeCompiled() {
    Imagined broken = new Imagined(MISTAKEN.costs(), MISTAKEN.micros());
    broken.broken().put("tile Y: 16", new IllegalStateException("too\nlarge"));
    assertEquals("32", tuner(broken).tune(LONG).outcomes().getFirst().best());
    assertEquals(new Entry.Skipped(heard.getFirst().question(), "16", "cannot be compiled: too large").fields(), heard.getFirst().fields());
  }

  @Test
  void doesNotMeasureTheSameCode() {
    Workbench same = findings -> new Renamed(MISTAKEN.make(findings));
    Tuner.Report report = tuner(same).tune(LONG);
    assertEquals(List.of(Tuner.End.ALL_MEASURED, 0), List.of(report.end(), report.measured()));
    assertTrue(heard.stream().allMatch(entry -> entry instanceof Entry.Skipped skipped && skipped.reason().startsWith("the same code")));
  }

  /// A program whose code does not depend on what is chosen.
  private record Renamed(Workbench.Sample sample) implements Workbench.Sample {
    @Override
    public List<Decision> decisions() {
      return sample.decisions();
    }

    @Override
    public List<String> launches() {
      return sample.launches().stream().map(_ -> "always the same").toList();
    }

    @Override
    public long[] run() {
      return sample.run();
    }

    @Override
    public void close() {
      sample.close();
    }
  }

  @Test
  void tellsDecisionsApartByWhatThereIsToChoose() {
    Decision one = new Decision("tile Y", List.of(new Decision.Alternative("8", 1), new Decision.Alternative("16", 2)), "8");
    Decision dearer = new Decision("tile Y", List.of(new Decision.Alternative("8", 1.5), new Decision.Alternative("16", 2)), "8");
    Decision other = new Decision("tile Y", List.of(new Decision.Alternative("8", 1), new Decision.Alternative("24", 2)), "8");
    Decision layer = new Decision("tile Y_5", one.alternatives(), "16");
    assertEquals(Question.of(one), Question.of(layer));
    assertEquals(3, List.of(one, dearer, other).stream().map(Question::of).distinct().count());
    Evidence evidence = Evidence.of(List.of(new Entry.Better(Question.of(one), "16", 1.2)));
    assertEquals("16", evidence.better(layer).orElseThrow());
    assertTrue(evidence.better(other).isEmpty(), "what was measured is outdated");
    assertEquals(List.of(), evidence.outdated());
    assertEquals(List.of("tile Y"), Evidence.of(List.of(new Entry.Better(Question.of(one), "16", 1.2))).outdated());
    assertTrue(Decisions.byCost().withFindings(_ -> java.util.Optional.of("9")).choose("tile Y", List.of(8, 16), size -> size) == 8);
  }
}
