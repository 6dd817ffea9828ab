package dev.einfall.tests.programs;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/// The page that lists the standard library is what its files say.
class LibraryIndexTest {
  private static final Path LIBRARY = Path.of("..", "grammar", "std");
  private static final Path INDEX = LIBRARY.resolve("README.md");
  private static final Pattern FORMAT = Pattern.compile("(?m)(?<comment>(^#.*\n)+)^format (?<name>\\w+)");
  private static final Pattern FUNCTION = Pattern.compile("(?m)^(?<comment>(?:#.*\n)*)def (?<head>[^{]*)");

  @Test
  void listsEveryFunction() throws IOException {
    String page = page();
    if (Boolean.getBoolean("golden.update")) {
      Files.writeString(INDEX, page);
    }
    assertEquals(page, Files.readString(INDEX), "the index is out of date: run with -Dgolden.update=true");
  }

  private static String page() throws IOException {
    StringBuilder page = new StringBuilder("""
        # The standard library

        Functions written in the language, none of which the compiler knows by name: `import std.attention` makes those of
        [`attention.ein`](attention.ein) known. Each is run by a program in `tests/programs` or an example in its file, and compared
        with its formula in plain Java.
        """);
    try (Stream<Path> files = Files.list(LIBRARY)) {
      for (Path file : files.filter(file -> file.toString().endsWith(".ein")).sorted().toList()) {
        String name = file.getFileName().toString();
        String text = Files.readString(file);
        page.append("\n## [").append(name.replace(".ein", "")).append("](").append(name).append(")\n\n")
            .append(firstSentence(text.substring(0, text.indexOf("#\n")))).append("\n\n| Function | |\n|---|---|\n");
        FUNCTION.matcher(text).results().forEach(function -> page.append(row(function)));
      }
    }
    page.append(formats());
    return page.toString();
  }

  private static String formats() throws IOException {
    StringBuilder page = new StringBuilder("""

        ## Formats

        How weights are stored: after `import std.formats.ggml`, `weight W: q4_0[N, K] = "key"`. They are compared with their definitions, code by code.

        | Format | In | |
        |---|---|---|
        """);
    try (Stream<Path> files = Files.list(LIBRARY.resolve("formats"))) {
      for (Path file : files.filter(file -> file.toString().endsWith(".ein")).sorted().toList()) {
        String name = file.getFileName().toString();
        FORMAT.matcher(Files.readString(file)).results().forEach(format -> page.append("| `").append(format.group("name")).append("` | [")
            .append(name.replace(".ein", "")).append("](formats/").append(name).append(") | ").append(firstSentence(format.group("comment")).replace("|", "\\|"))
            .append(" |\n"));
      }
    }
    return page.toString();
  }

  private static String row(MatchResult function) {
    String head = function.group("head").strip().replaceAll("\\s+", " ");
    return "| `" + head.replace("|", "\\|") + "` | " + firstSentence(function.group("comment")).replace("|", "\\|") + " |\n";
  }

  /// The first sentence of the paragraph just above a function.
  private static String firstSentence(String comment) {
    String paragraph = comment.substring(comment.lastIndexOf("#\n") + 1).strip();
    String text = paragraph.lines().map(line -> line.substring(1).strip()).collect(Collectors.joining(" "));
    int end = text.indexOf(". ");
    return end < 0 ? text : text.substring(0, end + 1);
  }
}
