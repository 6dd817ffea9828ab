package dev.einfall.runtime.nativecode;

import dev.einfall.backends.c.CTarget;
import dev.einfall.ir.CompileException;
import dev.einfall.ir.InternalException;
import dev.einfall.runtime.tuning.TextDigest;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;

/// A C compiler of this machine.
///
/// @param command its name or path
/// @param macros what it defines for this machine's processor, which says what that can do
/// @param version what tells it from other compilers
public record CCompiler(String command, Set<String> macros, String version) {
  private static final List<String> OPTIONS =
      List.of("-std=c11", "-O3", "-fPIC", "-shared", "-ffp-contract=off", "-fno-math-errno", "-fno-trapping-math");

  /// The compiler that is called `command`; empty if there is none, or if it does not know the processor that it runs on.
  public static Optional<CCompiler> find(String command) {
    try {
      Process process = new ProcessBuilder(command, "-march=native", "-dM", "-E", "-x", "c", "-").redirectInput(ProcessBuilder.Redirect.PIPE)
          .redirectError(ProcessBuilder.Redirect.DISCARD).start();
      process.getOutputStream().close();
      String text = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
      return process.waitFor() == 0 ? Optional.of(of(command, text)) : Optional.empty();
    } catch (IOException _) {
      return Optional.empty();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException("interrupted while a C compiler was asked for", e);
    }
  }

  /// @throws CompileException if there is none
  public static CCompiler require(String command) {
    return find(command).orElseThrow(() -> CompileException.of("the backend c needs a C compiler, but the command " + command
        + " cannot be run: install gcc or clang, or take the backend jvm, which needs none"));
  }

  private static CCompiler of(String command, String definitions) {
    Set<String> macros = new TreeSet<>();
    definitions.lines().map(line -> line.split(" ", 3)).filter(words -> words.length > 1).forEach(words -> macros.add(words[1]));
    return new CCompiler(command, macros, TextDigest.of(definitions));
  }

  /// What this machine is for the C backend, as far as the system lets this process use it.
  public CTarget target() {
    CTarget best = CTargets.best(macros, true);
    return best.tiles().isEmpty() || TilePermission.request(macros) ? best : CTargets.best(macros, false);
  }

  /// What the system keeps from this process.
  public Optional<String> refused() {
    CTarget best = CTargets.best(macros, true);
    return target().name().equals(best.name()) ? Optional.empty()
        : Optional.of("compiling for " + target().name() + ", as the system does not let this process use the registers for tiles of " + best.name());
  }

  /// The options for a library.
  public List<String> options(CTarget target, List<String> flags) {
    List<String> options = new ArrayList<>(OPTIONS);
    options.addAll(target.flags());
    options.addAll(flags);
    return options;
  }

  /// The library that `text` becomes.
  ///
  /// @throws InternalException if the compiler refuses it: what the C backend writes is right
  public byte[] library(String text, CTarget target, List<String> flags) {
    try {
      return new CompilerRun("kernels.c", "kernels.so").run(text, (source, result) -> {
        List<String> all = new ArrayList<>(List.of(command));
        all.addAll(options(target, flags));
        all.addAll(List.of("-o", result.toString(), source.toString(), "-lm"));
        return all;
      }, (all, said) -> new InternalException("the C compiler refuses what it was given: " + all + "\n" + said + "\n" + text));
    } catch (IOException e) {
      throw CompileException.of("cannot compile C: " + e);
    }
  }
}
