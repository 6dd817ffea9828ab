package dev.einfall.tests.passes;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.einfall.passes.Compute;
import dev.einfall.passes.Numerics;
import dev.einfall.passes.Pass;
import dev.einfall.passes.PassCatalog;
import dev.einfall.passes.Pipeline;
import dev.einfall.passes.PipelineOptions;
import dev.einfall.passes.Target;
import dev.einfall.passes.lower.Schedule;
import java.util.List;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// What a reproducer says of a pass is read as the same pass, whatever the machine: else it would run another one.
class PassTextTest {

  @ParameterizedTest
  @CsvSource({"4, REASSOCIATE, F32", "16, STRICT, F32", "32, FAST, F32", "64, REASSOCIATE, F32", "64, FAST, I8", "32, REASSOCIATE, BF16"})
  void textsOfPassesAreRead(int vectorBytes, Numerics numerics, Compute compute) {
    PipelineOptions options = PipelineOptions.of(Target.of(vectorBytes, 2)).withNumerics(numerics).withCompute(compute);
    Pipeline pipeline = new Pipeline(options, _ -> { }, _ -> { });
    Schedule schedule = new Schedule(List.of(), List.of(), List.of(), List.of(), List.of());
    List<Pass> passes = Stream.of(pipeline.cascadePasses(new TreeMap<>()), pipeline.kernelPasses(schedule), pipeline.planPasses()).<Pass>flatMap(List::stream).toList();
    List<String> others = passes.stream().filter(pass -> !PassCatalog.parse(PassCatalog.text(pass)).getFirst().equals(pass)).map(pass -> PassCatalog.text(pass) + " of " + pass).toList();
    assertEquals(List.of(), others);
  }
}
