package dev.einfall.command;

import dev.einfall.command.explain.TuningText;
import dev.einfall.runtime.Options;
import dev.einfall.runtime.Tensor;
import dev.einfall.runtime.Tuning;
import dev.einfall.runtime.tuning.Tuner;
import java.io.PrintWriter;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/// `einfall tune`: measures alternatives to the choices of the cost model, and records what is better for `run` and `bench`.
@Command(name = "tune", mixinStandardHelpOptions = true,
    description = "Measures alternatives to the choices of the cost model, on the inputs given or random ones, and records which are better:"
        + " `run` and `bench` then take these for inputs of the same shapes. What is recorded is not measured again, also after an interruption.")
final class TuneCommand implements Callable<Integer> {
  private static final Pattern DURATION = Pattern.compile("([0-9]+(?:\\.[0-9]+)?)(ms|s|m|h)");

  @Spec
  private CommandSpec spec;

  @Mixin
  private ProgramOptions programOptions;

  @Mixin
  private InputOptions inputOptions;

  @Option(names = "--budget", paramLabel = "TIME", description = "How long to measure once the program is compiled: 500ms, 60s, 5m; ${DEFAULT-VALUE} if not given.")
  private String budget = "60s";

  @Override
  public Integer call() {
    PrintWriter err = spec.commandLine().getErr();
    Duration time = duration(budget);
    Places places = Places.of(err);
    Options options = programOptions.options(places, err);
    if (options.tuning().isEmpty()) {
      throw new UserError("--tuning none: there is no place for what is measured; expected a directory");
    }
    try (Tuning tuning = Tuning.of(programOptions.file, options)) {
      Map<String, Tensor> inputs = inputOptions.inputsOrRandom(
          tuning.inputs(), () -> Session.tokenizer(programOptions.file, programOptions.function, places));
      try {
        Path record = tuning.record(inputs);
        err.println("record: " + record);
        Tuner.Report report = tuning.tune(inputs, time, new TuningProgress(err, time, System::nanoTime));
        requireMeasurements(report);
        spec.commandLine().getOut().print(TuningText.of(report, record));
        spec.commandLine().getOut().flush();
      } finally {
        inputs.values().forEach(Tensor::close);
      }
    } catch (UncheckedIOException | IllegalArgumentException e) {
      throw new UserError(e.getMessage());
    }
    return 0;
  }

  static Duration duration(String text) {
    Matcher matcher = DURATION.matcher(text);
    if (!matcher.matches()) {
      throw new UserError("--budget " + text + ": expected a time such as 500ms, 60s or 5m");
    }
    double seconds = Double.parseDouble(matcher.group(1)) * switch (matcher.group(2)) {
      case "ms" -> 1e-3;
      case "s" -> 1;
      case "m" -> 60;
      default -> 3600;
    };
    return Duration.ofNanos((long) (seconds * 1e9));
  }

  private void requireMeasurements(Tuner.Report report) {
    if (report.measured() + report.known() == 0) {
      throw new UserError("nothing was measured: " + switch (report.end()) {
        case NOTHING_TO_CHOOSE -> "the cost model has no choice to make about this program";
        case OUT_OF_TIME -> "the budget of " + budget + " leaves no time; give more, such as --budget 60s";
        case ALL_MEASURED -> "no alternative could be compiled, or all were the same code";
      });
    }
  }
}
