package dev.einfall.tests.frontend;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.fail;

import dev.einfall.frontend.EinReader;
import dev.einfall.frontend.LoopReader;
import dev.einfall.ir.CompileException;
import dev.einfall.ir.Source;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;

/// The readers' messages, word for word. A case is a wrong program, a line `# EXPECT`, and the message as comments;
/// `-Dgolden.update=true` writes the messages anew.
final class ErrorCasesTest {
  private static final Path CASES = Path.of("cases", "errors");

  /// Places in the library move when something is added to it.
  private static final Pattern LIBRARY_LINE = Pattern.compile("^(std/\\w+\\.ein:)\\d+:\\d+:");
  private static final String EXPECT = "# EXPECT\n";

  @TestFactory
  List<DynamicTest> everyMessageIsAsExpected() throws IOException {
    try (Stream<Path> files = Files.list(CASES)) {
      return files.sorted().map(file -> DynamicTest.dynamicTest(file.getFileName().toString(), () -> check(file))).toList();
    }
  }

  private static void check(Path file) throws IOException {
    String text = Files.readString(file);
    int cut = text.indexOf(EXPECT);
    String program = cut < 0 ? text : text.substring(0, cut);
    String expected = cut < 0 ? "" : text.substring(cut);
    String actual = EXPECT + commented(message(new Source(file.getFileName().toString(), program)));
    if (Boolean.getBoolean("golden.update")) {
      Files.writeString(file, program + actual);
    } else {
      assertEquals(expected, actual);
    }
  }

  private static String message(Source source) {
    try {
      if (source.name().endsWith(".loop")) {
        LoopReader.read(source);
      } else {
        EinReader.read(source, Optional.empty()).cascade();
      }
    } catch (CompileException error) {
      return error.getMessage();
    }
    return fail(source.name() + " has no error");
  }

  private static String commented(String message) {
    return message.lines().map(line -> LIBRARY_LINE.matcher(line).replaceFirst("$1LINE:COLUMN:")).map(line -> ("# " + line).stripTrailing() + "\n").collect(Collectors.joining());
  }
}
