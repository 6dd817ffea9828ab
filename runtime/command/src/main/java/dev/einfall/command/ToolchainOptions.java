package dev.einfall.command;

import dev.einfall.runtime.Options;
import java.util.Optional;
import picocli.CommandLine.Option;

/// The options that choose a C compiler and the machine that it compiles for.
final class ToolchainOptions {
  @Option(names = "--target", paramLabel = "NAME",
      description = "The machine that C is for: portable, neon, neon-dot, avx2, avx512, avx512-vnni, avx512-bf16; this one if not given.")
  private Optional<String> target = Optional.empty();

  @Option(names = "--cc", paramLabel = "COMMAND", description = "The C compiler, gcc or clang; cc if not given.")
  private Optional<String> compiler = Optional.empty();

  /// `options` with the toolchain that was asked for.
  Options applied(Options options) {
    Options compiled = compiler.map(command -> options.withToolchain(options.toolchain().withCompiler(command))).orElse(options);
    return target.map(name -> compiled.withToolchain(compiled.toolchain().withTarget(name))).orElse(compiled);
  }
}
