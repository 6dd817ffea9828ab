package dev.einfall.runtime;

import dev.einfall.backends.c.CProgram;
import dev.einfall.backends.c.CTarget;
import dev.einfall.backends.cuda.CudaTargets;
import dev.einfall.backends.reference.Promises;
import dev.einfall.frontend.EinProgram;
import dev.einfall.frontend.EinReader;
import dev.einfall.frontend.Imports;
import dev.einfall.frontend.weights.WeightsFile;
import dev.einfall.ir.CompileException;
import dev.einfall.ir.Diagnostic;
import dev.einfall.ir.Source;
import dev.einfall.ir.Span;
import dev.einfall.ir.cascade.Cascade;
import dev.einfall.ir.loop.KernelPlan;
import dev.einfall.passes.Pipeline;
import dev.einfall.passes.PipelineOptions;
import dev.einfall.passes.Target;
import dev.einfall.passes.cascade.BindSizes;
import dev.einfall.runtime.device.CudaBackend;
import dev.einfall.runtime.launch.WorkerPool;
import dev.einfall.runtime.nativecode.CTargets;
import dev.einfall.runtime.plans.Outline;
import dev.einfall.runtime.plans.PlanCache;
import dev.einfall.runtime.plans.ProgramIdentity;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeSet;
import java.util.function.BiFunction;
import java.util.function.Function;

/// Compiles programs.
///
/// ```java
/// try (Program program = Einfall.compile(Path.of("softmax.ein"), Options.defaults());
///     Tensor x = Tensor.of(new float[] {1, 2, 3}, 1, 3);
///     Tensor y = program.run(Map.of("X", x)).get("Y")) {
///   System.out.println(Arrays.toString(y.floats()));
/// }
/// ```
public final class Einfall {
  private Einfall() {}

  /// Compiles the program in the file `file`.
  ///
  /// @throws CompileException when the file cannot be read, the program is wrong, or its weights are
  public static Program compile(Path file, Options options) {
    return compile(source(file), directory(file), Imports.files(), options);
  }

  /// Compiles the program in `source`, which imports the standard library only. File names in it are relative to the
  /// working directory.
  ///
  /// @throws CompileException when the program is wrong, or its weights are
  public static Program compile(Source source, Options options) {
    return compile(source, Path.of(""), Imports.none(), options);
  }

  /// The text of `file`.
  ///
  /// @throws CompileException when it cannot be read
  public static Source source(Path file) {
    try {
      return new Source(file.toString(), Files.readString(file));
    } catch (NoSuchFileException _) {
      throw CompileException.of("cannot read " + file + ": there is no such file");
    } catch (IOException e) {
      throw CompileException.of("cannot read " + file + ": " + e.getMessage());
    }
  }

  /// What the passes take the machine for when `options` are used: this one, or a common one of the kind that they name.
  public static Target target(Options options) {
    return Destination.of(options).target();
  }

  /// What the passes are told when `options` are used.
  public static PipelineOptions pipelineOptions(Options options) {
    return Destination.of(options).pipelineOptions();
  }

  private static Program compile(Source source, Path directory, Imports imports, Options given) {
    Destination destination = Destination.of(given);
    return with(source, directory, imports, destination.options(), parts -> {
      Program program = program(parts, destination);
      boolean isKnown = parts.known.sizes().keySet().containsAll(parts.inputSizes);
      if (isKnown) {
        prepare(program, parts.known.sizes());
      }
      return program;
    });
  }

  private static void prepare(Program program, SortedMap<String, Long> sizes) {
    try {
      program.prepare(sizes);
    } catch (RuntimeException | Error e) {
      program.close();
      throw e;
    }
  }

  /// Writes the program in the file `file`, for these sizes, as C into `directory`: see [CProgram].
  ///
  /// @param options of which the backend does not matter; the toolchain need not be there, unless it names no target
  /// @return the files
  /// @throws CompileException when the program or its weights are wrong, a size is missing, or a file cannot be written
  public static List<Path> writeC(Path file, Map<String, Long> sizes, Options options, CProgram.Options form, Path directory) {
    return withC(file, sizes, options, form, export -> export.write(directory));
  }

