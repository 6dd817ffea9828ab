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
import java.util.Optional;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
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

  private static void check(Path file) {
    Source source = Einfall.source(file);
    if (file.toString().endsWith(".loop")) {
      LoopReader.read(source);
    } else {
      Einfall.requirePromises(EinReader.read(source, Optional.empty(), Imports.files()).cascade());
    }
  }
}
