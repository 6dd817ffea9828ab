package dev.einfall.runtime;

import dev.einfall.frontend.weights.WeightsFile;
import dev.einfall.ir.CompileException;
import dev.einfall.ir.Diagnostic;
import dev.einfall.ir.loop.Kernel;
import dev.einfall.passes.Compute;
import dev.einfall.passes.Decisions;
import dev.einfall.passes.Numerics;
import dev.einfall.passes.Speeds;
import dev.einfall.passes.Step;
import dev.einfall.runtime.nativecode.Toolchain;
import java.nio.file.Path;
import java.util.Optional;
import java.util.Set;
import java.util.function.Consumer;
import java.util.function.ObjLongConsumer;

/// How a program is compiled and run. Begin with [#defaults] and change what matters.
///
/// @param backend what runs the program
/// @param threads how many threads share the work of a run; the results do not depend on it
/// @param vectorBytes the width of vectors in bytes; 0 for the width that this machine prefers, 4 for no vectors
/// @param numerics how far results may be from the order and the roundings of the source
/// @param without the names of passes to leave out, to measure what they are worth: such as do nothing but make programs faster
/// @param decisions how passes choose among alternatives, and who hears of it
/// @param weights the weights; empty to open what the program names. Given ones may be closed while the program lives.
/// @param opener opens the weights that a program names
/// @param function the function to compile; empty for `main`, or the last one
/// @param warmUp whether compiling ends only when the code runs at full speed
/// @param checkPromises whether reductions that the program defines are tried on random values, and refused where they break
///     what they promise
/// @param specializations for how many assignments of sizes compiled code is kept
/// @param remarks is told what the compiler decided, from the thread that compiles
/// @param steps is told what each pass did
/// @param launches is told how long each kernel of a run took, in nanoseconds; empty to measure nothing
/// @param tuning the directory of the records of what was measured, which choices then follow; empty for choices by cost alone
/// @param cache the directory where compiled programs are kept for the next time; empty to keep none
/// @param speeds what a core can do, such as [MachineSpeeds] finds out; empty for the usual
/// @param toolchain how the backends `C` and `CUDA` make machine code
/// @param compute what the factors of products with weights are rounded to, or what is looked up for them
public record Options(
    Backend backend,
    int threads,
    int vectorBytes,
    Numerics numerics,
    Set<String> without,
    Decisions decisions,
    Optional<WeightsFile> weights,
    WeightsOpener opener,
    Optional<String> function,
    boolean warmUp,
    boolean checkPromises,
    int specializations,
    Consumer<Diagnostic> remarks,
    Consumer<Step> steps,
    Optional<ObjLongConsumer<Kernel>> launches,
    Optional<Path> tuning,
    Optional<Path> cache,
    Optional<Speeds> speeds,
    Toolchain toolchain,
    Compute compute) {

  /// What runs a program: bytecode made at run time, machine code that the C compiler of this machine makes, a GPU of NVIDIA for which CUDA's compiler
  /// makes machine code, or an interpreter in double precision that is slow and obviously right. `AUTO` is bytecode, which needs nothing but the JVM,
  /// unless the options name a toolchain for C that is there.
  ///
  /// `CUDA` needs the driver's library and `nvcc`, calls the driver by Java's foreign functions, and gives tensors that stay on the device until their
  /// data is asked for. Threads, vectors, warming up and measured choices mean nothing to it.
  public enum Backend { AUTO, JVM, C, CUDA, REFERENCE }

  /// Opens the weights file at `place`, which a program in `directory` names.
  public interface WeightsOpener {
    WeightsFile open(String place, Path directory);
  }

  public Options {
    without = Set.copyOf(without);
    if (threads < 1 || specializations < 1 || vectorBytes < 0) {
      throw new IllegalArgumentException("threads and specializations are at least 1, vectorBytes at least 0");
    }
  }

  /// All cores and vectors of this machine, warmed up, the program's own weights, and warnings to the system's logger.
  public static Options defaults() {
    return new Options(Backend.AUTO, Runtime.getRuntime().availableProcessors(), 0, Numerics.REASSOCIATE, Set.of(),
        Decisions.byCost(), Optional.empty(), Options::open, Optional.empty(), true, false, 32, Options::log, _ -> {}, Optional.empty(), Optional.empty(),
        Optional.empty(), Optional.empty(), Toolchain.usual(), Compute.F32);
  }

  private static WeightsFile open(String place, Path directory) {
    return WeightsFile.open(directory.resolve(place)).orElseThrow(() -> CompileException.of("cannot open the weights " + place
        + ": only .safetensors and .gguf files are opened here; open the file and give it in the options"));
  }

  private static void log(Diagnostic diagnostic) {
    System.Logger.Level level = switch (diagnostic.severity()) {
      case ERROR, WARNING -> System.Logger.Level.WARNING;
      case REMARK -> System.Logger.Level.DEBUG;
    };
    System.getLogger("dev.einfall").log(level, diagnostic::render);
  }

  public Options withBackend(Backend newBackend) {
    return new Options(newBackend, threads, vectorBytes, numerics, without, decisions, weights, opener, function, warmUp,
        checkPromises, specializations, remarks, steps, launches, tuning, cache, speeds, toolchain, compute);
  }

  public Options withThreads(int newThreads) {
    return new Options(backend, newThreads, vectorBytes, numerics, without, decisions, weights, opener, function, warmUp,
        checkPromises, specializations, remarks, steps, launches, tuning, cache, speeds, toolchain, compute);
  }

  public Options withVectorBytes(int newBytes) {
    return new Options(backend, threads, newBytes, numerics, without, decisions, weights, opener, function, warmUp,
        checkPromises, specializations, remarks, steps, launches, tuning, cache, speeds, toolchain, compute);
  }

  public Options withNumerics(Numerics newNumerics) {
    return new Options(backend, threads, vectorBytes, newNumerics, without, decisions, weights, opener, function, warmUp,
        checkPromises, specializations, remarks, steps, launches, tuning, cache, speeds, toolchain, compute);
  }

  public Options without(Set<String> newPasses) {
    return new Options(backend, threads, vectorBytes, numerics, newPasses, decisions, weights, opener, function, warmUp,
        checkPromises, specializations, remarks, steps, launches, tuning, cache, speeds, toolchain, compute);
  }

  public Options withDecisions(Decisions newDecisions) {
    return new Options(backend, threads, vectorBytes, numerics, without, newDecisions, weights, opener, function, warmUp,
        checkPromises, specializations, remarks, steps, launches, tuning, cache, speeds, toolchain, compute);
  }

  public Options withWeights(WeightsFile newWeights) {
    return new Options(backend, threads, vectorBytes, numerics, without, decisions, Optional.of(newWeights), opener, function, warmUp, checkPromises,
        specializations, remarks, steps, launches, tuning, cache, speeds, toolchain, compute);
  }

  /// With the weights that the program names.
  public Options withoutWeights() {
    return new Options(backend, threads, vectorBytes, numerics, without, decisions, Optional.empty(), opener, function, warmUp, checkPromises,
        specializations, remarks, steps, launches, tuning, cache, speeds, toolchain, compute);
  }

  public Options withOpener(WeightsOpener newOpener) {
    return new Options(backend, threads, vectorBytes, numerics, without, decisions, weights, newOpener, function, warmUp,
        checkPromises, specializations, remarks, steps, launches, tuning, cache, speeds, toolchain, compute);
  }

  public Options withFunction(Optional<String> newFunction) {
    return new Options(backend, threads, vectorBytes, numerics, without, decisions, weights, opener, newFunction, warmUp,
        checkPromises, specializations, remarks, steps, launches, tuning, cache, speeds, toolchain, compute);
  }

  public Options withWarmUp(boolean newWarmUp) {
    return new Options(backend, threads, vectorBytes, numerics, without, decisions, weights, opener, function, newWarmUp,
        checkPromises, specializations, remarks, steps, launches, tuning, cache, speeds, toolchain, compute);
  }

  public Options withCheckPromises(boolean newCheck) {
    return new Options(backend, threads, vectorBytes, numerics, without, decisions, weights, opener, function, warmUp, newCheck, specializations,
        remarks, steps, launches, tuning, cache, speeds, toolchain, compute);
  }

  public Options withSpecializations(int newNumber) {
    return new Options(backend, threads, vectorBytes, numerics, without, decisions, weights, opener, function, warmUp,
        checkPromises, newNumber, remarks, steps, launches, tuning, cache, speeds, toolchain, compute);
  }

  public Options withRemarks(Consumer<Diagnostic> newRemarks) {
    return new Options(backend, threads, vectorBytes, numerics, without, decisions, weights, opener, function, warmUp,
        checkPromises, specializations, newRemarks, steps, launches, tuning, cache, speeds, toolchain, compute);
  }

  public Options withSteps(Consumer<Step> newSteps) {
    return new Options(backend, threads, vectorBytes, numerics, without, decisions, weights, opener, function, warmUp,
        checkPromises, specializations, remarks, newSteps, launches, tuning, cache, speeds, toolchain, compute);
  }

  public Options withLaunches(ObjLongConsumer<Kernel> newLaunches) {
    return new Options(backend, threads, vectorBytes, numerics, without, decisions, weights, opener, function, warmUp,
        checkPromises, specializations, remarks, steps, Optional.of(newLaunches), tuning, cache, speeds, toolchain, compute);
  }

  /// With the records in `directory`, which [Einfall#tune] makes; there need not be any yet.
  public Options withTuning(Optional<Path> directory) {
    return new Options(backend, threads, vectorBytes, numerics, without, decisions, weights, opener, function, warmUp,
        checkPromises, specializations, remarks, steps, launches, directory, cache, speeds, toolchain, compute);
  }

  /// With compiled programs kept in `directory`, which need not be there yet and takes up to 256 MB: what was compiled before, by this build
  /// of the compiler with equal options for such a processor, is loaded. It holds code: nobody else may write to it.
  public Options withCache(Optional<Path> directory) {
    return new Options(backend, threads, vectorBytes, numerics, without, decisions, weights, opener, function, warmUp,
        checkPromises, specializations, remarks, steps, launches, tuning, directory, speeds, toolchain, compute);
  }

  public Options withSpeeds(Optional<Speeds> newSpeeds) {
    return new Options(backend, threads, vectorBytes, numerics, without, decisions, weights, opener, function, warmUp,
        checkPromises, specializations, remarks, steps, launches, tuning, cache, newSpeeds, toolchain, compute);
  }

  public Options withToolchain(Toolchain newToolchain) {
    return new Options(backend, threads, vectorBytes, numerics, without, decisions, weights, opener, function, warmUp,
        checkPromises, specializations, remarks, steps, launches, tuning, cache, speeds, newToolchain, compute);
  }

  /// With the factors of products with weights rounded so.
  public Options withCompute(Compute newCompute) {
    return new Options(backend, threads, vectorBytes, numerics, without, decisions, weights, opener, function, warmUp,
        checkPromises, specializations, remarks, steps, launches, tuning, cache, speeds, toolchain, newCompute);
  }
}
