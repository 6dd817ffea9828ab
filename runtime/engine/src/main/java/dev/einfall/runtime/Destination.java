package dev.einfall.runtime;

import dev.einfall.backends.c.CTarget;
import dev.einfall.backends.cuda.CudaTargets;
import dev.einfall.backends.jvm.JvmBackend;
import dev.einfall.backends.jvm.JvmOptions;
import dev.einfall.backends.jvm.VectorWidth;
import dev.einfall.ir.Diagnostic;
import dev.einfall.ir.Span;
import dev.einfall.passes.Numerics;
import dev.einfall.passes.PipelineOptions;
import dev.einfall.passes.Target;
import dev.einfall.runtime.nativecode.CCompiler;
import dev.einfall.runtime.nativecode.CTargets;
import dev.einfall.runtime.nativecode.NativeBackend;
import java.util.List;
import java.util.Optional;

/// What a program is compiled for when certain options are used. A C compiler, which is a process to ask, is asked at most once.
///
/// @param options as given, but for the backend that `AUTO` stands for here
/// @param compiler the C compiler, if it was asked already
/// @param machine what code in C is for; empty for other backends
record Destination(Options options, Optional<CCompiler> compiler, Optional<CTarget> machine) {

  /// @throws dev.einfall.ir.CompileException when there is no C compiler that is needed, or no such target
  static Destination of(Options given) {
    if (given.backend() != Options.Backend.AUTO || given.toolchain().isUsualForC()) {
      return given.backend() == Options.Backend.C ? ofC(given, Optional.empty()) : notC(given);
    }
    Optional<CCompiler> found = CCompiler.find(given.toolchain().compiler());
    if (found.isPresent()) {
      return ofC(given.withBackend(Options.Backend.C), found);
    }
    given.remarks().accept(new Diagnostic(Diagnostic.Severity.WARNING, Span.NONE,
        "compiling to bytecode, as the C compiler " + given.toolchain().compiler() + " cannot be run", List.of()));
    return notC(given.withBackend(Options.Backend.JVM));
  }

  private static Destination notC(Options options) {
    return new Destination(options, Optional.empty(), Optional.empty());
  }

  /// No compiler is needed where a target is named.
  private static Destination ofC(Options options, Optional<CCompiler> known) {
    boolean isNamed = options.toolchain().target().isPresent();
    Optional<CCompiler> compiler = known.isPresent() || isNamed ? known : Optional.of(options.toolchain().find());
    return new Destination(options, compiler, Optional.of(compiler.map(options.toolchain()::machine).orElseGet(options.toolchain()::machine)));
  }

  /// What the passes take the machine for: this one, or a common one of the kind that the options name.
  Target target() {
    Target target = switch (options.backend()) {
      case CUDA -> ofGpu(CTargets.gpu(options.toolchain().target().orElse(CudaTargets.USUAL)));
      case C -> ofC(machine.orElseThrow());
      case AUTO, JVM, REFERENCE -> Machine.target(vectorBytes(), options.threads());
    };
    return options.backend() == Options.Backend.CUDA ? target : options.speeds().map(target::withSpeeds).orElse(target);
  }

  private static Target ofGpu(CTarget found) {
    return Target.gpu(found.sharedBytes()).withTiles(found.tiles()).withWarpgroupTiles(found.warpgroupTiles());
  }

  private Target ofC(CTarget found) {
    boolean isNamed = options.toolchain().target().isPresent();
    Target usual = isNamed ? Target.of(vectorBytes(), options.threads()) : Machine.target(vectorBytes(), options.threads());
    return usual.withRegisters(found.registers(), found.fusesMultiplyAdds()).withDots(found.dots()).withTiles(found.tiles())
        .withPermutedBytes(found.permutesBytes()).withBitCount(found.bitCount());
  }

  private int vectorBytes() {
    if (machine.isPresent()) {
      return options.vectorBytes() == 0 ? machine.get().vectorBytes() : options.vectorBytes();
    }
    if (!JvmOptions.ofThisJvm().vectors()) {
      return Float.BYTES;
    }
    return options.vectorBytes() == 0 ? VectorWidth.preferredBytes() : options.vectorBytes();
  }

  /// What the passes are told.
  PipelineOptions pipelineOptions() {
    return new PipelineOptions(target(), options.numerics(), options.without(), options.decisions(), options.compute());
  }

  /// What makes the code of kernels for a processor.
  ///
  /// @param pipeline what the passes are told
  CodeMaker maker(PipelineOptions pipeline) {
    return machine.map(this::nativeMaker).orElseGet(() -> jvmMaker(pipeline));
  }

  private CodeMaker jvmMaker(PipelineOptions pipeline) {
    if (!JvmOptions.ofThisJvm().vectors()) {
      options.remarks().accept(new Diagnostic(Diagnostic.Severity.WARNING, Span.NONE,
          "compiling without vectors, many times slower: start java with --add-modules jdk.incubator.vector", List.of()));
    }
    JvmOptions found = JvmOptions.ofThisJvm().withVectors(vectorBytes() > Float.BYTES);
    JvmBackend backend = new JvmBackend(options.warmUp() ? found : found.withMaxWarmUpMillis(0));
    return new CodeMaker.Jvm(backend, pipeline.target().speeds());
  }

  /// Libraries are kept where programs are.
  private CodeMaker nativeMaker(CTarget found) {
    CCompiler compiling = compiler.orElseGet(options.toolchain()::find);
    compiling.refused().filter(_ -> options.toolchain().target().isEmpty())
        .ifPresent(refused -> options.remarks().accept(new Diagnostic(Diagnostic.Severity.WARNING, Span.NONE, refused, List.of())));
    CTarget bound = options.numerics() == Numerics.STRICT ? found.exact() : found;
    NativeBackend backend = new NativeBackend(compiling, bound, options.toolchain().flags(), KeptPlans.cache(options));
    return new CodeMaker.Native(backend, options.threads());
  }
}
