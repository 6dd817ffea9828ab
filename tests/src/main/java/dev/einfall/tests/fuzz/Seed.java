package dev.einfall.tests.fuzz;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/// A program that mutations start from.
///
/// @param isLoopText whether it is of the loop level
/// @param isWrong whether it is a case of an error
public record Seed(String name, String text, boolean isLoopText, boolean isWrong) {
  private static final Pattern BLOCK = Pattern.compile("(?ms)^```(?:ein|loop)\\n(.*?)^```");
  private static final Pattern LOOP_TEXT = Pattern.compile("(?m)^(kernel|plan)\\b");

  /// Lines that divide a case into programs: what is read, and what is expected.
  private static final Pattern PARTS = Pattern.compile("(?m)^# (EXPECT|==>)$");

  /// The programs of the language's folder and of the tests, in the order of their names.
  public static List<Seed> ofRepository(Path root) throws IOException {
    List<Seed> seeds = new ArrayList<>();
    for (String folder : List.of("grammar", "tests/cases", "tests/programs")) {
      try (Stream<Path> files = Files.walk(root.resolve(folder))) {
        for (Path file : files.filter(Seed::isSource).sorted().toList()) {
          add(root.relativize(file).toString(), Files.readString(file), seeds);
        }
      }
    }
    return seeds;
  }

  private static boolean isSource(Path file) {
    String path = file.toString();
    return !path.contains("target") && (path.endsWith(".ein") || path.endsWith(".loop") || path.endsWith(".md"));
  }

  private static void add(String name, String text, List<Seed> seeds) {
    if (name.endsWith(".md")) {
      for (Matcher block = BLOCK.matcher(text); block.find(); ) {
        addPart(name, block.group(1), seeds);
      }
    } else {
      PARTS.splitAsStream(text).forEach(part -> addPart(name, part, seeds));
    }
  }

  private static void addPart(String name, String part, List<Seed> seeds) {
    boolean isCommentOnly = part.lines().allMatch(line -> line.isBlank() || line.startsWith("#"));
    if (!isCommentOnly) {
      seeds.add(new Seed(name, part, LOOP_TEXT.matcher(part).find(), name.contains("errors")));
    }
  }
}
