package dev.einfall.runtime.nativecode;

import dev.einfall.backends.CompiledKernel;
import dev.einfall.backends.c.CFile;
import dev.einfall.backends.c.CTarget;
import dev.einfall.ir.CompileException;
import dev.einfall.ir.InternalException;
import dev.einfall.ir.loop.Kernel;
import dev.einfall.runtime.plans.PlanCache;
import dev.einfall.runtime.tuning.TextDigest;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.SymbolLookup;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.stream.IntStream;

/// Turns kernels into machine code: writes them as C, has a compiler make a library of them, and loads it.
///
/// @param flags more for the compiler
/// @param cache where libraries are kept, so that no compiler runs the next time; empty to keep none
public record NativeBackend(CCompiler compiler, CTarget target, List<String> flags, Optional<PlanCache> cache) {
  private static final String FORMAT = "einfall library 1";

  /// @throws CompileException when this machine is not such a target
  public NativeBackend {
    target.needs().stream().filter(need -> !compiler.macros().contains(need)).findFirst().ifPresent(need -> {
      throw CompileException.of("code for the target " + target.name() + " does not run on this machine, for which " + compiler.command()
          + " does not define " + need + ": choose another target, or write C for other machines by emit --as c");
    });
    if (!target.tiles().isEmpty() && !TilePermission.request()) {
      throw CompileException.of("code for the target " + target.name() + " does not run here: the system does not let this process use registers for tiles");
    }
    flags = List.copyOf(flags);
  }

  /// The kernels, in order, in one library. It is loaded as long as one of them is in use.
  public List<CompiledKernel> compile(List<Kernel> kernels) {
    if (kernels.isEmpty()) {
      return List.of();
    }
    CFile file = CFile.ofKernels(kernels, target);
    SymbolLookup library = load(library(file.text()));
    return IntStream.range(0, kernels.size()).<CompiledKernel>mapToObj(i -> new NativeKernel(file.kernels().get(i), library)).toList();
  }

  /// What tells this compiler and its options from others.
  public String identity() {
    return compiler.command() + " " + compiler.version() + " " + String.join(" ", compiler.options(target, flags));
  }

  private byte[] library(String text) {
    List<String> key = List.of(FORMAT, "compiler " + identity(), "source " + TextDigest.of(text));
    Optional<byte[]> kept = cache.flatMap(directory -> directory.findLibrary(key));
    return kept.orElseGet(() -> {
      byte[] made = compiler.library(text, target, flags);
      cache.ifPresent(directory -> directory.keepLibrary(key, made));
      return made;
    });
  }

  /// A library needs a file of its own while it is opened: one that others could change meanwhile might end the JVM.
  @SuppressWarnings("restricted") // The library is what the C backend wrote.
  private static SymbolLookup load(byte[] library) {
    try {
      Path file = Files.createTempFile("einfall", ".so");
      try {
        Files.write(file, library);
        return SymbolLookup.libraryLookup(file, Arena.ofAuto());
      } finally {
        Files.deleteIfExists(file);
      }
    } catch (IOException e) {
      throw new InternalException("cannot load compiled C", e);
    }
  }
}
