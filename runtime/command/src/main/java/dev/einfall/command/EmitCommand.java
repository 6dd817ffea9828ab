package dev.einfall.command;

import dev.einfall.backends.c.CProgram;
import dev.einfall.backends.jvm.JvmBackend;
import dev.einfall.backends.jvm.JvmOptions;
import dev.einfall.command.explain.WaterlinePlot;
import dev.einfall.command.page.DotText;
import dev.einfall.command.page.HtmlPage;
import dev.einfall.command.page.PassReport;
import dev.einfall.frontend.EinProgram;
import dev.einfall.frontend.EinReader;
import dev.einfall.frontend.Imports;
import dev.einfall.ir.Source;
import dev.einfall.ir.cascade.Cascade;
import dev.einfall.ir.cascade.CascadePrinter;
import dev.einfall.ir.loop.Kernel;
import dev.einfall.ir.loop.KernelPlan;
import dev.einfall.ir.loop.LoopPrinter;
import dev.einfall.passes.Compute;
import dev.einfall.passes.Numerics;
import dev.einfall.passes.Pipeline;
import dev.einfall.passes.PipelineOptions;
import dev.einfall.passes.cascade.BindSizes;
import dev.einfall.runtime.Einfall;
import dev.einfall.runtime.Options;
import dev.einfall.runtime.ProgramJar;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.Optional;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.Callable;
import org.objectweb.asm.ClassReader;
import org.objectweb.asm.util.Textifier;
import org.objectweb.asm.util.TraceClassVisitor;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/// `einfall emit`: shows a program at one stage of its compilation.
@Command(name = "emit", mixinStandardHelpOptions = true,
    description = "Prints a program at a stage of its compilation, as a graph for Graphviz, or as a page for a browser; or compiles it to a jar.")
final class EmitCommand implements Callable<Integer> {

  /// A stage: the flat cascade, the kernels, the class files; a folder of C or of CUDA C++; or the cascade as a graph, or as a page about it; or a
  /// jar that runs it.
  enum Stage { CASCADE, LOOPS, BYTECODE, C, CUDA, DOT, HTML, JAR }

  @Spec
  private CommandSpec spec;

  @Parameters(paramLabel = "FILE", description = "The program, an .ein file.")
  private Path file;

  @Option(names = "--as", paramLabel = "STAGE", required = true, description = "${COMPLETION-CANDIDATES}.")
  private Stage stage;

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

  @Option(names = "--after-passes", description = "For CASCADE and DOT: the cascade as the passes leave it.")
  private boolean afterPasses;

  @Option(names = "--measure",
      description = "For HTML: run the program on the inputs given or random ones, and show where each kernel loses time against what the machine can do.")
  private boolean measure;

  @Option(names = "--class", paramLabel = "NAME",
      description = "For JAR: the qualified name of the class; from the names of the function and the file if not given.")
  private Optional<String> className = Optional.empty();

  @Option(names = "--weights", paramLabel = "FILE", description = "For C, CUDA and JAR: the weights, instead of those that the program names.")
  private Optional<String> weights = Optional.empty();

  @Option(names = {"-o", "--out"}, paramLabel = "PLACE", description = "Where to write it, instead of the standard output; for CUDA, and C with all that belongs to it, a folder.")
  private Optional<Path> output = Optional.empty();

  @Mixin
  private ToolchainOptions toolchain;

  @Mixin
  private COptions cOptions;

  private SortedMap<String, Long> sizes = new TreeMap<>();

  @Override
  public Integer call() {
    sizes = new TreeMap<>(inputOptions.sizes);
    if (stage != Stage.HTML && measure || !measure && !(inputOptions.in.isEmpty() && inputOptions.texts.isEmpty())) {
      throw new UserError(measure ? "--measure is for --as html" : "--in and --text are for --as html --measure: nothing runs otherwise");
    }
    if (stage == Stage.BYTECODE && toolchain.isGpu()) {
      throw new UserError("--as bytecode is for the JVM, and --target names a GPU: --as loops shows the kernels of one");
    }
    if (stage == Stage.C) {
      writeC();
      return 0;
    }
    if (stage == Stage.CUDA) {
      writeCuda();
      return 0;
    }
    Source source = Einfall.source(file);
    EinProgram program = EinReader.read(source, function, Imports.files());
    Set<String> needed = program.neededSizes();
    needed.removeAll(sizes.keySet());
    requireNumbers("the program", needed);
    Cascade cascade = program.cascade(sizes);
    switch (stage) {
      case CASCADE -> write(CascadePrinter.print(bound(cascade)));
      case LOOPS -> write(LoopPrinter.print(plan(cascade)));
      case BYTECODE -> write(bytecode(plan(cascade)));
      case C, CUDA -> throw new IllegalStateException(stage + " is written before the program is read here");
      case DOT -> write(DotText.of(bound(cascade)));
      case HTML -> write(HtmlPage.of(source, sizes, new BindSizes(sizes).apply(cascade, _ -> {}),
          open(cascade).isEmpty() ? Optional.of(passes(cascade)) : Optional.empty(), measured(cascade)));
      case JAR -> jar(cascade);
    }
    return 0;
  }

