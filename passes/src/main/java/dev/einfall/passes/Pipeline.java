package dev.einfall.passes;

import dev.einfall.ir.Diagnostic;
import dev.einfall.ir.cascade.Cascade;
import dev.einfall.ir.cascade.Mapping;
import dev.einfall.ir.loop.Kernel;
import dev.einfall.ir.loop.KernelPlan;
import dev.einfall.passes.cascade.BindSizes;
import dev.einfall.passes.cascade.CancelInverses;
import dev.einfall.passes.cascade.ChooseMappings;
import dev.einfall.passes.cascade.EliminateCommonEinsums;
import dev.einfall.passes.cascade.ExtractInvariants;
import dev.einfall.passes.cascade.FoldConstants;
import dev.einfall.passes.cascade.FoldIntoWeights;
import dev.einfall.passes.cascade.FuseEpilogues;
import dev.einfall.passes.cascade.GroupEinsums;
import dev.einfall.passes.cascade.GroupProducts;
import dev.einfall.passes.cascade.GroupRecurrences;
import dev.einfall.passes.cascade.HoistFactors;
import dev.einfall.passes.cascade.InlineProducers;
import dev.einfall.passes.cascade.MergeProducts;
import dev.einfall.passes.cascade.NameRanks;
import dev.einfall.passes.cascade.NarrowProducts;
import dev.einfall.passes.cascade.NormalizeReductions;
import dev.einfall.passes.cascade.PackCores;
import dev.einfall.passes.cascade.PackOperands;
import dev.einfall.passes.cascade.ReassociateProducts;
import dev.einfall.passes.cascade.SplitReductions;
import dev.einfall.passes.cascade.TransformFilters;
import dev.einfall.passes.codes.DecodeInProducts;
import dev.einfall.passes.codes.DeferOffsets;
import dev.einfall.passes.codes.MultiplyBits;
import dev.einfall.passes.codes.MultiplyIntegers;
import dev.einfall.passes.codes.RoundTables;
import dev.einfall.passes.codes.SplitCodes;
import dev.einfall.passes.codes.SplitFields;
import dev.einfall.passes.codes.TabulateSteps;
import dev.einfall.passes.codes.WidenBytes;
import dev.einfall.passes.loop.BindLoops;
import dev.einfall.passes.loop.CollapseLoops;
import dev.einfall.passes.loop.DeferScales;
import dev.einfall.passes.loop.DropDeadStores;
import dev.einfall.passes.loop.ExpandFunctions;
import dev.einfall.passes.loop.ExpandSines;
import dev.einfall.passes.loop.FactorReductions;
import dev.einfall.passes.loop.FlattenLoops;
import dev.einfall.passes.loop.ForwardStores;
import dev.einfall.passes.loop.FuseLoops;
import dev.einfall.passes.loop.FuseMultiplyAdds;
import dev.einfall.passes.loop.KeepAccumulators;
import dev.einfall.passes.loop.MapThreads;
import dev.einfall.passes.loop.MergeDimensions;
import dev.einfall.passes.loop.PermutePlanes;
import dev.einfall.passes.loop.PermuteRows;
import dev.einfall.passes.loop.PlaceInOutputs;
import dev.einfall.passes.loop.ReorderLoops;
import dev.einfall.passes.loop.SelectDots;
import dev.einfall.passes.loop.SelectTiles;
import dev.einfall.passes.loop.ShareSubexpressions;
import dev.einfall.passes.loop.SimplifyIndices;
import dev.einfall.passes.loop.SplitLoops;
import dev.einfall.passes.loop.SplitRanges;
import dev.einfall.passes.loop.SumBytes;
import dev.einfall.passes.loop.TileProducts;
import dev.einfall.passes.loop.TransposeTiles;
import dev.einfall.passes.loop.TurnLoops;
import dev.einfall.passes.loop.UnrollLoops;
import dev.einfall.passes.loop.UnswitchLoops;
import dev.einfall.passes.loop.VectorizeLoops;
import dev.einfall.passes.lower.LowerEinsums;
import dev.einfall.passes.lower.Lowered;
import dev.einfall.passes.lower.Schedule;
import dev.einfall.passes.plan.PlanMemory;
import dev.einfall.passes.plan.ShareKernels;
import dev.einfall.passes.plan.SplitKernels;
import dev.einfall.passes.recurrence.AbsorbUsers;
import dev.einfall.passes.recurrence.KeepLastStates;
import dev.einfall.passes.recurrence.ScheduleRecurrences;
import dev.einfall.passes.reduce.DeferFactors;
import dev.einfall.passes.reduce.ReducePasses;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.IdentityHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.SequencedSet;
import java.util.SortedMap;
import java.util.function.Consumer;
import java.util.function.Function;

