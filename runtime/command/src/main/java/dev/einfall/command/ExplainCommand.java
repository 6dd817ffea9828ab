package dev.einfall.command;

import dev.einfall.command.explain.Explanation;
import dev.einfall.command.explain.Limits;
import dev.einfall.frontend.EinProgram;
import dev.einfall.frontend.EinReader;
import dev.einfall.frontend.Imports;
import dev.einfall.passes.Compute;
import dev.einfall.passes.Numerics;
import dev.einfall.passes.PipelineOptions;
import dev.einfall.passes.Target;
import dev.einfall.runtime.Einfall;
import dev.einfall.runtime.Options;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/// `einfall explain`: says what a program costs, what the compiler makes of it, and why.
@Command(name = "explain", mixinStandardHelpOptions = true,
    description = "Prints the passes that a program takes over its tensors, and why; what it computes and moves; its kernels and their loops;"
        + " its memory; and what the compiler declined to do."
        + " Without a number for each size, only the passes as written are shown.")
final class ExplainCommand implements Callable<Integer> {
  @Spec
  private CommandSpec spec;

  @Parameters(paramLabel = "FILE", description = "The program, an .ein file.")
  private Path file;

  @Mixin
  private InputOptions inputOptions;

  @Option(names = "--function", paramLabel = "NAME", description = "The function; `main` or the last one if not given.")
  private Optional<String> function = Optional.empty();

  @Option(names = "--threads", paramLabel = "N", description = "How many threads the code is for; all cores if not given.")
  private int threads = Runtime.getRuntime().availableProcessors();

  @Option(names = "--vector-bytes", paramLabel = "N",
      description = "The width of vectors; 4 for none, 0 for this machine. With a width, code is for a common machine.")
  private int vectorBytes;

  @Option(names = "--numerics", paramLabel = "CONTRACT",
      description = "How far results may be from the order and the roundings of the source: ${COMPLETION-CANDIDATES}.")
  private Numerics numerics = Numerics.REASSOCIATE;

  @Option(names = "--compute", paramLabel = "TYPE",
      description = "What the factors of products with weights are rounded to, with i8 where they meet weights of few bits: ${COMPLETION-CANDIDATES}.")
  private Compute compute = Compute.F32;

  @Option(names = "--fuse", paramLabel = "A,B", split = ",",
      description = "Answer whether these two tensors can be computed in one loop, and if not, why.")
  private List<String> fuse = new ArrayList<>();

  @Option(names = "--error",
      description = "Instead, run the program under each contract, and without each pass that needs one, for the inputs given or random"
          + " ones, and show how far the results are from double precision.")
  private boolean error;

  @Option(names = "--measure",
      description = "Instead, run the program on the inputs given or random ones, and show for each kernel what it takes beside what the"
          + " machine takes for its work at least, the kernel that loses most time first. What the machine can do is measured if not given."
          + " With --compute, also how far the results are from those in f32.")
  private boolean measure;

  @Option(names = "--backend", paramLabel = "NAME", description = "For --measure: what runs it: ${COMPLETION-CANDIDATES}.")
  private Options.Backend backend = Options.Backend.AUTO;

  @Mixin
  private ToolchainOptions toolchain;

  @Option(names = "--all", description = "Show the tensors that are read in one pass, too.")
  private boolean all;

  @Option(names = "--peak", paramLabel = "GFLOPS", description = "The operations on f32 that the machine can do, in 10^9 a second.")
  private Optional<Double> peak = Optional.empty();

  @Option(names = "--bandwidth", paramLabel = "GB", description = "What the machine reads from memory, in 10^9 bytes a second.")
  private Optional<Double> bandwidth = Optional.empty();

  @Override
  public Integer call() {
    if (backend != Options.Backend.AUTO && !measure) {
      throw new UserError("--backend is for --measure: nothing runs otherwise");
    }
    PrintWriter out = spec.commandLine().getOut();
    out.print(error ? errors() : measure ? measurement() : explanation());
    out.flush();
    return 0;
  }

  private String errors() {
    Places places = Places.of(spec.commandLine().getErr());
    return Errors.report(file, options(places), inputOptions, places).text();
  }

  private String measurement() {
    Places places = Places.of(spec.commandLine().getErr());
    Options options = toolchain.applied(options(places)).withBackend(backend).withNumerics(numerics).withCompute(compute);
    String measured = Measurement.of(file, options, inputOptions, places, peak, bandwidth).text();
    return compute == Compute.F32 ? measured : measured + "\n" + Errors.ofRounding(file, options.withWarmUp(false), inputOptions, places).text();
  }

  private Options options(Places places) {
    requireThreads();
    return Options.defaults().withThreads(threads).withVectorBytes(vectorBytes).withFunction(function)
        .withOpener(places::weights).withRemarks(_ -> {});
  }

  private String explanation() {
    SortedMap<String, Long> sizes = new TreeMap<>(inputOptions.sizes);
    EinProgram program = EinReader.read(Einfall.source(file), function, Imports.files());
    Set<String> needed = program.neededSizes();
    needed.removeAll(sizes.keySet());
    if (!needed.isEmpty()) {
      throw new UserError("the program depends on sizes: give a number for each of " + needed + ", such as --size "
          + needed.iterator().next() + "=128");
    }
    Target target = target();
    Explanation explanation = new Explanation(program.cascade(sizes), sizes, PipelineOptions.of(target).withNumerics(numerics).withCompute(compute),
        Limits.of(target, peak, bandwidth), all);
    return fuse.isEmpty() ? explanation.text() : explanation.fusion(pair(explanation));
  }

  private List<String> pair(Explanation explanation) {
    if (fuse.size() != 2) {
      throw new UserError("--fuse " + String.join(",", fuse) + ": expected two tensors, such as --fuse S,Z");
    }
    for (String name : fuse) {
      explanation.whyNotDefined(name).ifPresent(problem -> {
        throw new UserError("--fuse " + String.join(",", fuse) + ": " + problem);
      });
    }
    return fuse;
  }

  private void requireThreads() {
    if (threads < 1) {
      throw new UserError("--threads is " + threads + ": expected at least 1");
    }
  }

  private Target target() {
    requireThreads();
    return toolchain.target(vectorBytes, threads);
  }
}
