package dev.einfall.passes;

import dev.einfall.ir.CompileException;
import dev.einfall.ir.Diagnostic;
import dev.einfall.ir.InternalException;
import dev.einfall.ir.cascade.Cascade;
import dev.einfall.ir.cascade.CascadePrinter;
import dev.einfall.ir.cascade.CascadeVerifier;
import dev.einfall.ir.loop.Kernel;
import dev.einfall.ir.loop.KernelPlan;
import dev.einfall.ir.loop.KernelVerifier;
import dev.einfall.ir.loop.LoopPrinter;
import dev.einfall.ir.loop.PlanVerifier;
import dev.einfall.passes.lower.LowerEinsums;
import dev.einfall.passes.lower.Lowered;
import java.util.List;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.function.Supplier;
import java.util.stream.Stream;

/// Runs passes: times each, reports what it did, and verifies what it made.
///
/// @param steps hears what every pass did
/// @param remarks hears what a pass declined
public record PassRunner(Consumer<Step> steps, Consumer<Diagnostic> remarks) {

  /// Runs `pass` on a cascade.
  ///
  /// @throws PassFailure if the pass fails, or its result breaks a rule of the IR
  public Cascade run(Pass.OnCascade pass, Cascade cascade) {
    return run(pass, cascade, CascadeVerifier::verify);
  }

  /// Runs `passes` on a cascade, one after the other. What a pass leaves as it is need not be verified again.
  ///
  /// @throws PassFailure if a pass fails, or its result breaks a rule of the IR
  public Cascade run(List<Pass.OnCascade> passes, Cascade cascade) {
    Cascade result = cascade;
    for (Pass.OnCascade pass : passes) {
      Cascade before = result;
      result = run(pass, before, after -> {
        if (after != before || before == cascade) {
          CascadeVerifier.verify(after);
        }
      });
    }
    return result;
  }

  private Cascade run(Pass.OnCascade pass, Cascade cascade, Consumer<Cascade> verify) {
    if (pass.needsSizes()) {
      requireSizes(pass, cascade);
    }
    return run(pass, cascade, cascade.name(), () -> pass.apply(cascade, remarks), verify, CascadePrinter::print,
        () -> CascadePrinter.print(cascade));
  }

  /// Runs `pass` on a kernel.
  ///
  /// @throws PassFailure if the pass fails, or its result breaks a rule of the IR
  public Kernel run(Pass.OnKernel pass, Kernel kernel) {
    return run(pass, kernel, kernel.name(), () -> pass.apply(kernel, remarks),
        KernelVerifier::verify, LoopPrinter::print, () -> LoopPrinter.print(kernel));
  }

  /// Runs `passes` on a kernel, one after the other. To verify takes longer than most passes, so only the last result is; if it is wrong,
  /// all run again, each verified, to say which is to blame.
  ///
  /// @throws PassFailure if a pass fails, or the result breaks a rule of the IR
  public Kernel run(List<Pass.OnKernel> passes, Kernel kernel) {
    Kernel result = kernel;
    for (Pass.OnKernel pass : passes) {
      Kernel before = result;
      result = run(pass, before, before.name(), () -> pass.apply(before, remarks), _ -> { }, LoopPrinter::print,
          () -> LoopPrinter.print(before));
    }
    try {
      KernelVerifier.verify(result);
      return result;
    } catch (InternalException fault) {
      PassRunner verifying = new PassRunner(_ -> { }, _ -> { });
      Kernel again = kernel;
      for (Pass.OnKernel pass : passes) {
        again = verifying.run(pass, again);
      }
      throw fault;
    }
  }

  /// Runs `pass` on a plan. Its kernels have been verified when they were made.
  ///
  /// @throws PassFailure if the pass fails, or its result breaks a rule of the IR
  public KernelPlan run(Pass.OnPlan pass, KernelPlan plan) {
    return run(pass, plan, plan.name(), () -> pass.apply(plan, remarks),
        pass instanceof dev.einfall.passes.plan.PlanMemory ? PlanVerifier::verifyAroundKernels : _ -> { }, LoopPrinter::print,
        () -> LoopPrinter.print(plan));
  }

  /// Lowers a cascade, keeping the schedules of its kernels.
  ///
  /// @throws PassFailure if the pass fails, or a kernel breaks a rule of the IR
  public Lowered lower(LowerEinsums pass, Cascade cascade) {
    requireSizes(pass, cascade);
    return run(pass, cascade, cascade.name(), () -> pass.lower(cascade), PassRunner::verifyKernels,
        lowered -> LoopPrinter.print(lowered.plan()), () -> CascadePrinter.print(cascade));
  }

  /// Asks for numbers where a size of `cascade` is still a name.
  private static void requireSizes(Pass pass, Cascade cascade) {
    List<String> open = Stream.of(
            cascade.inputs().stream(), cascade.weights().stream().map(Cascade.Weight::tensor),
            cascade.definitions().stream().flatMap(definition -> definition.tensors().stream()))
        .flatMap(tensors -> tensors)
        .flatMap(tensor -> tensor.shape().stream())
        .flatMap(size -> size.names().stream()).distinct().sorted().toList();
    if (!open.isEmpty()) {
      throw CompileException.of("pass " + pass.name() + " needs numbers for the sizes " + String.join(", ", open)
          + ": run bind-sizes{" + open.getFirst() + "=...} before it");
    }
  }

  private static void verifyKernels(Lowered lowered) {
    lowered.plan().setup().forEach(launch -> KernelVerifier.verify(launch.kernel()));
    lowered.plan().launches().forEach(launch -> KernelVerifier.verify(launch.kernel()));
  }

  private <T> T run(Pass pass, Object input, String subject, Supplier<T> apply, Consumer<T> verify,
      Function<T, String> print, Supplier<String> reproducer) {
    try {
      long start = System.nanoTime();
      T result = apply.get();
      long nanoseconds = System.nanoTime() - start;
      verify.accept(result);
      steps.accept(new Step(pass.name(), subject, result != input, nanoseconds, () -> print.apply(result)));
      return result;
    } catch (CompileException userError) {
      throw userError;
    } catch (RuntimeException fault) {
      throw new PassFailure(pass, subject, reproducer.get(), fault);
    }
  }
}
