package dev.einfall.command;

import dev.einfall.runtime.Npy;
import dev.einfall.runtime.Tensor;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/// `einfall run`: compiles a program, runs it, and shows or stores what it gives.
@Command(name = "run", mixinStandardHelpOptions = true, description = "Compiles a program and runs it.")
final class RunCommand implements Callable<Integer> {
  private static final int MEASURED_RUNS = 50;
  private static final double MEASURED_SECONDS = 2;

  @Spec
  private CommandSpec spec;

  @Mixin
  private ProgramOptions programOptions;

  @Mixin
  private InputOptions inputOptions;

  @Option(names = "--out", paramLabel = "DIR", description = "Write each output to DIR/NAME.npy.")
  private Optional<Path> out = Optional.empty();

  @Override
  public Integer call() throws IOException {
    PrintWriter output = spec.commandLine().getOut();
    programOptions.keeps = true;
    try (Session session = Session.start(programOptions, inputOptions, spec.commandLine().getErr())) {
      if (out.isPresent()) {
        write(session.outputs(), out.get());
      }
      Optional<Similarities> similarities =
          inputOptions.texts.isEmpty() ? Optional.empty() : Similarities.of(session.outputs());
      if (similarities.isPresent()) {
        output.print(similarities.get().text(inputOptions.texts));
      } else {
        session.outputs().forEach((name, tensor) -> output.println(name + ": " + TensorText.of(tensor)));
      }
      output.println(times(session));
    }
    return 0;
  }

  private static void write(Map<String, Tensor> outputs, Path directory) throws IOException {
    Files.createDirectories(directory);
    for (Map.Entry<String, Tensor> result : outputs.entrySet()) {
      Npy.write(directory.resolve(result.getKey() + ".npy"), result.getValue());
    }
  }

  private static String times(Session session) {
    Latency latency = Latency.measure(session.program(), session.inputs(), MEASURED_RUNS, MEASURED_SECONDS);
    return String.format(Locale.ROOT, "compiled in %.0f ms, first result after %.0f ms, latency %.2f ms (median of %d runs)",
        session.compileNanos() / 1e6, session.firstNanos() / 1e6, latency.medianMillis(), latency.runs());
  }
}
