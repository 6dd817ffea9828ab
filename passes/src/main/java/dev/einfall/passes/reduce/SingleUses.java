package dev.einfall.passes.reduce;

import dev.einfall.ir.cascade.Expr;
import dev.einfall.ir.cascade.Rank;
import dev.einfall.ir.cascade.Recurrence;
import dev.einfall.ir.cascade.Tensor;
import dev.einfall.passes.cascade.Exprs;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/// Computes temporaries of a step that are read in one place there.
///
/// ```
/// T[p, m0] = sum[e](Q[p, e] * K[m0, e])
/// S[p, m0] = T[p, m0] * 0.125                =>     S[p, m0] = sum[e](Q[p, e] * K[m0, e]) * 0.125
/// ```
///
/// Elements that do not exist are left out by the reader too.
record SingleUses(Set<Tensor> temporaries) {

  /// The updates without such temporaries.
  List<Recurrence.Update> in(List<Recurrence.Update> updates) {
    List<Recurrence.Update> current = new ArrayList<>(updates);
    for (Recurrence.Update update : updates) {
      if (temporaries.contains(update.tensor())) {
        inline(current, update.tensor());
      }
    }
    return current;
  }

  private static void inline(List<Recurrence.Update> updates, Tensor tensor) {
    List<Recurrence.Update> writers = updates.stream().filter(update -> update.tensor() == tensor).toList();
    List<Recurrence.Update> readers = updates.stream().filter(update -> reads(update, tensor) > 0).toList();
    if (writers.size() != 1 || readers.size() != 1 || reads(readers.getFirst(), tensor) != 1) {
      return;
    }
    int from = updates.indexOf(writers.getFirst());
    int to = updates.indexOf(readers.getFirst());
    Recurrence.Update writer = updates.get(from);
    Recurrence.Update reader = updates.get(to);
    if (from < to && isAsOften(reader, tensor) && isUnchanged(writer.value(), updates.subList(from + 1, to + 1))) {
      updates.set(to, reader.mapExprs(expr -> Exprs.rewrite(expr, node -> value(node, writer))));
      updates.remove(from);
    }
  }

  private static long reads(Recurrence.Update update, Tensor tensor) {
    return update.exprs().flatMap(Exprs::accesses).filter(access -> access.tensor() == tensor).count();
  }

  /// Whether the reader asks for each element once.
  private static boolean isAsOften(Recurrence.Update reader, Tensor tensor) {
    Optional<Expr.Access> access = Exprs.accesses(reader.value()).filter(a -> a.tensor() == tensor).findFirst();
    List<Rank> around = new ArrayList<>(reader.ranks());
    reader.value().nodes().filter(node -> node.bound().size() > 0 && Exprs.reads(node, tensor)).forEach(node -> around.addAll(node.bound()));
    return access.isPresent() && Exprs.freeRanks(access.get()).containsAll(around);
  }

  private static boolean isUnchanged(Expr value, List<Recurrence.Update> between) {
    return between.stream().noneMatch(update -> Exprs.reads(value, update.tensor()));
  }

  private static Expr value(Expr node, Recurrence.Update writer) {
    return node instanceof Expr.Access access && access.tensor() == writer.tensor()
        ? Exprs.freshRanks(Exprs.substitute(writer.value(), Deferral.renamed(writer.ranks(), access.indices()))) : node;
  }
}
