package dev.einfall.tests.docs;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.function.Function;
import java.util.regex.MatchResult;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// The generated blocks of a Markdown file: fenced text between a comment that names it and one that ends it.
///
/// ````
/// <!-- generated: after fuse-epilogues on linear -->
/// ```ein
/// ...
/// ```
/// <!-- end -->
/// ````
final class GeneratedBlocks {
  private static final Pattern BLOCK = Pattern.compile(
      "(?<start><!-- generated: (?<name>[^\n]*?) -->\n```\\w*\n)(?<text>.*?)(?<end>```\n<!-- end -->\n)", Pattern.DOTALL);

  private GeneratedBlocks() {}

  /// Requires that `file` holds what `generate` makes of each block's name. With `-Dgolden.update=true`, rewrites it.
  static void check(Path file, Function<String, String> generate) throws IOException {
    String page = Files.readString(file);
    assertTrue(BLOCK.matcher(page).find(), file + " has generated blocks");
    String actual = BLOCK.matcher(page).replaceAll(block -> Matcher.quoteReplacement(regenerated(block, generate)));
    if (Boolean.getBoolean("golden.update")) {
      Files.writeString(file, actual);
    } else {
      assertEquals(actual, page, file + " is out of date: run with -Dgolden.update=true");
    }
  }

  private static String regenerated(MatchResult block, Function<String, String> generate) {
    return block.group("start") + generate.apply(block.group("name")).stripTrailing() + "\n" + block.group("end");
  }
}
