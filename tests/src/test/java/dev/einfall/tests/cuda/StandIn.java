package dev.einfall.tests.cuda;

import dev.einfall.runtime.Options;
import dev.einfall.runtime.device.CudaTools;
import dev.einfall.runtime.nativecode.Toolchain;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.SymbolLookup;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;

/// A driver of CUDA whose device is this machine's processor, and a compiler for it.
final class StandIn {
  private static final Path SOURCES = Path.of("src", "test", "resources", "cuda");
  private static final List<String> FILES = List.of("nvcc", "adapter.h", "cuda_runtime.h", "cuda_pipeline.h", "ptx.h");

  private final Path folder;
  private final Path driver;
  private final SymbolLookup symbols;

  @SuppressWarnings("restricted") // The library is the one that was just made.
  private StandIn(Path folder, Path driver) {
    this.folder = folder;
    this.driver = driver;
    this.symbols = SymbolLookup.libraryLookup(driver, Arena.global());
  }

  /// Makes one in `folder`, which is new or empty.
  ///
  /// @param definitions what differs from a usual driver when it is compiled
  static StandIn in(Path folder, String... definitions) throws IOException {
    Files.createDirectories(folder);
    for (String file : FILES) {
      Files.copy(SOURCES.resolve(file), folder.resolve(file), StandardCopyOption.COPY_ATTRIBUTES);
    }
    Path driver = folder.resolve("driver.so");
    List<String> command = new ArrayList<>(List.of("g++", "-std=c++17", "-Wall", "-Wextra", "-Werror", "-shared", "-fPIC", "-o", driver.toString()));
    for (String definition : definitions) {
      command.add("-D" + definition);
    }
    command.add(SOURCES.resolve("driver.cpp").toString());
    Compiler.run(command);
    return new StandIn(folder, driver);
  }

  /// Another one in `folder`, which is new, with a driver of its own.
  StandIn copy(Path copied) throws IOException {
    Files.createDirectories(copied);
    try (Stream<Path> files = Files.list(folder)) {
      for (Path file : files.toList()) {
        Files.copy(file, copied.resolve(file.getFileName()), StandardCopyOption.COPY_ATTRIBUTES);
      }
    }
    return new StandIn(copied, copied.resolve(driver.getFileName()));
  }

  /// The headers in a form that takes less time to read, for who compiles many programs.
  StandIn withReadHeaders() throws IOException {
    Path header = folder.resolve("cuda_runtime.h");
    Compiler.run(List.of("g++", "-x", "c++-header", "-std=c++17", "-ffp-contract=off", "-fPIC", "-o", header + ".gch", header.toString()));
    return this;
  }

  CudaTools tools() {
    return CudaTools.usual().withDriver(driver.toString()).withNvcc(folder.resolve("nvcc").toString());
  }

  Options options() {
    return Options.defaults().withBackend(Options.Backend.CUDA).withToolchain(Toolchain.usual().withCuda(tools()));
  }

  /// How a driver may differ from a usual one.
  enum Setting { VERSION, DEVICES, CAPABILITY, MEMORY, REFUSES_LAUNCH, FAILS_RUN }

  /// Makes it such a driver.
  StandIn with(Setting setting, long value) {
    call("stand_in_set", FunctionDescriptor.of(ValueLayout.JAVA_INT, ValueLayout.JAVA_INT, ValueLayout.JAVA_LONG), setting.ordinal(), value);
    return this;
  }

  /// How often the compiler ran.
  long compilations() throws IOException {
    Path calls = folder.resolve("calls");
    return Files.exists(calls) ? Files.readAllLines(calls).size() : 0;
  }

  /// How many things of the driver nobody has freed.
  int left() {
    return call("stand_in_left", FunctionDescriptor.of(ValueLayout.JAVA_INT));
  }

  int copiesToDevice() {
    return count(0);
  }

  int copiesToHost() {
    return count(1);
  }

  int graphLaunches() {
    return count(2);
  }

  private int count(int what) {
    return call("stand_in_count", FunctionDescriptor.of(ValueLayout.JAVA_INT, ValueLayout.JAVA_INT), what);
  }

  @SuppressWarnings("restricted") // The functions are those of the library that was just made.
  private int call(String function, FunctionDescriptor type, Object... arguments) {
    try {
      return (int) Linker.nativeLinker().downcallHandle(symbols.findOrThrow(function), type).invokeWithArguments(arguments);
    } catch (Throwable e) {
      throw new IllegalStateException(function, e);
    }
  }
}
