package dev.einfall.runtime.nativecode;

import dev.einfall.backends.CompiledKernel;
import dev.einfall.backends.c.CFile;
import dev.einfall.backends.c.CTarget;
import dev.einfall.ir.CompileException;
import dev.einfall.ir.InternalException;
import dev.einfall.ir.loop.Kernel;
import dev.einfall.runtime.plans.PlanCache;
import dev.einfall.runtime.plans.StoredCode;
import dev.einfall.runtime.tuning.TextDigest;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.SymbolLookup;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

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
    if (!target.tiles().isEmpty() && !TilePermission.request(compiler.macros())) {
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
    List<String> key = key(file.text());
    SymbolLookup library = load(library(key, file.text()));
    return file.kernels().stream().<CompiledKernel>map(kernel -> new NativeKernel(kernel, key, library)).toList();
  }

  /// The kernels that were compiled before, in order; empty if a library of them is not kept any more.
  public Optional<List<CompiledKernel>> load(List<StoredCode.Native> kernels) {
    Map<List<String>, SymbolLookup> libraries = new HashMap<>();
    List<CompiledKernel> loaded = new ArrayList<>();
    for (StoredCode.Native kernel : kernels) {
      if (!libraries.containsKey(kernel.library())) {
        Optional<byte[]> kept = cache.flatMap(directory -> directory.findLibrary(kernel.library()));
        if (kept.isEmpty()) {
          return Optional.empty();
        }
        libraries.put(kernel.library(), load(kept.get()));
      }
      loaded.add(new NativeKernel(kernel.function(), kernel.library(), libraries.get(kernel.library())));
    }
    return Optional.of(loaded);
  }

  /// What must be kept of a kernel that such a backend has compiled or loaded, besides its library.
  public static StoredCode stored(CompiledKernel kernel) {
    return ((NativeKernel) kernel).stored();
  }

  /// What tells this compiler and its options from others.
  public String identity() {
    return compiler.command() + " " + compiler.version() + " " + target.name() + " " + String.join(" ", compiler.options(target, flags));
  }

  private List<String> key(String text) {
    return List.of(FORMAT, "compiler " + identity(), "source " + TextDigest.of(text));
  }

  private byte[] library(List<String> key, String text) {
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
