package dev.einfall.tests.docs;

import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.fail;

import dev.einfall.backends.reference.Array;
import dev.einfall.frontend.EinReader;
import dev.einfall.ir.Size;
import dev.einfall.ir.Source;
import dev.einfall.ir.cascade.Cascade;
import dev.einfall.ir.cascade.CascadePrinter;
import dev.einfall.runtime.Einfall;
import dev.einfall.runtime.Options;
import dev.einfall.runtime.Port;
import dev.einfall.runtime.Program;
import dev.einfall.tests.Comparison;
import dev.einfall.tests.JvmRun;
import dev.einfall.tests.frontend.FencedBlocks;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;

/// Runs every example of the language reference as bytecode, against the reference interpreter.
class LanguageExamplesTest {
  private static final Path LANGUAGE = Path.of("../grammar/LANGUAGE.md");
  /// Enough for the small numbers of random inputs to be indices.
  private static final long SMALLEST = 8;
  private static final Comparison COMPARISON = Comparison.ofSums(100);

  @TestFactory
  List<DynamicTest> examples() throws IOException {
    List<FencedBlocks.Block> blocks = FencedBlocks.of(LANGUAGE, "ein");
    assertFalse(blocks.isEmpty());
    return blocks.stream().map(block -> DynamicTest.dynamicTest(block.place(), () -> run(block.text()))).toList();
  }

  private static void run(String text) {
    String program = text.contains("weight ") ? withWeightsAsInputs(text) : text;
    List<Array> expected = outputs(program, Options.Backend.REFERENCE);
    List<Array> actual = outputs(program, Options.Backend.JVM);
    for (int i = 0; i < expected.size(); i++) {
      COMPARISON.difference(expected.get(i), actual.get(i)).ifPresent(difference -> fail(difference + "\n" + text));
    }
  }

  private static List<Array> outputs(String text, Options.Backend backend) {
    try (Program program = Einfall.compile(new Source("example.ein", text), JvmRun.options(2, 64).withBackend(backend))) {
      return JvmRun.outputs(program, inputs(program));
    }
  }

  private static List<Array> inputs(Program program) {
    SortedMap<String, Long> sizes = new TreeMap<>();
    List<Array> inputs = new ArrayList<>();
    for (Port port : program.inputs()) {
      int[] shape = port.shape().stream().mapToInt(size -> size.substitute(name ->
          Optional.of(Size.of(sizes.computeIfAbsent(name, _ -> SMALLEST + sizes.size())))).value()).toArray();
      inputs.add(quartered(Array.random(port.type(), inputs.size(), shape)));
    }
    return inputs;
  }

  /// Numbers so small that they do not grow through several layers.
  private static Array quartered(Array array) {
    for (int i = 0; array.type().isFloat() && i < array.elements(); i++) {
      array.numbers()[i] /= 4;
    }
    return array;
  }

  private static String withWeightsAsInputs(String text) {
    Cascade cascade = EinReader.read(new Source("example.ein", text), Optional.empty()).cascade();
    return CascadePrinter.print(new Cascade(cascade.name(),
        Stream.concat(cascade.inputs().stream(), cascade.weights().stream().map(Cascade.Weight::tensor)).toList(),
        List.of(), cascade.definitions(), cascade.outputs(), cascade.mapping()));
  }
}