  /// The same without files.
  public static CProgram inC(Path file, Map<String, Long> sizes, Options options, CProgram.Options form) {
    return withC(file, sizes, options, form, CExport::program);
  }

  /// Writes the program in the file `file`, for these sizes, as CUDA C++ into `directory`: see [dev.einfall.backends.cuda.CudaFile].
  ///
  /// @param options of which the backend does not matter; no toolchain need be there
  /// @param name of the files and functions, as C has names
  /// @return the files
  /// @throws CompileException as [#writeC] does
  public static List<Path> writeCuda(Path file, Map<String, Long> sizes, Options options, String name, Path directory) {
    Options gpu = options.withBackend(Options.Backend.CUDA);
    CTarget target = CTargets.gpu(gpu.toolchain().target().orElse(CudaTargets.USUAL));
    return exported(file, sizes, gpu, "CUDA C++", (plan, weights) -> new CudaExport(plan, weights, target, name).write(directory));
  }

  private static <T> T withC(Path file, Map<String, Long> sizes, Options options, CProgram.Options form, Function<CExport, T> action) {
    return exported(file, sizes, options.withBackend(Options.Backend.C), "C", (plan, weights) -> action.apply(new CExport(plan, weights, form)));
  }

  /// What `action` makes of the plan and the weights of a program.
  ///
  /// @param language what it is written in
  private static <T> T exported(Path file, Map<String, Long> sizes, Options given, String language, BiFunction<KernelPlan, Weights, T> action) {
    Destination destination = Destination.of(given);
    Options options = destination.options();
    return with(source(file), directory(file), Imports.files(), options, parts -> {
      SortedMap<String, Long> all = parts.known.sizes();
      all.putAll(sizes);
      parts.inputSizes.stream().filter(size -> !all.containsKey(size)).findFirst().ifPresent(size -> {
        throw CompileException.of(language + " is for certain sizes: no value for the size " + size + " of " + parts.name);
      });
      ProgramReading.Read read = parts.reading.at(all);
      Pipeline pipeline = new Pipeline(destination.pipelineOptions(), options.steps(), options.remarks());
      try {
        return action.apply(pipeline.compile(read.cascade(), all), read.weights());
      } finally {
        parts.workers.close();
      }
    });
  }

  /// See [Tuning#of].
  static Tuning tuning(Path file, Options given) {
    Destination destination = Destination.of(given);
    Options options = destination.options();
    Path records = options.tuning().orElseThrow(() -> new IllegalArgumentException("the options name no directory for what is measured"));
    switch (options.backend()) {
      case REFERENCE -> throw new IllegalArgumentException("the reference backend makes no choices: there is nothing to measure");
      case CUDA -> throw new IllegalArgumentException("the choices for GPUs are not measured: there is nothing to tune for the backend cuda");
      case AUTO, JVM, C -> { }
    }
    return with(source(file), directory(file), Imports.files(), options, parts -> {
      PlanCompiler compiler = planCompiler(parts, destination);
      return new Tuning(parts.program(options, compiler::compile, Placing.onHost(), () -> { }), compiler, records);
    });
  }

  private static Path directory(Path file) {
    return Optional.ofNullable(file.getParent()).orElse(Path.of(""));
  }

  /// What a program is made of.
  ///
  /// @param known what the weights tell of the sizes
  /// @param inputSizes the names of sizes in the inputs, without those that the program is read anew for
  private record Parts(String name, List<Port> inputs, List<Port> outputs, ProgramReading reading, SizeBinding known, TreeSet<String> inputSizes,
      WorkerPool workers) {

    /// @param release frees what `compile` has
    Program program(Options options, Function<SortedMap<String, Long>, Executable> compile, Placing placing, Runnable release) {
      return new Program(name, inputs, outputs, known, options.specializations(), compile, placing, () -> {
        workers.close();
        release.run();
      });
    }
  }

