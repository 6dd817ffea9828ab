package dev.einfall.passes.cascade;

import dev.einfall.ir.cascade.Einsum;
import dev.einfall.ir.cascade.Expr;
import dev.einfall.ir.cascade.Rank;
import dev.einfall.passes.Target;
import java.util.List;
import java.util.Set;

/// Whether it pays to copy an operand into panels for each run, though its lanes are neighbours where it is: tiles read parts of its rows, and
/// each step of the reduction reads a part of the next row, so that it takes a little longer than along a panel.
///
/// ```
/// Y[m, n] = sum[k](X[m, k] * Z[k, n])     for m in 0..2048     it pays: tiles of 6 rows read each element of Z 342 times
///                                         for m in 0..128      it does not
/// ```
record PanelCosts(Target target, Einsum einsum, Expr.Access access, Rank vector) {
  /// An element is read, and the place where it is copied to is read and written.
  private static final int MOVES = 3;

  /// Whether all steps that read an element take longer, together, than copying it. Windows read an element at several places, each of which
  /// would have a copy: they stay where they are.
  boolean pay() {
    Set<Rank> used = Exprs.freeRanks(access);
    List<Rank> others = einsum.ranks().stream().filter(rank -> !used.contains(rank)).toList();
    int bytes = access.tensor().type().bytes();
    double uses = Exprs.volume(others) / (double) target.lanes(bytes);
    double longer = uses / target.speeds().operations() * (target.speeds().partOfRow() - 1);
    boolean isOnce = Exprs.bytes(List.copyOf(used), access.tensor()) <= Exprs.bytes(access.tensor());
    return isOnce && longer > MOVES * bytes / target.level(Exprs.bytes(access.tensor())).bytes();
  }
}
