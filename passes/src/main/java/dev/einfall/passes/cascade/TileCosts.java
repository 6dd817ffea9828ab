package dev.einfall.passes.cascade;

import dev.einfall.ir.cascade.Einsum;
import dev.einfall.ir.cascade.Expr;
import dev.einfall.ir.cascade.Rank;
import dev.einfall.ir.cascade.Tensor;
import dev.einfall.passes.Numerics;
import dev.einfall.passes.Target;
import java.util.List;
import java.util.Set;

/// What a kernel of a recurrence costs by the rows that it takes at a time. More rows share what is read for all of them; fewer leave
/// what lives in the kernel in a nearer cache, and more tasks to the threads.
///
/// The cycles are those of the [CostModel], with the best tiling of each writer; of entering its loops; and of what comes from
/// further away than the first-level cache.
record TileCosts(Target target, Numerics numerics, Set<Tensor> constant) {
  /// Entering the loops of one writer, once.
  private static final double ENTER = 30;

  double of(KernelView view) {
    double cycles = 0;
    for (KernelView.Writer writer : view.writers()) {
      cycles += writer.times() * writer.inside().map(inside -> run(view, writer, inside)).orElse(ENTER);
    }
    double tasks = view.tasks();
    return cycles * Math.ceil(tasks / target.threads()) / tasks;
  }

  private double run(KernelView view, KernelView.Writer writer, Einsum inside) {
    CostModel costs = new CostModel(target, inside, constant, access -> view.isSteady(writer, access), writer.times());
    List<Rank> reduced = Exprs.reduced(inside.value());
    double near = new Tilings(target, numerics, inside, inside.ranks(), reduced).all().stream()
        .map(tiling -> DotSteps.atOnce(target, inside, costs::canCopy, tiling)).mapToDouble(costs::cycles).min().orElse(0);
    double written = further(Exprs.bytes(inside.ranks(), inside.tensor()), view.localBytes());
    return ENTER + near + written + Exprs.accesses(inside.value()).distinct().mapToDouble(access -> {
      double bytes = Exprs.bytes(Exprs.freeRanks(access).stream().filter(rank -> inside.ranks().contains(rank) || reduced.contains(rank)).toList(),
          access.tensor());
      return further(bytes, view.isInside(access.tensor()) ? view.localBytes() : Exprs.bytes(access.tensor()));
    }).sum();
  }

  /// How much longer it takes to move `bytes` of something that has `size` bytes than from the nearest cache.
  private double further(double bytes, double size) {
    return bytes / target.level(size).bytes() - bytes / target.speeds().l1().bytes();
  }
}
