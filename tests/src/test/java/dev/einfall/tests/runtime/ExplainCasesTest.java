package dev.einfall.tests.runtime;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.einfall.passes.PassCase;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.io.TempDir;

/// What `einfall explain` prints for the programs in `cases/explain`, with the options of their line `# RUN:`, for one thread and
/// vectors of 64 bytes; but not the loops of kernels, which change with every word of the cost model. With `-Dgolden.update=true`, rewrites what each expects.
class ExplainCasesTest {
  private static final Path CASES = Path.of("cases", "explain");

  @TempDir
  private Path directory;

  @TestFactory
  List<DynamicTest> cases() throws IOException {
    try (Stream<Path> files = Files.list(CASES)) {
      return files.sorted().map(file -> DynamicTest.dynamicTest(file.getFileName().toString(), file.toUri(), () -> check(file))).toList();
    }
  }

  private void check(Path file) throws IOException {
    PassCase explained = PassCase.read(Files.readString(file));
    Path program = Files.writeString(directory.resolve(file.getFileName()), explained.before());
    List<String> arguments = new ArrayList<>(List.of("explain", program.toString(), "--threads", "1", "--vector-bytes", "64"));
    Stream.of(explained.passes().split(" ")).filter(word -> !word.isEmpty()).forEach(arguments::add);
    CommandLineRun run = CommandLineRun.of(arguments.toArray(String[]::new));
    assertEquals("", run.err());
    String text = stable(run.out());
    if (Boolean.getBoolean("golden.update")) {
      Files.writeString(file, explained.withAfter(text).text());
    } else {
      assertEquals(explained.after().orElse("no expectation: run with -Dgolden.update=true"), text);
    }
  }

  private static String stable(String text) {
    int kernels = text.indexOf("\nKernels\n");
    return kernels < 0 ? text : text.substring(0, kernels);
  }
}
