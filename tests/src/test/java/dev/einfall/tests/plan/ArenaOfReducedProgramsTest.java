package dev.einfall.tests.plan;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.einfall.frontend.EinProgram;
import dev.einfall.frontend.EinReader;
import dev.einfall.ir.Source;
import dev.einfall.ir.loop.KernelPlan;
import dev.einfall.passes.Pipeline;
import dev.einfall.passes.PipelineOptions;
import dev.einfall.passes.Target;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// What lives between the Einsums of a program whose passes are reduced does not grow with the rank that they reduce over.
class ArenaOfReducedProgramsTest {
  private static final int VECTOR_BYTES = 64;
  private static final Map<String, Long> OTHERS = Map.of("B", 1L, "H", 8L, "E", 64L, "F", 64L, "G", 2L, "R", 4L);

  /// @param lengths the names of the sizes that are `length`
  /// @param forced what is chosen, where the costs would leave the program as it is: few rows over a long rank store little
  private static long arenaBytes(String program, Map<String, String> forced, long length, String... lengths) throws IOException {
    Path file = Path.of("programs", program + ".ein");
    EinProgram read = EinReader.read(new Source(file.toString(), Files.readString(file)), Optional.empty());
    SortedMap<String, Long> sizes = new TreeMap<>();
    read.inputs().forEach(input -> input.shape().forEach(size -> size.names().forEach(name -> sizes.put(name, OTHERS.get(name)))));
    for (String name : lengths) {
      sizes.put(name, length);
    }
    PipelineOptions options = PipelineOptions.of(Target.of(VECTOR_BYTES, 2));
    return compile(read, sizes, options.withDecisions(options.decisions().withForced(forced))).arena().bytes();
  }

  private static KernelPlan compile(EinProgram read, SortedMap<String, Long> sizes, PipelineOptions options) {
    return new Pipeline(options, _ -> {}, _ -> {}).compile(read.cascade(sizes), sizes);
  }

  @ParameterizedTest
  @CsvSource({"reduced/attention, P M,", "reduced/alibi, N,", "reduced/grouped_decode, M, reduce-passes A_max", "reduced/surprise, N,",
      "reduced/weighted_moments, N,"})
  void doesNotGrowWithLength(String program, String lengths, String decision) throws IOException {
    Map<String, String> forced = decision == null ? Map.of() : Map.of(decision, "tiles of 64");
    assertEquals(arenaBytes(program, forced, 1024, lengths.split(" ")), arenaBytes(program, forced, 65536, lengths.split(" ")));
  }
}
