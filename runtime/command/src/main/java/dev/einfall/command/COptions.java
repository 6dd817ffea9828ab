package dev.einfall.command;

import dev.einfall.backends.c.CProgram;
import dev.einfall.backends.c.CTarget;
import dev.einfall.passes.Numerics;
import dev.einfall.runtime.Options;
import java.util.Optional;
import picocli.CommandLine.Option;

/// The options for files of C.
final class COptions {
  @Option(names = "--embed", description = "For C: make the weights a part of the code, instead of a file to be opened.")
  private boolean embed;

  @Option(names = "--main", description = "For C: write a main as well, which reads inputs from files.")
  private boolean main;

  @Option(names = "--lines", negatable = true, defaultValue = "true", fallbackValue = "true",
      description = "For C: say by #line which lines of the program code comes from (the default).")
  private boolean lines;

  @Option(names = "--name", paramLabel = "NAME", description = "For C and CUDA: the name of the functions and files; that of the program if not given.")
  private Optional<String> name = Optional.empty();

  /// What files are written.
  ///
  /// @param usual the name of the program
  CProgram.Options form(String usual, Options options) {
    CTarget machine = options.toolchain().machine();
    return new CProgram.Options(name(usual), options.numerics() == Numerics.STRICT ? machine.exact() : machine, embed, main, lines);
  }

  /// The name of the functions and files.
  ///
  /// @param usual the name of the program
  String name(String usual) {
    String chosen = name.orElse(CProgram.Options.name(usual));
    if (!chosen.equals(CProgram.Options.name(chosen))) {
      throw new UserError("--name is " + chosen + ", which C cannot call a function: try " + CProgram.Options.name(chosen));
    }
    return chosen;
  }
}
