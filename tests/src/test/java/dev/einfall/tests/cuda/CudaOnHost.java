package dev.einfall.tests.cuda;

import dev.einfall.backends.reference.Array;
import dev.einfall.ir.loop.Buffer;
import dev.einfall.ir.loop.KernelPlan;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;

/// CUDA C++ compiled for this machine by a C++ compiler, with the `cuda_runtime.h` of the tests in the place of CUDA's: the threads of a block run
/// in turn, each until it waits for the others.
@SuppressWarnings("restricted")
public final class CudaOnHost implements AutoCloseable {
  private static final Path SHIM = Path.of("src", "test", "resources", "cuda");

  private final Arena arena = Arena.ofShared();
  private final SymbolLookup symbols;

  private CudaOnHost(Path library) {
    this.symbols = SymbolLookup.libraryLookup(library, arena);
  }

  /// Whether there is a compiler for it; says on the standard output if not.
  public static boolean isPossible() {
    return Compiler.isThere("g++");
  }

  /// @param source the file that includes all programs
  public static CudaOnHost compile(Path source) throws IOException {
    return compile(source, 227 << 10);
  }

  /// @param sharedBytes the most that the threads of a block may share
  static CudaOnHost compile(Path source, int sharedBytes) throws IOException {
    Path library = Files.createTempFile("einfall", ".so");
    Compiler.run(command(List.of("-DSHARED_BYTES=" + sharedBytes, "-shared", "-fPIC", "-o", library.toString(), source.toString())));
    return new CudaOnHost(library);
  }

  /// The command that compiles CUDA C++ for this machine, with `more` at its end. To optimize takes longer than what it saves: programs run twice.
  static List<String> command(List<String> more) {
    return Stream.concat(Stream.of("g++", "-x", "c++", "-std=c++17", "-O0", "-ffp-contract=off", "-Wall", "-Wextra", "-Werror", "-Wno-unused-function",
        "-Wno-unused-parameter", "-Wno-unknown-pragmas", "-Wno-maybe-uninitialized", "-Wno-tautological-compare", "-I", SHIM.toAbsolutePath().toString()), more.stream()).toList();
  }

  /// The outputs of the program `name` for `inputs`, both in the order of the plan. One at a time: there is one block, and its threads.
  ///
  /// @throws IllegalStateException with the program's own message
  public synchronized List<Array> run(String name, KernelPlan plan, List<Array> inputs) {
    try (Arena memory = Arena.ofConfined()) {
      MemorySegment made = memory.allocate(ValueLayout.ADDRESS);
      check(call(name + "_create", List.of(made)));
      MemorySegment program = made.get(ValueLayout.ADDRESS, 0);
      List<MemorySegment> arguments = new ArrayList<>(List.of(program));
      inputs.forEach(input -> arguments.add(written(input, memory)));
      List<Buffer> outputs = plan.outputs().stream().map(KernelPlan.Output::buffer).toList();
      List<MemorySegment> results = outputs.stream().map(buffer -> memory.allocate(Math.max(8, buffer.bytes()), 64)).toList();
      arguments.addAll(results);
      try {
        // Twice: what the first run left behind must not be needed.
        check(call(name + "_run", arguments));
        results.forEach(result -> result.fill((byte) -1));
        check(call(name + "_run", arguments));
      } finally {
        destroy(name + "_destroy", program);
      }
      List<Array> arrays = new ArrayList<>();
      for (int i = 0; i < outputs.size(); i++) {
        arrays.add(Array.read(outputs.get(i).type(), results.get(i), outputs.get(i).extents().stream().mapToInt(Integer::intValue).toArray()));
      }
      return arrays;
    }
  }

  private static MemorySegment written(Array array, Arena memory) {
    MemorySegment segment = memory.allocate(Math.max(8, (long) array.elements() * array.type().bytes()), 64);
    array.write(segment);
    return segment;
  }

  private static void check(MemorySegment message) {
    if (message.address() != 0) {
      throw new IllegalStateException(message.reinterpret(Long.MAX_VALUE).getString(0));
    }
  }

  private MemorySegment call(String function, List<MemorySegment> arguments) {
    FunctionDescriptor descriptor = FunctionDescriptor.of(ValueLayout.ADDRESS,
        Stream.generate(() -> ValueLayout.ADDRESS).limit(arguments.size()).toArray(ValueLayout[]::new));
    return (MemorySegment) invoke(function, descriptor, arguments);
  }

  private void destroy(String function, MemorySegment program) {
    invoke(function, FunctionDescriptor.ofVoid(ValueLayout.ADDRESS), List.of(program));
  }

  private Object invoke(String function, FunctionDescriptor descriptor, List<MemorySegment> arguments) {
    try {
      return Linker.nativeLinker().downcallHandle(symbols.findOrThrow(function), descriptor).invokeWithArguments(arguments);
    } catch (Throwable e) {
      throw new IllegalStateException(function, e);
    }
  }

  @Override
  public void close() {
    arena.close();
  }
}
