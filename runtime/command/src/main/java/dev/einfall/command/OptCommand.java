package dev.einfall.command;

import dev.einfall.passes.Pass;
import dev.einfall.passes.PassCase;
import dev.einfall.passes.PassCatalog;
import dev.einfall.passes.PassRunner;
import dev.einfall.passes.Step;
import dev.einfall.runtime.Einfall;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/// `einfall opt`: runs passes on a program in either text syntax, or on a case, and prints what they make of it.
@Command(name = "opt", mixinStandardHelpOptions = true, description = "Runs passes on a program and prints the result.")
final class OptCommand implements Callable<Integer> {
  @Spec
  private CommandSpec spec;

  @Parameters(paramLabel = "FILE", description = "A program, .ein or .loop, or a case of the tests.")
  private Path file;

  @Option(names = "--passes", paramLabel = "LIST",
      description = "The passes, such as fold-constants,split-loops{i=8 4}; those of the case's RUN line if not given.")
  private Optional<String> passes = Optional.empty();

  @Option(names = "--function", paramLabel = "NAME", description = "The function; `main` or the last one if not given.")
  private Optional<String> function = Optional.empty();

  @Option(names = "--size", paramLabel = "NAME=N", description = "The number that a size stands for.")
  private SortedMap<String, Long> sizes = new TreeMap<>();

  @Option(names = "--print-after", paramLabel = "NAME", description = "Print the program after this pass, or after `all`.")
  private Optional<String> printAfter = Optional.empty();

  @Option(names = "--print-changed", description = "Print the program after every pass that changes it.")
  private boolean printChanged;

  @Option(names = "--time-passes", description = "Print how long each pass took.")
  private boolean timePasses;

  @Override
  public Integer call() {
    PrintWriter out = spec.commandLine().getOut();
    PassCase text = PassCase.read(Einfall.source(file).text());
    List<Pass> list = PassCatalog.parse(passes.orElseGet(() -> listed(text)));
    Map<String, Long> times = new LinkedHashMap<>();
    PassRunner runner = new PassRunner(
        step -> report(step, times, out), remark -> spec.commandLine().getErr().print(remark.render()));
    SortedMap<String, Long> numbers = sizes.isEmpty() ? bound(text) : sizes;
    Stage stage = Stage.read(file, text.before(), function, numbers).bind(numbers);
    for (Pass pass : list) {
      stage = stage.apply(pass, runner);
    }
    out.print(stage.text());
    if (timePasses) {
      times.forEach((pass, nanos) -> out.printf(Locale.ROOT, "# %-28s %9.3f ms%n", pass, nanos / 1e6));
    }
    out.flush();
    return 0;
  }

  private String listed(PassCase text) {
    if (text.passes().isEmpty()) {
      throw new UserError("no passes to run: give --passes, or a file with a line `# RUN: passes`; there are "
          + String.join(", ", PassCatalog.names()));
    }
    return text.passes();
  }

  private SortedMap<String, Long> bound(PassCase text) {
    try {
      return text.sizes();
    } catch (IllegalArgumentException e) {
      throw new UserError(file + ": " + e.getMessage());
    }
  }

  private void report(Step step, Map<String, Long> times, PrintWriter out) {
    times.merge(step.pass(), step.nanoseconds(), Long::sum);
    boolean asked = printAfter.filter(name -> name.equals("all") || name.equals(step.pass())).isPresent();
    if (asked && !step.changed()) {
      out.println("# after " + step.pass() + " on " + step.subject() + " (unchanged)");
    } else if (asked || printChanged && step.changed()) {
      out.println("# after " + step.pass() + " on " + step.subject());
      out.println(step.text().get());
    }
  }
}
