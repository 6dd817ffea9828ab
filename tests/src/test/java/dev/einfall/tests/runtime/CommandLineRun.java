package dev.einfall.tests.runtime;

import dev.einfall.command.EinfallCommand;
import java.io.PrintWriter;
import java.io.StringWriter;
import picocli.CommandLine;

/// What the command `einfall` did with some arguments, in this process.
record CommandLineRun(int exitCode, String out, String err) {

  static CommandLineRun of(String... arguments) {
    StringWriter out = new StringWriter();
    StringWriter err = new StringWriter();
    CommandLine command = EinfallCommand.commandLine().setOut(new PrintWriter(out, true)).setErr(new PrintWriter(err, true));
    int exitCode = command.execute(arguments);
    return new CommandLineRun(exitCode, out.toString(), err.toString());
  }
}
