package dev.einfall.tests.runtime;

import dev.einfall.command.EinfallCommand;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.util.List;
import java.util.stream.Stream;
import picocli.CommandLine;

/// What the command `einfall` did with some arguments, in this process. `run` keeps nothing in the user's folder but where `--cache` is among them.
public record CommandLineRun(int exitCode, String out, String err) {

  public static CommandLineRun of(String... arguments) {
    StringWriter out = new StringWriter();
    StringWriter err = new StringWriter();
    CommandLine command = EinfallCommand.commandLine().setOut(new PrintWriter(out, true)).setErr(new PrintWriter(err, true));
    int exitCode = command.execute(withoutCache(arguments));
    return new CommandLineRun(exitCode, out.toString(), err.toString());
  }

  private static String[] withoutCache(String... arguments) {
    List<String> given = List.of(arguments);
    boolean keeps = given.contains("run") && given.stream().noneMatch(argument -> argument.startsWith("--cache"));
    return keeps ? Stream.concat(given.stream(), Stream.of("--cache", "none")).toArray(String[]::new) : arguments;
  }
}
