package dev.einfall.tests.peers;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/// What to measure, from the words of a command line: `threads=1,2`, `seconds=6` for a case, `forks=3`, `forced`,
/// `about=reduce,group`; any other words are such that the name of a case must hold them all.
///
/// @param forks the new JVMs whose medians count; 0 to measure in this one
/// @param forced whether to measure the alternatives among which the cost model chooses
/// @param about what the subjects of the decisions hold that are measured then, one of these
record Request(List<Integer> threads, double seconds, int forks, boolean forced, List<String> about, List<String> words) {
  private static final double SECONDS = 4;

  static Request of(List<String> arguments) {
    Request request = new Request(List.of(1, 2), SECONDS, 0, false, List.of(""), List.of());
    for (String argument : arguments) {
      request = request.with(argument);
    }
    return request;
  }

  private Request with(String argument) {
    if (argument.startsWith("threads=")) {
      List<Integer> given = Arrays.stream(value(argument).split(",")).map(Integer::valueOf).toList();
      return new Request(given, seconds, forks, forced, about, words);
    }
    if (argument.startsWith("seconds=")) {
      return new Request(threads, Double.parseDouble(value(argument)), forks, forced, about, words);
    }
    if (argument.startsWith("forks=")) {
      return new Request(threads, seconds, Integer.parseInt(value(argument)), forced, about, words);
    }
    if (argument.equals("forced")) {
      return new Request(threads, seconds, forks, true, about, words);
    }
    if (argument.startsWith("about=")) {
      return new Request(threads, seconds, forks, forced, List.of(value(argument).split(",")), words);
    }
    List<String> more = new ArrayList<>(words);
    more.add(argument);
    return new Request(threads, seconds, forks, forced, about, more);
  }

  private static String value(String argument) {
    return argument.substring(argument.indexOf('=') + 1);
  }

  /// Whether decisions about `subject` are wanted.
  boolean asksAbout(String subject) {
    return about.stream().anyMatch(subject::contains);
  }

  /// Whether the case of this name is wanted.
  boolean wants(String name) {
    return List.of(name.split(" ")).containsAll(words);
  }
}
