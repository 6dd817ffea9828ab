package dev.einfall.command;

import java.util.Locale;
import java.util.Optional;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/// `einfall bench`: measures how long compiling and running take.
@Command(name = "bench", mixinStandardHelpOptions = true, description = "Measures compiling and running a program.")
final class BenchCommand implements Callable<Integer> {
  @Spec
  private CommandSpec spec;

  @Mixin
  private ProgramOptions programOptions;

  @Mixin
  private InputOptions inputOptions;

  @Option(names = "--runs", paramLabel = "N", description = "How many runs are measured; ${DEFAULT-VALUE} if not given.")
  private int runs = 200;

  @Option(names = "--seconds", paramLabel = "S",
      description = "How long warming up, and then measuring, may take; ${DEFAULT-VALUE} if not given.")
  private double seconds = 5;

  @Option(names = "--profile", description = "Print how long each kernel takes.")
  private boolean profile;

  @Option(names = "--time-passes", description = "Print how long each pass of the compiler took.")
  private boolean timePasses;

  @Override
  public Integer call() {
    Profile kernels = new Profile();
    PassTimes passes = new PassTimes();
    programOptions.steps = passes::add;
    programOptions.launches = profile ? Optional.of(kernels::add) : Optional.empty();
    try (Session session = Session.start(programOptions, inputOptions, spec.commandLine().getErr())) {
      Latency.measure(session.program(), session.inputs(), runs, seconds);
      kernels.clear();
      Latency latency = Latency.measure(session.program(), session.inputs(), runs, seconds);
      spec.commandLine().getOut().printf(Locale.ROOT,
          "%s threads=%d compile_ms=%.0f first_result_ms=%.0f latency_ms=%.3f min_ms=%.3f runs=%d%n",
          session.program().name(), programOptions.threads, session.compileNanos() / 1e6, session.firstNanos() / 1e6,
          latency.medianMillis(), latency.minMillis(), latency.runs());
      spec.commandLine().getOut().print(kernels.text(latency.runs()));
      spec.commandLine().getOut().print(timePasses ? passes.text(session.compileNanos()) : "");
      spec.commandLine().getOut().flush();
    }
    return 0;
  }
}
