package dev.einfall.command;

import dev.einfall.frontend.Formatter;
import dev.einfall.ir.CompileException;
import dev.einfall.ir.Source;
import dev.einfall.runtime.Einfall;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/// `einfall fmt`: puts programs into the canonical layout. A file with a syntax error stays as it is.
@Command(name = "fmt", mixinStandardHelpOptions = true,
    description = "Rewrites programs in the canonical layout, with their comments, and prints the names of those that change.")
final class FormatCommand implements Callable<Integer> {
  private static final String STANDARD_INPUT = "-";

  @Spec
  private CommandSpec spec;

  @Parameters(paramLabel = "FILE", arity = "1..*",
      description = "Programs, .ein files; - formats the standard input to the standard output.")
  private List<String> files;

  @Option(names = "--check", description = "Write nothing; exit with 1 if a file would change.")
  private boolean check;

  @Override
  public Integer call() {
    boolean isFine = true;
    for (String file : files) {
      try {
        isFine &= file.equals(STANDARD_INPUT) ? formatInput() : formatFile(Path.of(file));
      } catch (CompileException e) {
        spec.commandLine().getErr().println(e.getMessage());
        isFine = false;
      }
    }
    spec.commandLine().getErr().flush();
    return isFine ? 0 : 1;
  }

  private boolean formatInput() {
    try {
      Source source = new Source("<input>", new String(System.in.readAllBytes(), StandardCharsets.UTF_8));
      String text = Formatter.format(source);
      if (!check) {
        print(text);
        return true;
      }
      return report(STANDARD_INPUT, source.text().equals(text));
    } catch (IOException e) {
      throw CompileException.of("cannot read the standard input: " + e.getMessage());
    }
  }

  private boolean formatFile(Path file) {
    Source source = Einfall.source(file);
    String text = Formatter.format(source);
    boolean isSame = source.text().equals(text);
    if (!isSame && !check) {
      try {
        Files.writeString(file, text);
      } catch (IOException e) {
        throw CompileException.of("cannot write " + file + ": " + e.getMessage());
      }
    }
    return report(file.toString(), isSame);
  }

  /// Prints the name of a file that changes; a change is a failure of a check only.
  private boolean report(String name, boolean isSame) {
    if (!isSame) {
      print(name + "\n");
    }
    return isSame || !check;
  }

  private void print(String text) {
    PrintWriter out = spec.commandLine().getOut();
    out.print(text);
    out.flush();
  }
}