/// The passes in the order in which a program goes through them, with the reason for the order.
///
/// @param options what to compile for
/// @param steps hears what every pass did
/// @param remarks hears what a pass declined, and why
public record Pipeline(PipelineOptions options, Consumer<Step> steps, Consumer<Diagnostic> remarks) {

  public Pipeline withDecisions(Decisions decisions) {
    return new Pipeline(options.withDecisions(decisions), steps, remarks);
  }

  /// Compiles `cascade` for the sizes given.
  ///
  /// @throws dev.einfall.ir.CompileException if the cascade reads outside of a tensor at these sizes
  /// @throws PassFailure if a pass fails or breaks the IR
  public KernelPlan compile(Cascade cascade, SortedMap<String, Long> sizes) {
    return compile(cascade, sizes, _ -> { });
  }

  /// The same, for who wants to begin with kernels before all are there.
  ///
  /// @param kernels hears each kernel of the plan when its passes are done; some may be equal
  public KernelPlan compile(Cascade cascade, SortedMap<String, Long> sizes, Consumer<Kernel> kernels) {
    PassRunner runner = new PassRunner(steps, remarks);
    Cascade mapped = runner.run(cascadePasses(sizes), cascade);
    Lowered lowered = runner.lower(new LowerEinsums(), mapped);
    KernelPlan plan = coded(lowered, runner, kernels);
    for (Pass.OnPlan pass : planPasses()) {
      plan = runner.run(pass, plan);
    }
    return plan;
  }

  /// The passes on the cascade level.
  public List<Pass.OnCascade> cascadePasses(SortedMap<String, Long> sizes) {
    return allowed(List.of(
        // Every decision below counts elements, so sizes come first.
        new BindSizes(sizes),
        // One reduction an Einsum: what comes after need not look into expressions for more.
        new NormalizeReductions(),
        new FoldConstants(options.numerics()),
        new EliminateCommonEinsums(options.numerics()),
        // While each product is an Einsum of its own, and none has an epilogue.
        new ReassociateProducts(),
        // Chains of weights are one by now, and scales and biases are Einsums that a product does not share with others yet.
        new FoldIntoWeights(),
        // A factor that leaves a reduction may leave it with nothing to wait for.
        new DeferFactors(),
        // While each reduction is an Einsum of its own, and what stands between two is one too.
        new ReducePasses(options.target(), options.decisions()),
        // Chains of elementwise Einsums collapse before they are asked to join a reduction as its epilogue.
        new InlineProducers(),
        // What undoes each other stands side by side now.
        new CancelInverses(options.numerics()),
        // What inlining has brought to places where it is evaluated again and again; layers often share it.
        new ExtractInvariants(options.numerics()),
        new EliminateCommonEinsums(options.numerics()),
        // Users first: where they have moved into the steps, nobody needs what all steps made.
        new AbsorbUsers(),
        new KeepLastStates(),
        // On states without history, whose reads and writes are plain.
        new ScheduleRecurrences(options.target(), options.numerics(), options.decisions()),
        // What states started as, where they start as a slice of it now.
        new EliminateCommonEinsums(options.numerics()),
        new FuseEpilogues(),
        // After the epilogues: products with their biases and activations are compared whole.
        new MergeProducts(),
        // Products have the weights that they keep; what both factors are of few bits, nobody need decode.
        new MultiplyBits(options.target(), options.compute()),
        // Of the others, what is left of formats is the arithmetic of these.
        DecodeInProducts.on(options.target(), options.numerics()),
        // The same for data, which stays as it lies; products are where they stay, so that nothing puts fields in order again.
        SplitFields.on(options.target()),
        // What groups subtract is apart from their codes now; without it, tables need not be for each column.
        DeferOffsets.on(options.target(), options.compute()),
        // Bytes and fields of words that stand for weights stand bare in products now.
        MultiplyIntegers.on(options.target(), options.compute()),
        // Of what no instruction multiplies: the parts of these codes have few enough choices for tables.
        SplitCodes.on(options.target(), options.compute()),
        // Of what no instruction multiplies.
        TabulateSteps.on(options.target(), options.compute()),
        // What is looked up for steps is apart, and for many columns.
        RoundTables.on(options.target(), options.compute()),
        // Epilogues are where they stay, and store what the next product takes.
        new NarrowProducts(options.compute(), options.target().isGpu()),
        // Products have taken the bytes that they multiply; others are gone as soon as they are made.
        new WidenBytes(),
        // Merging has redirected accesses with offsets.
        new FoldConstants(options.numerics()),
        // Rank names must be final before a mapping names loops.
        new NameRanks(),
        // A recurrence takes the Einsums that follow it into its kernel before they find company elsewhere.
        new GroupRecurrences(options.target(), options.numerics(), options.decisions()),
        // Row by row, what stands around products joins them, or else its like.
        new GroupProducts(options.target(), options.numerics(), options.decisions()),
        // Of products that hand nothing on: the loops of what hands on are over rows.
        new HoistFactors(options.target(), options.numerics(), options.decisions()),
        // What stays apart: rows of products that hand them on in cache are worth more.
        new TransformFilters(options.target(), options.numerics(), options.decisions()),
        // Of a filter of constant extents, most of what is read lies inside of the bounds.
        new FoldConstants(options.numerics()),
        new NameRanks(),
        // A nest's outer loops belong to its group, so groups come before nests.
        new GroupEinsums(options.target().rowBytes(), options.target().isGpu() ? TileProducts.BLOCKS : 0),
        // Of those that stay alone: what shares a kernel with others goes by rows.
        new SplitReductions(options.numerics()),
        // Of products that have stayed whole, and alone.
        new PackCores(options.target().warpgroupTiles()),
        new ChooseMappings(options.target(), options.numerics(), options.decisions()),
        // Panels are as wide as the tiles just chosen, and are Einsums that need nests themselves.
        new PackOperands(options.target()),
        new NameRanks(),
        new ChooseMappings(options.target(), options.numerics(), options.decisions())));
  }