  /// What `action` makes of a program.
  private static <T> T with(Source source, Path directory, Imports imports, Options options, Function<Parts, T> action) {
    if (options.backend() != Options.Backend.REFERENCE) {
      FirstUse.begin(options.cache().isPresent());
    }
    KnownPrograms programs = KnownPrograms.of(options);
    Optional<KnownPrograms.Known> known = programs.find(source, imports);
    Optional<T> made = known.flatMap(one -> withWeights(one.outline().weights().isEmpty() ? Optional.empty() : one.outline().weightsFile(), directory,
        options, file -> parts(one, file, options).map(action)));
    return made.orElseGet(() -> withRead(source, directory, new KnownPrograms.Recorded(imports), options, programs, action));
  }

  private static <T> T withRead(Source source, Path directory, KnownPrograms.Recorded imports, Options options, KnownPrograms programs,
      Function<Parts, T> action) {
    EinProgram program = EinReader.read(source, options.function(), imports);
    boolean needsSizes = !program.neededSizes().isEmpty();
    if (options.checkPromises() && !needsSizes) {
      requirePromises(program.cascade());
    }
    boolean mayHaveWeights = needsSizes || !program.cascade().weights().isEmpty();
    return withWeights(mayHaveWeights ? program.weights() : Optional.empty(), directory, options, file -> {
      if (needsSizes) {
        return action.apply(partsForEach(program, file.map(HeldWeights::of), options));
      }
      Parts parts = parts(program, file, options);
      if (programs.canKeep()) {
        ProgramIdentity identity = parts.reading.at(Collections.emptySortedMap()).identity();
        programs.keep(source, program, identity, parts.inputSizes, new TreeSet<>(parts.known.sizes().keySet()), imports);
      }
      return action.apply(parts);
    });
  }

  /// What `action` makes of the weights file in the options, or else that at `place`, which is closed then.
  private static <T> T withWeights(Optional<String> place, Path directory, Options options, Function<Optional<WeightsFile>, T> action) {
    Optional<WeightsFile> opened =
        place.filter(_ -> options.weights().isEmpty()).map(named -> options.opener().open(named, directory));
    try {
      return action.apply(options.weights().or(() -> opened));
    } finally {
      opened.ifPresent(WeightsFile::close);
    }
  }

  /// Refuses a program whose reductions break what they promise.
  ///
  /// @throws CompileException that shows for which values
  public static void requirePromises(Cascade cascade) {
    List<Diagnostic> broken = Promises.check(cascade);
    if (!broken.isEmpty()) {
      throw new CompileException(broken);
    }
  }

  /// Those of a program that is read anew for each set of sizes.
  private static Parts partsForEach(EinProgram program, Optional<WeightsFile> file, Options options) {
    ProgramReading reading = ProgramReading.forEach(program, file,
        options.checkPromises() ? Einfall::requirePromises : _ -> {});
    return new Parts(program.name(), inputs(program), outputs(program), reading, new SizeBinding(), new TreeSet<>(program.neededSizes()),
        new WorkerPool(options.threads()));
  }

  private static Parts parts(EinProgram program, Optional<WeightsFile> file, Options options) {
    Cascade cascade = program.cascade();
    SizeBinding binding = new SizeBinding();
    Weights weights = Weights.find(cascade, file, binding);
    requireSizes(cascade, binding.sizes());
    return new Parts(cascade.name(), inputs(program), outputs(program), ProgramReading.same(ProgramReading.Read.of(cascade, weights)), binding,
        inputSizes(cascade), new WorkerPool(options.threads()));
  }

  /// Those of a program that is not read; empty where its weights are not as they were when it was read.
  private static Optional<Parts> parts(KnownPrograms.Known known, Optional<WeightsFile> file, Options options) {
    Outline outline = known.outline();
    SizeBinding binding = new SizeBinding();
    return Weights.find(outline.weights(), file, binding).filter(_ -> List.copyOf(binding.sizes().keySet()).equals(outline.boundSizes()))
        .map(weights -> new Parts(outline.identity().name(), ports(outline.inputs()), ports(outline.outputs()),
            ProgramReading.same(new ProgramReading.Read(known.cascade(), outline::identity, weights)), binding, new TreeSet<>(outline.inputSizes()),
            new WorkerPool(options.threads())));
  }

