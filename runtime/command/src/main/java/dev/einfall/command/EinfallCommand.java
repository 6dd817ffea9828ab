package dev.einfall.command;

import dev.einfall.ir.CompileException;
import dev.einfall.passes.PassFailure;
import dev.einfall.runtime.device.DeviceException;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/// The command `einfall`. A user's mistake ends it with a message and exit code 1 (2 for a wrong command line), a fault of
/// Einfall with exit code 3.
@Command(
    name = "einfall",
    mixinStandardHelpOptions = true,
    version = "einfall 0.1.0",
    description = "Compiles cascades of extended Einsums to bytecode, and runs them.",
    subcommands = {
        RunCommand.class, ExplainCommand.class, EmitCommand.class, OptCommand.class, CheckCommand.class, FormatCommand.class,
        BenchCommand.class, TuneCommand.class, QuantizeCommand.class},
    synopsisSubcommandLabel = "COMMAND")
public final class EinfallCommand {
  private static final int USER_ERROR = 1;
  private static final int INTERNAL_ERROR = 3;

  @Option(names = "--stack-trace", description = "Print where an internal error came from.")
  private boolean stackTrace;

  private EinfallCommand() {}

  /// Runs the command line `arguments` and ends the JVM.
  public static void main(String[] arguments) {
    System.exit(commandLine().execute(arguments));
  }

  /// The command, ready to be executed; its output goes where the caller says.
  public static CommandLine commandLine() {
    EinfallCommand command = new EinfallCommand();
    return new CommandLine(command)
        .setExecutionExceptionHandler((e, line, _) -> command.report(e, line.getErr()))
        .setCaseInsensitiveEnumValuesAllowed(true);
  }

  private int report(Exception exception, PrintWriter err) {
    err.flush();
    switch (exception) {
      case CompileException e -> err.println(e.getMessage());
      case DeviceException e -> err.println("error: " + e.getMessage());
      case UserError e -> err.println("error: " + e.getMessage());
      case PassFailure e -> {
        reportInternal(e, err);
        writeReproducer(e, err);
        return INTERNAL_ERROR;
      }
      default -> {
        reportInternal(exception, err);
        return INTERNAL_ERROR;
      }
    }
    return USER_ERROR;
  }

  private void reportInternal(Exception exception, PrintWriter err) {
    err.println("internal error: " + exception);
    err.println("This is a fault of Einfall, not of the program. Please report it, with what"
        + " `einfall --stack-trace COMMAND ...` prints.");
    if (stackTrace) {
      exception.printStackTrace(err);
    }
  }

  /// Writes what a pass failed on to a file that `einfall opt` runs.
  private static void writeReproducer(PassFailure failure, PrintWriter err) {
    String text = failure.reproducer();
    boolean loops = text.lines().anyMatch(line -> line.startsWith("kernel ") || line.startsWith("plan "));
    try {
      Path file = Files.createTempFile("einfall-reproducer-", loops ? ".loop" : ".ein");
      Files.writeString(file, text);
      err.println("A reproducer is in " + file + ": run `einfall opt " + file + "`.");
    } catch (IOException e) {
      err.println("No reproducer could be written: " + e.getMessage());
    }
  }
}
