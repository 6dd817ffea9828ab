package dev.einfall.passes.algebra;

import dev.einfall.ir.BinaryOp;
import dev.einfall.ir.cascade.Combination;
import dev.einfall.ir.cascade.Combiner;
import dev.einfall.ir.cascade.Expr;
import dev.einfall.ir.cascade.Reduction;
import dev.einfall.ir.cascade.Var;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.Map;
import java.util.Set;

/// What may leave a reduction.
///
/// @param sums `f + g` is reduced by reducing `f` and `g`
/// @param scales a factor of all values leaves the reduction
/// @param anySign also one that may be negative
/// @param shifts an addend of all values leaves the reduction
/// @param orders the reduction picks the largest or smallest value, so that increasing functions leave it
public record Laws(boolean sums, boolean scales, boolean anySign, boolean shifts, boolean orders) {

  /// The laws of `reduction`; of a position, those of the extreme value there.
  public static Laws of(Reduction reduction) {
    return switch (reduction) {
      case SUM -> new Laws(true, true, true, false, false);
      case MAX, MIN, ARGMAX, ARGMIN -> new Laws(false, true, false, true, true);
      case PROD, ANY, ALL -> new Laws(false, false, false, false, false);
    };
  }

  /// The laws of a reduction of the program's own, as they follow from its definition, for values of which just the
  /// components `changed` are shifted or scaled.
  public static Laws of(Combiner combiner, Set<Integer> changed) {
    return new Laws(false, commutes(combiner, changed, BinaryOp.MUL), false, commutes(combiner, changed, BinaryOp.ADD), false);
  }

  /// What is known of any combination of single values.
  public static Laws of(Combination combination) {
    return switch (combination) {
      case Reduction reduction -> of(reduction);
      case Combiner combiner -> of(combiner, new LinkedHashSet<>(Set.of(0)));
    };
  }

  /// Whether combining `a op t` and `b op t` gives the combination of `a` and `b`, `op t`. A `t` that scales is not negative.
  private static boolean commutes(Combiner combiner, Set<Integer> changed, BinaryOp op) {
    Var by = new Var("t", combiner.types().get(changed.iterator().next()));
    if (!by.type().isFloat() || changed.stream().anyMatch(component -> combiner.types().get(component) != by.type())) {
      return false;
    }
    Canonical canonical = new Canonical(new SignAnalysis(expr -> expr.equals(new Expr.Ref(by)) && op == BinaryOp.MUL));
    Map<Var, Expr> moved = new HashMap<>();
    for (int component : changed) {
      for (Var operand : java.util.List.of(combiner.left().get(component), combiner.right().get(component))) {
        moved.put(operand, new Expr.Binary(op, new Expr.Ref(operand), new Expr.Ref(by)));
      }
    }
    try {
      for (int i = 0; i < combiner.combined().size(); i++) {
        Expr combined = combiner.combined().get(i);
        Expr expected = changed.contains(i) ? new Expr.Binary(op, combined, new Expr.Ref(by)) : combined;
        if (!canonical.normal(canonical.of(replaced(combined, moved))).equals(canonical.normal(canonical.of(expected)))) {
          return false;
        }
      }
      return true;
    } catch (ArithmeticException _) {
      return false;
    }
  }

  private static Expr replaced(Expr expr, Map<Var, Expr> values) {
    return expr instanceof Expr.Ref(Var var) ? values.getOrDefault(var, expr) : expr.mapChildren(child -> replaced(child, values));
  }
}