  /// The passes on one kernel.
  public List<Pass.OnKernel> kernelPasses(Schedule schedule) {
    List<Pass.OnKernel> passes = new ArrayList<>(nestPasses(schedule));
    passes.addAll(codePasses());
    return passes;
  }

  /// The passes that carry out one kernel's schedule: its loops are where they stay after them, and compute scalars.
  private List<Pass.OnKernel> nestPasses(Schedule schedule) {
    List<String> parallel = schedule.bound(Mapping.Binding.PARALLEL);
    List<String> inner = new ArrayList<>(schedule.bound(Mapping.Binding.UNROLL));
    inner.addAll(schedule.bound(Mapping.Binding.VECTORIZE));
    return allowed(List.of(
        // Before all that looks for the loops of ranks: those that stand side by side are one from here on.
        new FlattenLoops(schedule.flattened()),
        // While an index is still one counter, and not yet tiles of it; and those of flattened loops are counters again.
        new MergeDimensions(),
        // While a nest is one for each rank, with no tiles, tails or lanes of which two would have to agree.
        new FuseLoops(schedule, options.numerics()),
        // The same: an element has one place in a nest then.
        new PlaceInOutputs(options.target().vectorBytes()),
        // What a part of a loop does not do need not be scheduled; ranks that will be, keep constant extents.
        new SplitRanges(ranks(schedule, schedule.order()), ranks(schedule, parallel), options.numerics()),
        // Whole ranks first: exchanging them is free of tails, which splitting makes.
        new ReorderLoops(ranks(schedule, schedule.order()), ranks(schedule, schedule.bound(Mapping.Binding.VECTORIZE)), options.numerics()),
        new SplitLoops(schedule.splits(), parallel),
        // While an accumulator is one element, and the loops that reduce into it stand directly inside of each other.
        new DeferScales(schedule.bound(Mapping.Binding.UNROLL), DeferScales.most(options.target())),
        new ReorderLoops(schedule.order(), schedule.bound(Mapping.Binding.VECTORIZE), options.numerics()),
        new SimplifyIndices(),
        // Now that loops stand where they stay: a reduction ends where it does for the last row of a tile.
        new SplitRanges(inner, parallel, options.numerics()),
        // What ranges could not decide: loops that may not be cut, and what no comparison of sums says.
        new UnswitchLoops(parallel, schedule.bound(Mapping.Binding.UNROLL)),
        // While a tile is still loops over its elements, and none of them has lanes.
        new SelectTiles(options.target().tiles()),
        // On scalars, before vectors make of `acc[] + x` a sum of lanes.
        new FactorReductions(inner, options.numerics()),
        new BindLoops(schedule.bindings()),
        new CollapseLoops()));
  }

  /// The passes that divide kernels, which a pass on one of them cannot.
  private List<Pass.OnPlan> divisionPasses() {
    return allowed(List.of(
        // On nests as they stay, before they are given to blocks: each has the whole GPU then.
        new SplitKernels()));
  }

