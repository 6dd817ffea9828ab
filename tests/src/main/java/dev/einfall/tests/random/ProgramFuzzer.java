package dev.einfall.tests.random;

import dev.einfall.backends.reference.Array;
import dev.einfall.ir.cascade.CascadePrinter;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// Runs random programs in every way that there is, against the reference interpreter. A program that fails is made smaller
/// and written as a case.
public final class ProgramFuzzer {
  private static final int MOST_FAILURES = 10;
  private static final long SEED_STRIDE = 1_000_000;

  private final List<ProgramCheck> checks;
  private final long seed;
  private final Path failures;
  private final Map<String, Integer> forms = new LinkedHashMap<>();
  private final List<Path> cases = new ArrayList<>();
  private long declined;

  private ProgramFuzzer(List<ProgramCheck> checks, long seed, Path failures) {
    this.checks = checks;
    this.seed = seed;
    this.failures = failures;
    Forms.names().forEach(form -> forms.put(form, 0));
  }

  /// One that runs programs in all ways that need nothing but the JVM.
  ///
  /// @param failures the folder for programs that fail
  public static ProgramFuzzer inJvm(long seed, Path failures) {
    return new ProgramFuzzer(ProgramCheck.IN_JVM, seed, failures);
  }

  /// One that runs programs by way of C.
  ///
  /// @param failures the folder for programs that fail
  public static ProgramFuzzer ofC(long seed, Path failures) {
    return new ProgramFuzzer(ProgramCheck.NATIVE, seed, failures);
  }

  /// Runs programs `0` to `programs - 1` of the seed, and prints what came of them; returns how many failed.
  public long run(long programs, PrintStream report) throws IOException {
    long begin = System.nanoTime();
    long done = 0;
    while (done < programs && cases.size() < MOST_FAILURES) {
      program(seed * SEED_STRIDE + done++, report);
    }
    double seconds = (System.nanoTime() - begin) / 1e9;
    report.println("programs with a form: " + String.join(", ",
        forms.entrySet().stream().map(form -> form.getKey() + " " + form.getValue()).toList()));
    report.printf("programs: %d of seed %d, %d declined by the reference, %d failures; %.0f seconds, %.0f programs a second%n",
        done, seed, declined, cases.size(), seconds, done / seconds);
    return cases.size();
  }

  /// Where the programs that failed are.
  public List<Path> cases() {
    return cases;
  }

  private void program(long number, PrintStream report) throws IOException {
    Sample sample = SampleGenerator.sample(number);
    Forms.of(sample.cascade()).forEach(form -> forms.merge(form, 1, Integer::sum));
    Optional<List<Array>> expected = ProgramCheck.expected(sample);
    if (expected.isEmpty()) {
      declined++;
      return;
    }
    for (ProgramCheck check : checks) {
      Optional<String> problem = check.problem(sample, expected.get(), number);
      if (problem.isPresent()) {
        fail(check, sample, kind(problem.get()), number, report);
        return;
      }
    }
  }

  /// What two problems have in common: without names and numbers.
  private static String kind(String problem) {
    boolean isException = problem.startsWith("dev.") || problem.startsWith("java.");
    return isException ? problem.lines().findFirst().orElse("").replaceAll("`[^`]*`|[A-Z]\\w*|\\d+", "") : "difference";
  }

  private void fail(ProgramCheck check, Sample sample, String kind, long number, PrintStream report) throws IOException {
    Sample smallest = Shrinking.shrink(sample,
        smaller -> problem(check, smaller, number).filter(problem -> kind(problem).equals(kind)).isPresent());
    String problem = problem(check, smallest, number).orElseThrow();
    String comment = "Program " + number + ", " + check.text() + ": " + problem;
    Files.createDirectories(failures);
    Path file = failures.resolve("program-" + number + ".ein");
    Files.writeString(file, comment.lines().map(line -> "# " + line + "\n").reduce("", String::concat)
        + smallest.sizesLine() + CascadePrinter.print(smallest.cascade()));
    cases.add(file);
    report.println(Files.readString(file) + "  " + file);
  }

  /// The problem of a program made smaller; nothing if that is no program any more.
  private static Optional<String> problem(ProgramCheck check, Sample sample, long number) {
    try {
      return ProgramCheck.expected(sample).flatMap(expected -> check.problem(sample, expected, number));
    } catch (RuntimeException _) {
      return Optional.empty();
    }
  }
}