  private static List<Port> ports(List<Outline.Declared> tensors) {
    return tensors.stream().map(tensor -> new Port(tensor.name(), tensor.type(), tensor.shape())).toList();
  }

  private static Program program(Parts parts, Destination destination) {
    Options options = destination.options();
    return switch (options.backend()) {
      case REFERENCE -> parts.program(options, sizes -> {
        ProgramReading.Read read = parts.reading.at(sizes);
        return new ReferenceExecutable(new BindSizes(sizes).apply(read.cascade(), options.remarks()), read.weights());
      }, Placing.onHost(), () -> { });
      case AUTO, JVM, C -> parts.program(options, planCompiler(parts, destination)::compile, Placing.onHost(), () -> { });
      case CUDA -> {
        DevicePlanCompiler compiler = devicePlanCompiler(parts, options);
        yield parts.program(options, compiler::compile, new Placing.OnDevice(compiler.device()), compiler::close);
      }
    };
  }

  /// Machine code is kept where programs are, also where the time of each kernel is asked for.
  private static DevicePlanCompiler devicePlanCompiler(Parts parts, Options options) {
    Optional<PlanCache> cache = options.cache()
        .map(directory -> new PlanCache(directory, problem -> options.remarks().accept(Diagnostic.remark(Span.NONE, problem))));
    CudaBackend backend = CudaBackend.of(options.toolchain().cuda(), cache);
    try {
      String name = options.toolchain().target().orElse(backend.device().architecture());
      PipelineOptions pipelineOptions = pipelineOptions(options.withToolchain(options.toolchain().withTarget(name)));
      Pipeline pipeline = new Pipeline(pipelineOptions, options.steps(), options.remarks());
      return new DevicePlanCompiler(parts.reading, pipeline, CTargets.gpu(name), backend, options.launches());
    } catch (RuntimeException e) {
      backend.device().close();
      throw e;
    }
  }

  private static PlanCompiler planCompiler(Parts parts, Destination destination) {
    Options options = destination.options();
    Pipeline pipeline = new Pipeline(destination.pipelineOptions(), options.steps(), options.remarks());
    CodeMaker maker = destination.maker(pipeline.options());
    return new PlanCompiler(parts.reading, pipeline, maker, parts.workers, options.launches(), options.tuning(),
        KeptPlans.of(options, pipeline.options(), maker));
  }

  /// Checks that inputs and weights tell every size.
  private static void requireSizes(Cascade cascade, SortedMap<String, Long> bound) {
    TreeSet<String> known = inputSizes(cascade);
    known.addAll(bound.keySet());
    cascade.weights().forEach(weight -> requireSizes(weight.tensor(), known));
    cascade.definitions().stream().flatMap(definition -> definition.tensors().stream()).forEach(tensor -> requireSizes(tensor, known));
  }

  private static void requireSizes(dev.einfall.ir.cascade.Tensor tensor, TreeSet<String> known) {
    tensor.shape().stream().flatMap(size -> size.names().stream()).filter(size -> !known.contains(size)).findFirst()
        .ifPresent(size -> {
          throw new CompileException(Diagnostic.error(tensor.span(),
              "the shape of " + tensor.name() + " depends on the size " + size + ", which no input has"));
        });
  }

  private static TreeSet<String> inputSizes(Cascade cascade) {
    TreeSet<String> names = new TreeSet<>();
    cascade.inputs().forEach(input -> input.shape().forEach(size -> names.addAll(size.names())));
    return names;
  }

  private static List<Port> inputs(EinProgram program) {
    return program.inputs().stream().map(input -> new Port(input.name(), input.type(), input.shape())).toList();
  }

  private static List<Port> outputs(EinProgram program) {
    return program.results().stream().map(result -> new Port(result.name(), result.type(), result.shape())).toList();
  }
}
