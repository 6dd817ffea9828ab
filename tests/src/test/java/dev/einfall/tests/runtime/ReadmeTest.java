package dev.einfall.tests.runtime;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.regex.MatchResult;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;

/// The README shows what the compiler does now. A block of it comes after a comment with the command that prints it,
/// `<!-- einfall ARGUMENTS -->` or, for a part of the output, `<!-- einfall ARGUMENTS | 9 lines from TEXT -->`.
/// `-Dgolden.update=true` rewrites the blocks.
class ReadmeTest {
  private static final Path README = Path.of("..", "README.md");
  private static final Pattern BLOCK = Pattern.compile("(?s)(<!-- einfall ([^|\n]*?)(?: \\| (\\d+) lines from ([^\n]*?))? -->\n```\n)(.*?)(```\n)");

  @Test
  void showsWhatTheCompilerPrints() throws IOException {
    String text = Files.readString(README);
    assertEquals(4, BLOCK.matcher(text).results().count());
    String current = BLOCK.matcher(text).replaceAll(block -> Matcher.quoteReplacement(block.group(1) + output(block) + block.group(6)));
    if (Boolean.getBoolean("golden.update")) {
      Files.writeString(README, current);
    } else {
      assertEquals(current, text, "the README is not current: run with -Dgolden.update=true");
    }
  }

  private static String output(MatchResult block) {
    CommandLineRun run = CommandLineRun.of(block.group(2).replace("grammar/examples", "../grammar/examples").split(" "));
    assertTrue(run.exitCode() == 0, run.err());
    if (block.group(3) == null) {
      return run.out();
    }
    int count = Integer.parseInt(block.group(3));
    List<String> lines = run.out().lines().dropWhile(line -> !line.contains(block.group(4))).limit(count).map(String::stripTrailing).toList();
    assertEquals(count, lines.size(), () -> "lines of `einfall " + block.group(2) + "` from " + block.group(4));
    return String.join("\n", lines) + "\n";
  }
}
