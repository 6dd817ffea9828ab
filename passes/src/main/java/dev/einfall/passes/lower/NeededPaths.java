package dev.einfall.passes.lower;

import static dev.einfall.ir.ElementType.BOOL;

import dev.einfall.ir.UnaryOp;
import dev.einfall.ir.cascade.Expr;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/// Where the reductions of a value are needed: they are computed before the value, also where a `where` around them does
/// not choose them, and must not complain there of indices that leave their bounds.
///
/// ```
/// Y[i] = where(i < N, sum[k](X[i, k]), 0.0)        sum: where i < N
/// ```
final class NeededPaths {
  private static final Expr TRUE = new Expr.IntLiteral(BOOL, 1);
  private static final int MOST_PATHS = 4;

  private final Map<Expr, List<List<Expr>>> paths = new LinkedHashMap<>();

  /// Adds the reductions in `root`, which is needed where all of `conditions` hold.
  void add(Expr root, List<Expr> conditions) {
    if (!root.bound().isEmpty()) {
      paths.computeIfAbsent(root.computation(), _ -> new ArrayList<>()).add(conditions);
    }
    if (root instanceof Expr.Select(Expr condition, Expr whenTrue, Expr whenFalse) && isPlain(condition)) {
      add(condition, conditions);
      add(whenTrue, with(conditions, condition));
      add(whenFalse, with(conditions, new Expr.Unary(UnaryOp.NOT, condition)));
    } else {
      root.children().forEach(child -> add(child, conditions));
    }
  }

  /// The conditions under which `reduction` is needed: each list is one place where it stands, and has what must hold there,
  /// from the outside in. One empty list if it is needed everywhere.
  List<List<Expr>> of(Expr reduction) {
    List<List<Expr>> found = paths.getOrDefault(reduction.computation(), List.of(List.of()));
    return found.size() > MOST_PATHS || found.stream().anyMatch(List::isEmpty) ? List.of(List.of()) : found;
  }

  /// What a reduction makes is not known before it.
  private static boolean isPlain(Expr condition) {
    return !condition.equals(TRUE) && condition.nodes().allMatch(node -> node.bound().isEmpty());
  }

  private static List<Expr> with(List<Expr> conditions, Expr another) {
    List<Expr> more = new ArrayList<>(conditions);
    more.add(another);
    return List.copyOf(more);
  }
}