  /// The passes that make what one kernel does fit for the machine: threads or vectors, registers and instructions.
  private List<Pass.OnKernel> codePasses() {
    return allowed(List.of(
        // Before elements of a loop's body lose their loops and buffers to registers: which iterations are independent is plain here.
        TileProducts.on(options.target(), options.numerics()),
        new MapThreads(options.target().blockThreads(), options.target().tiles(), options.numerics()),
        // On scalars, so that the polynomials vectorize like everything else.
        new ExpandFunctions(options.numerics()),
        // While an accumulation still is a sum that lanes can be combined into.
        new VectorizeLoops(options.target().vectorBytes(), options.numerics()),
        // One branch for all lanes, which scalars in a loop to be vectorized could not have.
        new ExpandSines(options.numerics()),
        new FuseMultiplyAdds(),
        UnrollLoops.on(options.target()),
        // Indices must be constants to name registers.
        new SimplifyIndices(),
        // Conditions of copies are decided now: what adds zeros must not hold registers.
        new DropDeadStores(options.numerics()),
        // Indices of copies differ by constants now, and no variable stands between their stores yet.
        new TransposeTiles(),
        new KeepAccumulators(),
        // While a table is looked up by each field on its own; rows that are left are chosen from as a whole.
        PermutePlanes.on(options.target()),
        // Registers are registers now, and are not read by lanes that choose.
        new PermuteRows(),
        // While each byte that a permute gives is added on its own.
        new SumBytes(),
        // What one instruction adds to a register, before what several of them load gets variables.
        new SelectDots(options.target().dots()),
        new ShareSubexpressions(),
        // What is shared stands between stores now, and is no longer looked for in runs of them.
        new ForwardStores(),
        // Last, as it looks for what loops store and load in the end, and is in nobody's way then.
        new TurnLoops(options.target().l2Bytes())));
  }

  /// The passes on the plan.
  public List<Pass.OnPlan> planPasses() {
    return allowed(List.of(
        new ShareKernels(),
        // Last: the arena depends on which launches are left.
        new PlanMemory()));
  }

  /// Those of `passes` that the options allow.
  private <P extends Pass> List<P> allowed(List<P> passes) {
    return passes.stream().filter(options::allows).toList();
  }

  /// The ranks that `loops` are tiles of, in the order of their outermost loops.
  private static List<String> ranks(Schedule schedule, List<String> loops) {
    SequencedSet<String> ranks = new LinkedHashSet<>();
    for (String loop : loops) {
      ranks.add(schedule.splits().stream()
          .map(Mapping.Split::rank).filter(rank -> loop.matches(rank + "[0-9]+")).findFirst().orElse(loop));
    }
    return List.copyOf(ranks);
  }

  /// The plan with the passes on kernels done.
  private KernelPlan coded(Lowered lowered, PassRunner runner, Consumer<Kernel> kernels) {
    List<Pass.OnPlan> divisions = divisionPasses();
    if (divisions.isEmpty()) {
      return scheduled(lowered, runner, this::kernelPasses, kernels);
    }
    KernelPlan plan = scheduled(lowered, runner, this::nestPasses, _ -> { });
    for (Pass.OnPlan pass : divisions) {
      plan = runner.run(pass, plan);
    }
    List<Schedule> schedules = Collections.nCopies(plan.setup().size() + plan.launches().size(), Schedule.NONE);
    return scheduled(new Lowered(plan, schedules), runner, _ -> codePasses(), kernels);
  }

  /// The plan with `passes` done on every kernel, for its schedule; equal kernels with equal schedules are scheduled once.
  private KernelPlan scheduled(Lowered lowered, PassRunner runner, Function<Schedule, List<Pass.OnKernel>> passes, Consumer<Kernel> kernels) {
    KernelPlan plan = new ShareKernels().apply(lowered.plan(), remarks);
    Map<Kernel, Map<Schedule, Kernel>> done = new IdentityHashMap<>();
    List<KernelPlan.Launch> setup = new ArrayList<>();
    List<KernelPlan.Launch> launches = new ArrayList<>();
    for (int i = 0; i < lowered.schedules().size(); i++) {
      boolean once = i < plan.setup().size();
      KernelPlan.Launch launch = once ? plan.setup().get(i) : plan.launches().get(i - plan.setup().size());
      KernelPlan.Launch original = once ? lowered.plan().setup().get(i) : lowered.plan().launches().get(i - plan.setup().size());
      Kernel kernel = done.computeIfAbsent(launch.kernel(), _ -> new HashMap<>())
          .computeIfAbsent(lowered.schedules().get(i), schedule -> {
            Kernel made = runner.run(passes.apply(schedule), original.kernel());
            kernels.accept(made);
            return made;
          });
      (once ? setup : launches).add(new KernelPlan.Launch(kernel, launch.arguments()));
    }
    return new KernelPlan(plan.name(), plan.inputs(), plan.weights(), plan.constants(), setup, launches, plan.outputs(), plan.arena());
  }
}
