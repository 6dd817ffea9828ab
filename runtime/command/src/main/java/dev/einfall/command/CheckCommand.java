package dev.einfall.command;

import dev.einfall.frontend.EinReader;
import dev.einfall.frontend.LoopReader;
import dev.einfall.ir.CompileException;
import dev.einfall.ir.Source;
import dev.einfall.runtime.Einfall;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/// `einfall check`: reads programs and prints what is wrong with them.
@Command(name = "check", mixinStandardHelpOptions = true, description = "Prints every error in the files.")
final class CheckCommand implements Callable<Integer> {
  @Spec
  private CommandSpec spec;

  @Parameters(paramLabel = "FILE", arity = "1..*", description = "Programs, .ein or .loop files.")
  private List<Path> files;

  @Override
  public Integer call() {
    int wrong = 0;
    for (Path file : files) {
      try {
        check(file);
      } catch (CompileException e) {
        spec.commandLine().getErr().println(e.getMessage());
        wrong++;
      }
    }
    return wrong == 0 ? 0 : 1;
  }

  private static void check(Path file) {
    Source source = Einfall.source(file);
    if (file.toString().endsWith(".loop")) {
      LoopReader.read(source);
    } else {
      EinReader.read(source, Optional.empty());
    }
  }
}
