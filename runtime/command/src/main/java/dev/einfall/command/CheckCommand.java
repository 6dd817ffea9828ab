package dev.einfall.command;

import dev.einfall.frontend.EinReader;
import dev.einfall.frontend.Imports;
import dev.einfall.frontend.LoopReader;
import dev.einfall.ir.CompileException;
import dev.einfall.ir.Source;
import dev.einfall.runtime.Einfall;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.List;
import java.util.SortedMap;
import java.util.SortedSet;
import java.util.TreeMap;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/// `einfall check`: reads programs, and prints what is wrong with them and how much that is.
@Command(name = "check", mixinStandardHelpOptions = true,
    description = "Prints every error in the files; exits with 1 if there is one.")
final class CheckCommand implements Callable<Integer> {
  @Spec
  private CommandSpec spec;

  @Parameters(paramLabel = "FILE", arity = "1..*", description = "Programs, .ein or .loop files.")
  private List<Path> files;

  @Option(names = "--size", paramLabel = "NAME=N",
      description = "The number that a size stands for, to check what depends on it.")
  private SortedMap<String, Long> sizes = new TreeMap<>();

  @Override
  public Integer call() {
    PrintWriter err = spec.commandLine().getErr();
    int wrong = 0;
    int errors = 0;
    for (Path file : files) {
      try {
        check(file);
      } catch (CompileException e) {
        err.println(e.getMessage());
        errors += e.diagnostics().size();
        wrong++;
      }
    }
    if (errors > 0) {
      err.println(count(errors, "error") + " in " + (files.size() == 1 ? "1 file" : wrong + " of " + files.size() + " files"));
    }
    err.flush();
    return wrong == 0 ? 0 : 1;
  }

  private static String count(int count, String what) {
    return count + " " + what + (count == 1 ? "" : "s");
  }

  private void check(Path file) {
    Source source = Einfall.source(file);
    if (file.toString().endsWith(".loop")) {
      LoopReader.read(source);
    } else {
      EinReader.Checked checked = EinReader.check(source, Imports.files(), sizes);
      checked.cascade().ifPresent(Einfall::requirePromises);
      if (!checked.open().isEmpty()) {
        spec.commandLine().getErr().println(file + ": what depends on the size" + (checked.open().size() == 1 ? " " : "s ")
            + String.join(", ", checked.open()) + " is not checked without a number, such as --size "
            + checked.open().first() + "=128");
      }
    }
  }
}
