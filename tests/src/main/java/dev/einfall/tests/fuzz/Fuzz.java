package dev.einfall.tests.fuzz;

import dev.einfall.tests.random.ProgramFuzzer;
import java.io.IOException;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/// The command `tests/fuzz [KIND] N [SEED]`: runs N programs of a kind, or of each kind, and exits with 1 if one failed.
public final class Fuzz {

  /// Runs programs and returns how many failed.
  private interface Kind {
    long run(long programs, long seed, Path failures) throws IOException;
  }

  private Fuzz() {}

  private static Map<String, Kind> kinds() {
    Map<String, Kind> kinds = new LinkedHashMap<>();
    kinds.put("reader", (programs, seed, failures) ->
        new ReaderFuzzer(Seed.ofRepository(Path.of("..")), seed, failures).run(programs, System.out));
    kinds.put("programs", (programs, seed, _) ->
        ProgramFuzzer.inJvm(seed, Path.of("target", "random")).run(programs, System.out));
    kinds.put("native", (programs, seed, _) ->
        ProgramFuzzer.ofC(seed, Path.of("target", "random")).run(programs, System.out));
    return kinds;
  }

  /// @param arguments what the script was given; it starts this in the folder `tests`
  public static void main(String[] arguments) throws IOException {
    boolean hasKind = arguments.length > 0 && kinds().containsKey(arguments[0]);
    List<String> numbers = List.of(arguments).subList(hasKind ? 1 : 0, arguments.length);
    if (numbers.isEmpty() || numbers.size() > 2 || !numbers.stream().allMatch(number -> number.matches("\\d{1,18}"))) {
      System.err.println("usage: tests/fuzz [" + String.join("|", kinds().keySet()) + "] PROGRAMS [SEED]");
      System.exit(2);
    }
    long programs = Long.parseLong(numbers.getFirst());
    long seed = numbers.size() == 2 ? Long.parseLong(numbers.getLast()) : 1;
    long failed = 0;
    for (Map.Entry<String, Kind> kind : kinds().entrySet()) {
      if (!hasKind || kind.getKey().equals(arguments[0])) {
        failed += kind.getValue().run(programs, seed, Path.of("target", "fuzz"));
      }
    }
    System.exit(failed == 0 ? 0 : 1);
  }
}
