package dev.einfall.command;

import dev.einfall.frontend.EinReader;
import dev.einfall.frontend.Imports;
import dev.einfall.frontend.LoopFile;
import dev.einfall.frontend.LoopReader;
import dev.einfall.ir.Source;
import dev.einfall.ir.cascade.Cascade;
import dev.einfall.ir.cascade.CascadePrinter;
import dev.einfall.ir.loop.Kernel;
import dev.einfall.ir.loop.KernelPlan;
import dev.einfall.ir.loop.LoopPrinter;
import dev.einfall.passes.Pass;
import dev.einfall.passes.PassRunner;
import dev.einfall.passes.cascade.BindSizes;
import dev.einfall.passes.lower.LowerEinsums;
import java.nio.file.Path;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SortedMap;
import java.util.stream.Collectors;

/// A program between two passes, at the level that it has reached.
sealed interface Stage {
  record OfCascade(Cascade cascade) implements Stage {}

  record OfKernels(List<Kernel> kernels) implements Stage {}

  record OfPlan(KernelPlan plan) implements Stage {}

  /// The program in `text`, which is all of `file` or the first part of it.
  ///
  /// @param sizes numbers for sizes, used where the program cannot be read without
  static Stage read(Path file, String text, Optional<String> function, SortedMap<String, Long> sizes) {
    Source source = new Source(file.toString(), text);
    if (!file.toString().endsWith(".loop")) {
      return new OfCascade(EinReader.read(source, function, Imports.files()).cascade(sizes));
    }
    LoopFile loops = LoopReader.read(source);
    return loops.plan().isPresent() ? new OfPlan(loops.plan().get()) : new OfKernels(loops.kernels());
  }

  /// The program with numbers for size names.
  default Stage bind(SortedMap<String, Long> sizes) {
    return this instanceof OfCascade(Cascade cascade) && !sizes.isEmpty()
        ? new OfCascade(new BindSizes(sizes).apply(cascade, _ -> {})) : this;
  }

  /// What `pass` makes of the program; a pass on kernels runs on each.
  default Stage apply(Pass pass, PassRunner runner) {
    return switch (pass) {
      case Pass.OnCascade onCascade when this instanceof OfCascade(Cascade cascade) ->
          new OfCascade(runner.run(onCascade, cascade));
      case LowerEinsums lowering when this instanceof OfCascade(Cascade cascade) ->
          new OfPlan(runner.lower(lowering, cascade).plan());
      case Pass.OnKernel onKernel when this instanceof OfKernels(List<Kernel> kernels) ->
          new OfKernels(kernels.stream().map(kernel -> runner.run(onKernel, kernel)).toList());
      case Pass.OnKernel onKernel when this instanceof OfPlan(KernelPlan plan) -> new OfPlan(onEach(onKernel, plan, runner));
      case Pass.OnPlan onPlan when this instanceof OfPlan(KernelPlan plan) -> new OfPlan(runner.run(onPlan, plan));
      case Pass.OnCascade _, Pass.Lowering _ ->
          throw new UserError(pass.name() + " runs on a cascade, but this is " + level());
      case Pass.OnKernel _ -> throw new UserError(pass.name() + " runs on kernels, but this is " + level());
      case Pass.OnPlan _ -> throw new UserError(pass.name() + " runs on a plan, but this is " + level());
    };
  }

  private static KernelPlan onEach(Pass.OnKernel pass, KernelPlan plan, PassRunner runner) {
    Map<Kernel, Kernel> done = new IdentityHashMap<>();
    return new KernelPlan(plan.name(), plan.inputs(), plan.weights(), plan.constants(),
        onEach(pass, plan.setup(), done, runner), onEach(pass, plan.launches(), done, runner), plan.outputs(), plan.arena());
  }

  private static List<KernelPlan.Launch> onEach(
      Pass.OnKernel pass, List<KernelPlan.Launch> launches, Map<Kernel, Kernel> done, PassRunner runner) {
    return launches.stream().map(launch -> new KernelPlan.Launch(
        done.computeIfAbsent(launch.kernel(), kernel -> runner.run(pass, kernel)), launch.arguments())).toList();
  }

  private String level() {
    return switch (this) {
      case OfCascade _ -> "a cascade: lower it first, with lower-einsums";
      case OfKernels _ -> "a list of kernels";
      case OfPlan _ -> "a plan";
    };
  }

  /// The program in its text syntax.
  default String text() {
    return switch (this) {
      case OfCascade(Cascade cascade) -> CascadePrinter.print(cascade);
      case OfKernels(List<Kernel> kernels) -> kernels.stream().map(LoopPrinter::print).collect(Collectors.joining("\n"));
      case OfPlan(KernelPlan plan) -> LoopPrinter.print(plan);
    };
  }
}
