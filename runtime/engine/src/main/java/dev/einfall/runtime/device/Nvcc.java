package dev.einfall.runtime.device;

import dev.einfall.ir.CompileException;
import dev.einfall.ir.InternalException;
import dev.einfall.runtime.nativecode.CompilerRun;
import dev.einfall.runtime.tuning.TextDigest;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// CUDA's compiler.
///
/// @param command its name or path
/// @param version what it says of itself
public record Nvcc(String command, String version) {
  /// Where CUDA is installed, and often not on the path.
  private static final String USUAL_PLACE = "/usr/local/cuda/bin/nvcc";
  private static final List<String> OPTIONS = List.of("-std=c++17", "-fmad=false", "-cubin");
  private static final Pattern RELEASE = Pattern.compile("release ([0-9.]+)");

  /// The compiler that is called `command`; where CUDA is installed, if that is `nvcc` and not on the path; empty if there is none.
  public static Optional<Nvcc> find(String command) {
    return asked(command).or(() -> command.equals(CudaTools.usual().nvcc()) ? asked(USUAL_PLACE) : Optional.empty());
  }

  /// @throws CompileException if there is none
  public static Nvcc require(String command) {
    return find(command).orElseThrow(() -> CompileException.of("the backend cuda needs CUDA's compiler, but the command " + command + " cannot be run"
        + (command.equals(CudaTools.usual().nvcc()) ? ", nor " + USUAL_PLACE : "") + ": install the CUDA toolkit, 11.8 or newer, or name its nvcc by --nvcc"));
  }

  private static Optional<Nvcc> asked(String command) {
    try {
      Process process = new ProcessBuilder(command, "--version").redirectErrorStream(true).start();
      process.getOutputStream().close();
      String text = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
      return process.waitFor() == 0 ? Optional.of(new Nvcc(command, text)) : Optional.empty();
    } catch (IOException _) {
      return Optional.empty();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException("interrupted while CUDA's compiler was asked for", e);
    }
  }

  /// Its name and release, for people.
  @Override
  public String toString() {
    Matcher release = RELEASE.matcher(version);
    return release.find() ? command + " " + release.group(1) : command;
  }

  /// What tells what it makes from what others make.
  List<String> identity(String architecture, List<String> flags) {
    return List.of("nvcc " + command + " " + TextDigest.of(version), "options " + String.join(" ", options(architecture, flags)));
  }

  private static List<String> options(String architecture, List<String> flags) {
    List<String> options = new ArrayList<>(OPTIONS);
    options.add("-arch=" + architecture);
    options.addAll(flags);
    return options;
  }

  /// Machine code of `text` for devices of `architecture`.
  ///
  /// @throws CompileException if the compiler does not work here, or does not know such devices
  /// @throws InternalException if it refuses the text: what the CUDA backend writes is right
  public byte[] cubin(String text, String architecture, List<String> flags) {
    try {
      return new CompilerRun("kernels.cu", "kernels.cubin").run(text, (source, result) -> {
        List<String> all = new ArrayList<>(List.of(command));
        all.addAll(options(architecture, flags));
        all.addAll(List.of("-o", result.toString(), source.toString()));
        return all;
      }, (all, said) -> refused(all, said, architecture, text));
    } catch (IOException e) {
      throw CompileException.of("cannot compile CUDA C++: " + e);
    }
  }

  /// What it calls fatal is about the machine; all else is about the text.
  private RuntimeException refused(String all, String said, String architecture, String text) {
    return said.contains("nvcc fatal")
        ? CompileException.of(this + " cannot compile for " + architecture + ": " + said.strip())
        : new InternalException(this + " refuses what it was given: " + all + "\n" + said + "\n" + text);
  }
}
