package dev.einfall.tests.fuzz;

import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// A program cut into tokens and spaces, and the parts of it that are worth moving. The cut knows no grammar, so that it
/// takes any text.
final class Tokens {
  private static final int MOST = 30_000;
  static final Pattern NAME = Pattern.compile("[A-Za-z_]\\w*");
  private static final Pattern TOKEN = Pattern.compile(
      "\"(?:\\\\.|[^\"\\\\\\n])*\"|#[^\\n]*|[A-Za-z_]\\w*|\\d+(?:\\.\\d+)?(?:[eE][+-]?\\d+)?"
          + "|\\.\\.\\.|\\.\\.|->|:=|[=!<>]=|&&|\\|\\||\\n\\s*|[^\\S\\n]+|.", Pattern.DOTALL);

  private final List<String> tokens;

  private Tokens(List<String> tokens) {
    this.tokens = tokens;
  }

  static Tokens of(String text) {
    List<String> tokens = new ArrayList<>();
    for (Matcher matcher = TOKEN.matcher(text); matcher.find(); ) {
      tokens.add(matcher.group());
    }
    return new Tokens(tokens);
  }

  Tokens copy() {
    return new Tokens(new ArrayList<>(tokens));
  }

  /// The tokens from `start` to `end`.
  record Range(int start, int end) {}

  int size() {
    return tokens.size();
  }

  String get(int index) {
    return tokens.get(index);
  }

  List<String> get(Range range) {
    return List.copyOf(tokens.subList(range.start, range.end));
  }

  void replace(Range range, List<String> by) {
    if (tokens.size() + by.size() <= MOST) {
      List<String> replaced = tokens.subList(range.start, range.end);
      replaced.clear();
      replaced.addAll(by);
    }
  }

  void set(int index, String token) {
    tokens.set(index, token);
  }

  /// The places of names, of numbers, or of whatever else `form` matches.
  List<Integer> matching(Pattern form) {
    List<Integer> places = new ArrayList<>();
    for (int i = 0; i < tokens.size(); i++) {
      if (form.matcher(tokens.get(i)).matches()) {
        places.add(i);
      }
    }
    return places;
  }

  /// The lines, with their ends.
  List<Range> lines() {
    List<Range> lines = new ArrayList<>();
    int start = 0;
    for (int i = 0; i < tokens.size(); i++) {
      if (tokens.get(i).startsWith("\n")) {
        lines.add(new Range(start, i + 1));
        start = i + 1;
      }
    }
    return lines;
  }

  /// What stands between brackets, with them; with the name before them if there is one.
  List<Range> subtrees() {
    List<Range> subtrees = new ArrayList<>();
    List<Integer> open = new ArrayList<>();
    for (int i = 0; i < tokens.size(); i++) {
      switch (tokens.get(i)) {
        case "(", "[", "{" -> open.add(i);
        case ")", "]", "}" -> {
          if (!open.isEmpty()) {
            int start = open.removeLast();
            subtrees.add(new Range(start, i + 1));
            if (start > 0 && NAME.matcher(tokens.get(start - 1)).matches()) {
              subtrees.add(new Range(start - 1, i + 1));
            }
          }
        }
        default -> { }
      }
    }
    return subtrees;
  }

  /// The program as text.
  @Override
  public String toString() {
    return String.join("", tokens);
  }
}
