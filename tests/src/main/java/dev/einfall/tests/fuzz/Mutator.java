package dev.einfall.tests.fuzz;

import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.regex.Pattern;

/// Changes programs at random: characters, tokens, bracketed parts, lines; from the program itself, from others, and from
/// [Hostile] texts. Most changes are small, so that many programs come far before an error.
final class Mutator {
  private static final Pattern NUMBER = Pattern.compile("\\d.*");
  private static final Pattern WORD = Pattern.compile("\\S+");
  private static final int MOST_COPIES = 40;

  private final List<Tokens> others;
  private final Random random;
  private final Hostile hostile;

  /// @param others the programs that parts come from
  Mutator(List<Tokens> others, Random random) {
    this.others = others;
    this.random = random;
    this.hostile = new Hostile(random);
  }

  /// `program` after some changes.
  String mutate(Tokens program) {
    Tokens tokens = program.copy();
    int changes = 1;
    while (changes < 8 && random.nextInt(3) == 0) {
      changes++;
    }
    for (int i = 0; i < changes && tokens.size() > 0; i++) {
      change(tokens);
    }
    String text = tokens.toString();
    return random.nextInt(12) == 0 && !text.isEmpty() ? changeCharacters(text) : text;
  }

  private void change(Tokens tokens) {
    int kind = random.nextInt(100);
    if (kind < 25) {
      changeName(tokens);
    } else if (kind < 38) {
      changeNumber(tokens);
    } else if (kind < 56) {
      changeToken(tokens);
    } else if (kind < 74) {
      changeRanges(tokens, tokens.subtrees(), Tokens::subtrees);
    } else if (kind < 96) {
      changeRanges(tokens, tokens.lines(), Tokens::lines);
    } else {
      grow(tokens);
    }
  }

  private void changeName(Tokens tokens) {
    List<Integer> names = tokens.matching(Tokens.NAME);
    if (!names.isEmpty()) {
      String name = random.nextInt(8) == 0 ? hostile.word() : tokens.get(oneOf(names));
      tokens.set(oneOf(names), random.nextInt(10) == 0 ? misspelled(name) : name);
    }
  }

  private String misspelled(String name) {
    int place = random.nextInt(name.length());
    return name.substring(0, place) + name.substring(place + random.nextInt(2)) + (char) ('a' + random.nextInt(26));
  }

  private void changeNumber(Tokens tokens) {
    List<Integer> numbers = tokens.matching(NUMBER);
    if (!numbers.isEmpty()) {
      tokens.set(oneOf(numbers), random.nextBoolean() ? tokens.get(oneOf(numbers)) : hostile.number());
    }
  }

  private void changeToken(Tokens tokens) {
    List<Integer> words = tokens.matching(WORD);
    if (words.isEmpty()) {
      return;
    }
    int place = oneOf(words);
    int other = oneOf(words);
    String token = tokens.get(place);
    switch (random.nextInt(6)) {
      case 0 -> tokens.set(place, "");
      case 1 -> tokens.set(place, token + " " + token);
      case 2 -> {
        tokens.set(place, tokens.get(other));
        tokens.set(other, token);
      }
      case 3 -> tokens.set(place, hostile.token());
      case 4 -> tokens.set(place, hostile.sign());
      default -> tokens.set(place, token + " " + hostile.token());
    }
  }

  /// Where parts of one kind stand in a program.
  private interface Parts {
    List<Tokens.Range> of(Tokens tokens);
  }

  private void changeRanges(Tokens tokens, List<Tokens.Range> ranges, Parts parts) {
    if (ranges.isEmpty()) {
      return;
    }
    Tokens.Range range = oneOf(ranges);
    Tokens other = oneOf(others);
    List<Tokens.Range> foreign = parts.of(other);
    switch (random.nextInt(7)) {
      case 0 -> tokens.replace(range, List.of());
      case 1 -> tokens.replace(range, copies(tokens.get(range), random.nextInt(5) == 0 ? MOST_COPIES : 2));
      case 2, 3 -> tokens.replace(range, tokens.get(oneOf(ranges)));
      case 4 -> swap(tokens, range, oneOf(ranges));
      case 5 -> tokens.replace(range, foreign.isEmpty() ? List.of() : other.get(oneOf(foreign)));
      default -> tokens.replace(new Tokens.Range(range.start(), range.start()),
          foreign.isEmpty() ? List.of() : other.get(oneOf(foreign)));
    }
  }

  private static List<String> copies(List<String> tokens, int count) {
    List<String> copies = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      copies.addAll(tokens);
    }
    return copies;
  }

  private static void swap(Tokens tokens, Tokens.Range one, Tokens.Range other) {
    Tokens.Range first = one.start() <= other.start() ? one : other;
    Tokens.Range second = first == one ? other : one;
    if (first.end() <= second.start()) {
      List<String> moved = tokens.get(first);
      List<String> back = tokens.get(second);
      tokens.replace(second, moved);
      tokens.replace(first, back);
    }
  }

  private void grow(Tokens tokens) {
    List<Tokens.Range> parts = random.nextInt(3) == 0 ? tokens.lines() : tokens.subtrees();
    if (parts.isEmpty()) {
      return;
    }
    Tokens.Range part = oneOf(parts);
    String text = String.join("", tokens.get(part));
    if (text.length() > 60) {
      return;
    }
    tokens.replace(part, List.of(text.endsWith("\n") || random.nextInt(5) == 0 ? hostile.nested(text) : hostile.grown(text)));
  }

  private String changeCharacters(String text) {
    StringBuilder changed = new StringBuilder(text);
    for (int i = random.nextInt(3); i >= 0 && !changed.isEmpty(); i--) {
      int place = random.nextInt(changed.length());
      switch (random.nextInt(6)) {
        case 0 -> changed.deleteCharAt(place);
        case 1 -> changed.setCharAt(place, (char) (32 + random.nextInt(95)));
        case 2 -> changed.insert(place, (char) (32 + random.nextInt(95)));
        case 3 -> changed.insert(place, hostile.strange());
        case 4 -> changed.setCharAt(place, changed.charAt(random.nextInt(changed.length())));
        default -> {
          if (random.nextInt(4) == 0) {
            changed.setLength(place);
          }
        }
      }
    }
    return changed.toString();
  }

  private <T> T oneOf(List<T> list) {
    return list.get(random.nextInt(list.size()));
  }
}
