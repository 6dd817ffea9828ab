package dev.einfall.tests.programs;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.fail;

import dev.einfall.backends.reference.Array;
import dev.einfall.ir.Size;
import dev.einfall.ir.Source;
import dev.einfall.runtime.Einfall;
import dev.einfall.runtime.Options;
import dev.einfall.runtime.Port;
import dev.einfall.runtime.Program;
import dev.einfall.tests.Comparison;
import dev.einfall.tests.JvmRun;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

/// The standard library: all of it is explained, and all of it runs.
class LibraryTest {
  private static final Path LIBRARY = Path.of("..", "grammar", "std");
  private static final Path PROGRAMS = Path.of("programs");

  @Test
  void everyDeclarationIsExplained() throws IOException {
    List<String> silent = new ArrayList<>();
    for (LibraryText text : LibraryText.all(LIBRARY)) {
      if (!text.lines().getFirst().startsWith("# ")) {
        silent.add(text.file());
      }
      text.declarations().stream().filter(declaration -> !text.isDocumented(declaration))
          .forEach(declaration -> silent.add(text.file() + ": " + declaration.name()));
    }
    assertEquals(List.of(), silent, "no comment stands above these");
  }

  /// A function runs when a program or an example names it, or a function that runs.
  @Test
  void everyDeclarationIsRun() throws IOException {
    Map<String, Set<String>> waiting = new LinkedHashMap<>();
    Set<String> run = words(PROGRAMS);
    for (LibraryText text : LibraryText.all(LIBRARY)) {
      text.examples().forEach(example -> run.addAll(LibraryText.words(example.text())));
      text.declarations().forEach(declaration ->
          waiting.computeIfAbsent(declaration.name(), _ -> new LinkedHashSet<>()).addAll(LibraryText.words(declaration.text())));
    }
    while (waiting.keySet().stream().anyMatch(run::contains)) {
      String next = waiting.keySet().stream().filter(run::contains).findFirst().orElseThrow();
      run.addAll(waiting.remove(next));
    }
    assertEquals(Set.of(), waiting.keySet(), "no program in " + PROGRAMS + " and no example uses these");
  }

  /// The programs in comments: the bytecode gives what the reference interpreter gives.
  @TestFactory
  List<DynamicTest> examples() throws IOException {
    return LibraryText.all(LIBRARY).stream().flatMap(text -> text.examples().stream().map(example ->
        DynamicTest.dynamicTest(text.file() + ":" + example.line(), () -> checkExample(example.text())))).toList();
  }

  private static Set<String> words(Path folder) throws IOException {
    Set<String> words = new LinkedHashSet<>();
    try (Stream<Path> files = Files.walk(folder)) {
      for (Path file : files.filter(path -> path.toString().endsWith(".ein")).sorted().toList()) {
        words.addAll(LibraryText.words(Files.readString(file)));
      }
    }
    return words;
  }

  private static void checkExample(String text) {
    List<Array> expected = outputs(text, JvmRun.options(1, 32).withBackend(Options.Backend.REFERENCE));
    List<Array> actual = outputs(text, JvmRun.options(2, 32));
    for (int i = 0; i < expected.size(); i++) {
      Comparison.ofSums(64).difference(expected.get(i), actual.get(i)).ifPresent(difference -> fail(difference));
    }
  }

  private static List<Array> outputs(String text, Options options) {
    try (Program program = Einfall.compile(new Source("example.ein", text), options)) {
      return JvmRun.outputs(program, inputs(program.inputs()));
    }
  }

  /// Inputs for sizes of 3, 4, 5, ... in alphabetical order. Integers are below 3, so that they may be indices.
  private static List<Array> inputs(List<Port> ports) {
    Set<String> names = new TreeSet<>();
    ports.forEach(port -> port.shape().forEach(size -> names.addAll(size.names())));
    List<String> order = List.copyOf(names);
    List<Array> arrays = new ArrayList<>();
    for (Port port : ports) {
      int[] shape = port.shape().stream()
          .mapToInt(size -> size.substitute(name -> Optional.of(Size.of(3 + order.indexOf(name)))).value()).toArray();
      Array array = Array.random(port.type(), 7 + arrays.size(), shape);
      if (port.type().isInteger()) {
        Arrays.setAll(array.integers(), i -> array.integers()[i] % 3);
      }
      arrays.add(array);
    }
    return arrays;
  }
}
