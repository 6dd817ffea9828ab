package dev.einfall.tests.random;

import dev.einfall.backends.reference.Array;
import dev.einfall.backends.reference.CascadeInterpreter;
import dev.einfall.backends.reference.PlanInterpreter;
import dev.einfall.frontend.EinReader;
import dev.einfall.ir.BinaryOp;
import dev.einfall.ir.ElementType;
import dev.einfall.ir.Source;
import dev.einfall.ir.cascade.Cascade;
import dev.einfall.ir.cascade.CascadePrinter;
import dev.einfall.ir.cascade.CascadeVerifier;
import dev.einfall.ir.cascade.Definition;
import dev.einfall.ir.cascade.Expr;
import dev.einfall.ir.cascade.Tensor;
import dev.einfall.ir.loop.Buffer;
import dev.einfall.ir.loop.KernelPlan;
import dev.einfall.ir.loop.PlanVerifier;
import dev.einfall.passes.Numerics;
import dev.einfall.passes.Pass;
import dev.einfall.passes.PassRunner;
import dev.einfall.passes.Pipeline;
import dev.einfall.passes.PipelineOptions;
import dev.einfall.passes.Target;
import dev.einfall.passes.cascade.BindSizes;
import dev.einfall.passes.cascade.NormalizeReductions;
import dev.einfall.passes.loop.ExpandFunctions;
import dev.einfall.passes.loop.ExpandSines;
import dev.einfall.passes.lower.LowerEinsums;
import dev.einfall.runtime.Options;
import dev.einfall.runtime.nativecode.Toolchain;
import dev.einfall.tests.Comparison;
import dev.einfall.tests.JvmRun;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;

/// Runs a sample in one of the ways that there are, and compares with the reference interpreter of the cascade.
enum ProgramCheck {
  /// The text reads back as the same program.
  TEXT("text"),
  /// The plan that the passes make, interpreted.
  PLAN("plan"),
  BYTECODE("bytecode"),
  /// Under the `strict` contract, bytecode gives the bits that plain loops give.
  STRICT("strict"),
  /// By way of C.
  C("c"),
  /// The same under the `strict` contract.
  C_STRICT("strict c");

  /// The ways that need nothing but the JVM.
  static final List<ProgramCheck> IN_JVM = List.of(TEXT, PLAN, BYTECODE, STRICT);
  /// Those that need a C compiler, which takes its time.
  static final List<ProgramCheck> NATIVE = List.of(C, C_STRICT);

  private static final int[] VECTOR_BYTES = {4, 16, 32, 64};

  private final String text;

  ProgramCheck(String text) {
    this.text = text;
  }

  String text() {
    return text;
  }

  /// What goes wrong, be it an exception. `number` decides about threads and the width of vectors.
  Optional<String> problem(Sample sample, List<Array> expected, long number) {
    int vectorBytes = VECTOR_BYTES[(int) (number % VECTOR_BYTES.length)];
    int threads = (int) (number / VECTOR_BYTES.length % 2) + 1;
    try {
      return switch (this) {
        case TEXT -> readBack(sample, expected);
        case PLAN -> difference(sample, expected, plan(sample, vectorBytes), tolerance(sample.cascade()));
        case BYTECODE ->
            difference(sample, expected, compiled(sample, JvmRun.options(threads, vectorBytes)), tolerance(sample.cascade()));
        case C -> difference(sample, expected, compiled(sample, ofC(threads, vectorBytes)), tolerance(sample.cascade()));
        case C_STRICT -> {
          List<Array> actual = compiled(sample, ofC(threads, vectorBytes).withNumerics(Numerics.STRICT));
          yield asksLibrary(sample.cascade()) ? difference(sample, plainLoops(sample), actual, new Comparison(1e-6))
              : bitDifference(sample, plainLoops(sample), actual);
        }
        case STRICT -> bitDifference(sample, plainLoops(sample),
            compiled(sample, JvmRun.options(threads, vectorBytes).withNumerics(Numerics.STRICT)));
      };
    } catch (RuntimeException | LinkageError | StackOverflowError problem) {
      return Optional.of(exception(problem));
    }
  }

  /// Whether functions are computed by the libraries of C and Java, which differ in the last bit: those of `f64`, and powers.
  private static boolean asksLibrary(Cascade cascade) {
    return cascade.definitions().stream().flatMap(Definition::exprs).flatMap(Expr::nodes).anyMatch(expr -> switch (expr) {
      case Expr.Unary unary -> unary.type() == ElementType.F64 && !unary.op().isCorrectlyRounded();
      case Expr.Binary binary -> binary.op() == BinaryOp.POW;
      default -> false;
    });
  }

  private static Options ofC(int threads, int vectorBytes) {
    return JvmRun.options(threads, vectorBytes).withBackend(Options.Backend.C).withToolchain(Toolchain.usual().withFlags(List.of("-O1")));
  }

  private static String exception(Throwable problem) {
    StringBuilder text = new StringBuilder(problem.toString());
    for (Throwable cause = problem; cause != null; cause = cause.getCause()) {
      text.append("\n  ").append(cause == problem ? "" : cause.toString());
      Stream.of(cause.getStackTrace()).limit(4).forEach(frame -> text.append("\n  at ").append(frame));
    }
    return text.toString();
  }

