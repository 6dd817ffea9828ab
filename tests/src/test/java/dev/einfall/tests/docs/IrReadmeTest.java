package dev.einfall.tests.docs;

import dev.einfall.passes.PassCase;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/// Keeps the example of `ir/README.md` the text of a golden case: the cascade on the left, the loops on the right.
final class IrReadmeTest {
  private static final Path README = Path.of("..", "ir", "README.md");
  private static final Path CASES = Path.of("cases", "passes");

  @Test
  void theExampleIsACase() throws IOException {
    GeneratedBlocks.check(README, IrReadmeTest::sideBySide);
  }

  /// The parts of the case named `name`, without its comments.
  private static String sideBySide(String name) {
    PassCase passCase = PassCase.read(text(CASES.resolve(name)));
    List<String> left = passCase.before().lines().filter(line -> !line.startsWith("#")).toList();
    List<String> right = passCase.after().orElseThrow().lines().toList();
    int width = left.stream().mapToInt(String::length).max().orElse(0) + 6;
    return IntStream.range(0, Math.max(left.size(), right.size()))
        .mapToObj(i -> padded(i < left.size() ? left.get(i) : "", width) + (i < right.size() ? right.get(i) : ""))
        .map(String::stripTrailing).collect(Collectors.joining("\n"));
  }

  private static String padded(String line, int width) {
    return line + " ".repeat(width - line.length());
  }

  private static String text(Path file) {
    try {
      return Files.readString(file);
    } catch (IOException problem) {
      throw new java.io.UncheckedIOException(problem);
    }
  }
}
