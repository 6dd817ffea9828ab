package dev.einfall.tests.programs;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/// The declarations and the examples in a file of the standard library, found by its layout.
record LibraryText(String file, List<String> lines) {
  private static final Pattern DECLARATION = Pattern.compile("(?:def|reduce|const) (\\w+).*");
  private static final Pattern WORD = Pattern.compile("\\w+");

  /// A function, constant or reduction: its name, the line on which it begins, and its text.
  record Declaration(String name, int line, String text) {}

  /// A program in a comment, and its first line.
  record Example(int line, String text) {}

  static List<LibraryText> all(Path folder) throws IOException {
    List<LibraryText> all = new ArrayList<>();
    try (Stream<Path> files = Files.list(folder)) {
      for (Path file : files.filter(path -> path.toString().endsWith(".ein")).sorted().toList()) {
        all.add(new LibraryText(file.getFileName().toString(), Files.readAllLines(file)));
      }
    }
    return all;
  }

  List<Declaration> declarations() {
    List<Declaration> found = new ArrayList<>();
    for (int i = 0; i < lines.size(); i++) {
      Matcher matcher = DECLARATION.matcher(lines.get(i));
      if (matcher.matches()) {
        found.add(new Declaration(matcher.group(1), i, String.join("\n", lines.subList(i, end(i)))));
      }
    }
    return found;
  }

  /// The line after the declaration that begins on line `begin`.
  private int end(int begin) {
    int end = begin + 1;
    while (end < lines.size() && !lines.get(end).startsWith("#") && !DECLARATION.matcher(lines.get(end)).matches()) {
      end++;
    }
    return end;
  }

  /// Constants may speak for themselves.
  boolean isDocumented(Declaration declaration) {
    return lines.get(declaration.line()).startsWith("const ") || declaration.line() > 0 && lines.get(declaration.line() - 1).startsWith("#");
  }

  /// The programs between `# ```ein` and `# ``` `.
  List<Example> examples() {
    List<Example> found = new ArrayList<>();
    for (int i = 0; i < lines.size(); i++) {
      if (lines.get(i).equals("# ```ein")) {
        int begin = i + 1;
        StringBuilder text = new StringBuilder();
        for (i = begin; !lines.get(i).equals("# ```"); i++) {
          text.append(lines.get(i).replaceFirst("^# ?", "")).append('\n');
        }
        found.add(new Example(begin + 1, text.toString()));
      }
    }
    return found;
  }

  static Set<String> words(String text) {
    Set<String> words = new LinkedHashSet<>();
    WORD.matcher(text).results().forEach(match -> words.add(match.group()));
    return words;
  }
}