  /// What the reference interpreter computes; nothing if an index leaves a tensor.
  static Optional<List<Array>> expected(Sample sample) {
    CascadeVerifier.verify(sample.cascade());
    try {
      return Optional.of(outputs(sample.cascade(), CascadeInterpreter.run(sample.cascade(), sample.inputs())));
    } catch (dev.einfall.backends.KernelFault _) {
      return Optional.empty();
    }
  }

  private static List<Array> outputs(Cascade cascade, Map<Tensor, Array> arrays) {
    return cascade.outputs().stream().map(output -> arrays.get(output.tensor())).toList();
  }

  private static Optional<String> readBack(Sample sample, List<Array> expected) {
    String text = CascadePrinter.print(sample.cascade());
    Cascade read = EinReader.read(new Source("random.ein", text), Optional.empty()).cascade();
    CascadeVerifier.verify(read);
    if (!text.equals(CascadePrinter.print(read))) {
      return Optional.of("reads back as\n" + CascadePrinter.print(read));
    }
    Map<Tensor, Array> inputs = byPosition(read.inputs(), sample);
    return difference(sample, expected, outputs(read, CascadeInterpreter.run(read, inputs)), new Comparison(0));
  }

  private static List<Array> plan(Sample sample, int vectorBytes) {
    KernelPlan plan = new Pipeline(PipelineOptions.of(Target.of(vectorBytes, 2)), _ -> { }, _ -> { }).compile(sample.cascade(), sample.sizes());
    PlanVerifier.verify(plan);
    return interpreted(plan, sample);
  }

  /// What the program's own loops compute, rounding every operation to its type, with functions by the arithmetic of the contract.
  static List<Array> plainLoops(Sample sample) {
    PassRunner runner = new PassRunner(_ -> { }, _ -> { });
    Cascade bound = runner.run(new BindSizes(sample.sizes()), sample.cascade());
    KernelPlan plan = runner.lower(new LowerEinsums(), runner.run(new NormalizeReductions(), bound)).plan();
    return interpreted(new KernelPlan(plan.name(), plan.inputs(), plan.weights(), plan.constants(), withFunctions(plan.setup(), runner),
        withFunctions(plan.launches(), runner), plan.outputs(), plan.arena()), sample);
  }

  private static List<KernelPlan.Launch> withFunctions(List<KernelPlan.Launch> launches, PassRunner runner) {
    List<Pass.OnKernel> passes = List.of(new ExpandFunctions(Numerics.STRICT), new ExpandSines(Numerics.STRICT));
    return launches.stream().map(launch -> new KernelPlan.Launch(runner.run(passes, launch.kernel()), launch.arguments())).toList();
  }

  private static List<Array> interpreted(KernelPlan plan, Sample sample) {
    Map<Buffer, Array> results = PlanInterpreter.run(plan, byPosition(plan.inputs(), sample));
    return plan.outputs().stream().map(output -> results.get(output.buffer())).toList();
  }

  private static List<Array> compiled(Sample sample, Options options) {
    String text = CascadePrinter.print(sample.cascade());
    return JvmRun.outputs(text, List.copyOf(sample.inputs().values()), options);
  }

  private static <T> Map<T, Array> byPosition(List<T> places, Sample sample) {
    Map<T, Array> inputs = new LinkedHashMap<>();
    List<Array> arrays = List.copyOf(sample.inputs().values());
    for (int i = 0; i < arrays.size(); i++) {
      inputs.put(places.get(i), arrays.get(i));
    }
    return inputs;
  }

  /// Values stay small, so these are the rounding of a few hundred operations on the least precise type of the program.
  static Comparison tolerance(Cascade cascade) {
    Stream<ElementType> tensors = Stream.concat(cascade.inputs().stream(),
        cascade.definitions().stream().flatMap(definition -> definition.tensors().stream())).map(Tensor::type);
    Stream<ElementType> values = cascade.definitions().stream().flatMap(Definition::exprs).flatMap(Expr::nodes).map(Expr::type);
    boolean[] half = new boolean[2];
    Stream.concat(tensors, values).forEach(type -> {
      half[0] |= type == ElementType.F16;
      half[1] |= type == ElementType.BF16;
    });
    return new Comparison(half[1] ? 0.2 : half[0] ? 0.03 : 4e-4);
  }

  /// Where results differ in any bit, but for those of a NaN.
  static Optional<String> bitDifference(Sample sample, List<Array> expected, List<Array> actual) {
    for (int i = 0; i < expected.size(); i++) {
      Array plain = expected.get(i);
      Array compiled = actual.get(i);
      String name = sample.cascade().outputs().get(i).name();
      for (int k = 0; k < plain.elements(); k++) {
        if (plain.type().isFloat() && Double.compare(plain.numbers()[k], compiled.numbers()[k]) != 0) {
          return Optional.of(name + ": element " + k + " should be " + plain.numbers()[k] + " but is " + compiled.numbers()[k]);
        }
      }
    }
    return difference(sample, expected, actual, new Comparison(0));
  }

  static Optional<String> difference(Sample sample, List<Array> expected, List<Array> actual, Comparison comparison) {
    for (int i = 0; i < expected.size(); i++) {
      Optional<String> difference = comparison.difference(expected.get(i), actual.get(i));
      if (difference.isPresent()) {
        return Optional.of(sample.cascade().outputs().get(i).name() + ": " + difference.get());
      }
    }
    return Optional.empty();
  }
}