  /// Into a folder, or the source alone to the standard output.
  private void writeC() {
    Options options = languageOptions(Options.Backend.C);
    CProgram.Options form = cOptions.form(programName(), options);
    PrintWriter out = spec.commandLine().getOut();
    if (output.isPresent()) {
      Einfall.writeC(file, sizes, options, form, output.get()).forEach(out::println);
    } else {
      out.print(Einfall.inC(file, sizes, options, form).files().get(form.name() + ".c"));
    }
    out.flush();
  }

  private void writeCuda() {
    Path folder = output.orElseThrow(() -> new UserError("--as cuda writes several files: give a folder with -o DIR"));
    PrintWriter out = spec.commandLine().getOut();
    Einfall.writeCuda(file, sizes, languageOptions(Options.Backend.CUDA), cOptions.name(programName()), folder).forEach(out::println);
    out.flush();
  }

  private String programName() {
    return function.orElse(file.getFileName().toString().replaceFirst("\\.ein$", ""));
  }

  /// The options for a program in another language.
  private Options languageOptions(Options.Backend backend) {
    Options options = toolchain.applied(Options.defaults().withBackend(backend).withThreads(threads).withVectorBytes(vectorBytes)
        .withNumerics(numerics).withCompute(compute).withFunction(function));
    Places places = Places.of(spec.commandLine().getErr());
    return weights.map(place -> options.withWeights(places.weights(place, Path.of("")))).orElse(options)
        .withOpener(places::weights).withRemarks(_ -> {});
  }

  private Optional<String> measured(Cascade cascade) {
    if (!measure) {
      return Optional.empty();
    }
    requireSizes(cascade);
    Places places = Places.of(spec.commandLine().getErr());
    return Optional.of(WaterlinePlot.of(Measurement.of(file, runOptions(places), inputOptions, places, Optional.empty(), Optional.empty())));
  }

  private void jar(Cascade cascade) {
    requireSizes(cascade);
    Path jar = output.orElseThrow(() -> new UserError("--as jar needs a file to write: -o NAME.jar"));
    Places places = Places.of(spec.commandLine().getErr());
    try {
      String name = ProgramJar.write(file, runOptions(places), sizes, className, jar);
      PrintWriter out = spec.commandLine().getOut();
      out.printf("%s: class %s%n", jar, name);
      out.flush();
    } catch (IllegalArgumentException | UncheckedIOException e) {
      throw new UserError(e.getMessage());
    }
  }

  private Options runOptions(Places places) {
    if (threads < 1) {
      throw new UserError("--threads is " + threads + ": expected at least 1");
    }
    Options options = Options.defaults().withThreads(threads).withVectorBytes(vectorBytes).withNumerics(numerics).withCompute(compute).withFunction(function)
        .withOpener(places::weights).withRemarks(_ -> {});
    return weights.map(place -> options.withWeights(places.weights(place, Path.of("")))).orElse(options);
  }

  private void write(String text) {
    if (output.isEmpty()) {
      PrintWriter out = spec.commandLine().getOut();
      out.print(text);
      out.flush();
      return;
    }
    try {
      Files.writeString(output.get(), text);
    } catch (IOException e) {
      throw new UserError("cannot write " + output.get() + ": " + e);
    }
  }

  private Cascade bound(Cascade cascade) {
    if (!afterPasses) {
      return new BindSizes(sizes).apply(cascade, _ -> {});
    }
    requireSizes(cascade);
    return passes(cascade).result();
  }

  private PassReport passes(Cascade cascade) {
    return PassReport.of(cascade, new Pipeline(options(), _ -> {}, _ -> {}).cascadePasses(sizes));
  }

  private KernelPlan plan(Cascade cascade) {
    requireSizes(cascade);
    return new Pipeline(options(), _ -> {}, _ -> {}).compile(cascade, sizes);
  }

  /// The sizes that no number is given for.
  private Set<String> open(Cascade cascade) {
    Set<String> open = new TreeSet<>();
    cascade.inputs().forEach(tensor -> tensor.shape().forEach(size -> open.addAll(size.names())));
    cascade.weights().forEach(weight -> weight.tensor().shape().forEach(size -> open.addAll(size.names())));
    open.removeAll(sizes.keySet());
    return open;
  }

  private void requireSizes(Cascade cascade) {
    requireNumbers("code", open(cascade));
  }

  private static void requireNumbers(String what, Set<String> open) {
    if (!open.isEmpty()) {
      throw new UserError(what + " depends on sizes: give a number for each of " + open + ", such as --size "
          + open.iterator().next() + "=128");
    }
  }

  private PipelineOptions options() {
    return PipelineOptions.of(toolchain.target(vectorBytes, threads)).withNumerics(numerics).withCompute(compute);
  }

  private static String bytecode(KernelPlan plan) {
    StringWriter text = new StringWriter();
    PrintWriter out = new PrintWriter(text);
    Set<Kernel> kernels = Collections.newSetFromMap(new IdentityHashMap<>());
    JvmBackend backend = new JvmBackend(JvmOptions.ofThisJvm());
    plan.launches().stream().map(KernelPlan.Launch::kernel).filter(kernels::add).forEach(kernel ->
        new ClassReader(backend.classFile(kernel)).accept(new TraceClassVisitor(null, new Textifier(), out), 0));
    out.flush();
    return text.toString();
  }
}
