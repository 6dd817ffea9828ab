package dev.einfall.command;

import dev.einfall.ir.Diagnostic;
import dev.einfall.ir.loop.Kernel;
import dev.einfall.passes.Compute;
import dev.einfall.passes.Numerics;
import dev.einfall.passes.Speeds;
import dev.einfall.passes.Step;
import dev.einfall.runtime.MachineSpeeds;
import dev.einfall.runtime.Options;
import java.io.PrintWriter;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.function.ObjLongConsumer;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/// The options of commands that compile a program to run it.
final class ProgramOptions {
  @Parameters(paramLabel = "FILE", description = "The program, an .ein file.")
  Path file;

  @Option(names = "--weights", paramLabel = "FILE",
      description = "The weights, instead of those that the program names: .onnx, .safetensors, .gguf or"
          + " maven:GROUP:ARTIFACT:VERSION!PATH.")
  Optional<String> weights = Optional.empty();

  @Option(names = "--backend", paramLabel = "NAME", description = "What runs it: ${COMPLETION-CANDIDATES}.")
  Options.Backend backend = Options.Backend.AUTO;

  @Mixin
  ToolchainOptions toolchain;

  @Option(names = "--threads", paramLabel = "N", description = "How many threads share a run; all cores if not given.")
  int threads = Runtime.getRuntime().availableProcessors();

  @Option(names = "--vector-bytes", paramLabel = "N", description = "The width of vectors; 4 for none, 0 for the machine's.")
  int vectorBytes;

  @Option(names = "--numerics", paramLabel = "CONTRACT",
      description = "How far results may be from the order and the roundings of the source: ${COMPLETION-CANDIDATES}.")
  Numerics numerics = Numerics.REASSOCIATE;

  @Option(names = "--compute", paramLabel = "TYPE",
      description = "What the factors of products with weights are rounded to, with i8 where they meet weights of few bits: ${COMPLETION-CANDIDATES}.")
  Compute compute = Compute.F32;

  @Option(names = "--function", paramLabel = "NAME", description = "The function; `main` or the last one if not given.")
  Optional<String> function = Optional.empty();

  @Option(names = "--remarks", description = "Print what the compiler decided.")
  boolean remarks;

  @Option(names = "--tuning", paramLabel = "DIR",
      description = "Where `tune` records what was measured, and where others look for it; `none` to do without,"
          + " the user's cache folder if not given.")
  Optional<String> tuning = Optional.empty();

  @Option(names = "--cache", paramLabel = "DIR",
      description = "Where compiled programs are kept for the next time; `none` to keep none. If not given, `run` takes the user's cache folder, and"
          + " others compile anew.")
  Optional<String> cache = Optional.empty();

  @Option(names = "--calibrated",
      description = "Let the cost model take this machine for what small kernels reach on it, which is measured at first use and kept where"
          + " `tune` records; without, it is taken for a common one.")
  boolean calibrated;

  /// Whether compiled programs are kept where the user's cache is if no place is given; no option of the command line.
  boolean keeps;

  /// Is told how long each kernel takes; no option of the command line.
  Optional<ObjLongConsumer<Kernel>> launches = Optional.empty();

  /// Is told what each pass did; no option of the command line.
  Consumer<Step> steps = _ -> {};

  /// The options for the library. Remarks go to `err`.
  Options options(Places places, PrintWriter err) {
    if (threads < 1) {
      throw new UserError("--threads is " + threads + ": expected at least 1");
    }
    Options plain = toolchain.applied(Options.defaults()).withBackend(backend).withThreads(threads).withVectorBytes(vectorBytes)
        .withNumerics(numerics).withCompute(compute).withFunction(function).withOpener(places::weights)
        .withRemarks(diagnostic -> print(diagnostic, err)).withSteps(steps)
        .withTuning(place(tuning, true, "tuning", places)).withCache(place(cache, keeps, "plans", places));
    Options timed = launches.map(plain::withLaunches).orElse(plain);
    Options options = calibrated ? timed.withSpeeds(Optional.of(speeds(timed))) : timed;
    return weights.map(place -> options.withWeights(places.weights(place, Path.of("")))).orElse(options);
  }

  private static Speeds speeds(Options options) {
    Path directory = options.tuning().orElseThrow(() -> new UserError("--calibrated needs a place for what is measured, and --tuning is none"));
    try {
      return MachineSpeeds.of(directory, options);
    } catch (IllegalArgumentException | UncheckedIOException e) {
      throw new UserError("--calibrated: " + e.getMessage());
    }
  }

  /// @param given the option
  /// @param isUsual whether it is a folder of the user's cache if it is not given
  private static Optional<Path> place(Optional<String> given, boolean isUsual, String folder, Places places) {
    Optional<Path> usual = isUsual ? Optional.of(places.maven().cache().resolve(folder)) : Optional.empty();
    return given.isEmpty() ? usual : given.filter(place -> !place.equals("none")).map(Path::of);
  }

  private void print(Diagnostic diagnostic, PrintWriter err) {
    if (remarks || diagnostic.severity() != Diagnostic.Severity.REMARK) {
      err.print(diagnostic.render());
      err.flush();
    }
  }
}
