package dev.einfall.passes.cascade;

import dev.einfall.ir.ElementType;
import dev.einfall.ir.cascade.Cascade;
import dev.einfall.ir.cascade.Einsum;
import dev.einfall.ir.cascade.Expr;
import dev.einfall.ir.cascade.Rank;
import dev.einfall.ir.cascade.Recurrence;
import dev.einfall.ir.cascade.Tensor;
import java.util.ArrayList;
import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;

/// Questions about, and substitutions in, expressions of the cascade level.
public final class Exprs {
  private Exprs() {}

  /// `expr` with `change` applied to every node, operands first.
  public static Expr rewrite(Expr expr, UnaryOperator<Expr> change) {
    return change.apply(expr.mapChildren(child -> rewrite(child, change)));
  }

  /// `expr` with each coordinate that `values` knows replaced by the `i32` of its value. No rank that a reduction in `expr`
  /// binds may be known.
  public static Expr substitute(Expr expr, Map<Rank, Expr> values) {
    return rewrite(expr, node -> node instanceof Expr.Coordinate(Rank rank) ? narrow(values.getOrDefault(rank, node)) : node);
  }

  private static Expr narrow(Expr index) {
    return index.type() == ElementType.I32 ? index : new Expr.Cast(ElementType.I32, index);
  }

  /// `expr` with every reduction binding ranks of its own, so that it may stand beside the original.
  public static Expr freshRanks(Expr expr) {
    Expr inside = expr.mapChildren(Exprs::freshRanks);
    if (expr.bound().isEmpty()) {
      return inside;
    }
    Map<Rank, Expr> fresh = new IdentityHashMap<>();
    List<Rank> ranks = new ArrayList<>();
    for (Rank rank : expr.bound()) {
      Rank copy = new Rank(rank.name(), rank.size());
      ranks.add(copy);
      fresh.put(rank, new Expr.Coordinate(copy));
    }
    return withRanks(inside.mapChildren(child -> substitute(child, fresh)), ranks);
  }

  /// A reduction over `ranks` in place of its own; other nodes, which bind none, as they are.
  public static Expr withRanks(Expr expr, List<Rank> ranks) {
    return switch (expr) {
      case Expr.Reduce reduce -> new Expr.Reduce(reduce.reduction(), ranks, reduce.body());
      case Expr.Fold fold -> new Expr.Fold(fold.combiner(), ranks, fold.bodies(), fold.component());
      case Expr.FloatLiteral _, Expr.IntLiteral _, Expr.Coordinate _, Expr.Extent _, Expr.Ref _, Expr.Access _, Expr.Unary _,
          Expr.Binary _, Expr.Select _, Expr.Cast _, Expr.Bitcast _ -> expr;
    };
  }

  /// The ranks whose coordinates `expr` reads and that no reduction in it binds.
  public static Set<Rank> freeRanks(Expr expr) {
    Set<Rank> free = identitySet();
    List<Rank> bound = new ArrayList<>();
    expr.nodes().forEach(node -> {
      if (node instanceof Expr.Coordinate(Rank rank)) {
        free.add(rank);
      }
      bound.addAll(node.bound());
    });
    bound.forEach(free::remove);
    return free;
  }

  public static Stream<Expr.Access> accesses(Expr expr) {
    return expr.nodes().filter(Expr.Access.class::isInstance).map(Expr.Access.class::cast);
  }

  public static Stream<Expr.Reduce> reductions(Expr expr) {
    return expr.nodes().filter(Expr.Reduce.class::isInstance).map(Expr.Reduce.class::cast);
  }

  public static boolean hasReduction(Expr expr) {
    if (!expr.bound().isEmpty()) {
      return true;
    }
    for (Expr operand : expr.operands()) {
      if (hasReduction(operand)) {
        return true;
      }
    }
    return false;
  }

  public static boolean hasFold(Expr expr) {
    return expr.nodes().anyMatch(Expr.Fold.class::isInstance);
  }

  public static boolean reads(Expr expr, Tensor tensor) {
    if (expr instanceof Expr.Access access && access.tensor() == tensor) {
      return true;
    }
    for (Expr operand : expr.operands()) {
      if (reads(operand, tensor)) {
        return true;
      }
    }
    return false;
  }

  /// Whether a recurrence reads `tensor`, or starts with it.
  public static boolean isReadInOrder(Tensor tensor, Cascade cascade) {
    return cascade.definitions().stream()
        .anyMatch(definition -> definition instanceof Recurrence && definition.reads().anyMatch(read -> read == tensor));
  }

  /// The coordinates of `ranks`, as index expressions.
  public static List<Expr> coordinates(List<Rank> ranks) {
    return ranks.stream().<Expr>map(Expr.Coordinate::new).toList();
  }

  /// The number of points of the iteration space of `ranks`.
  public static long volume(List<Rank> ranks) {
    return ranks.stream().mapToLong(rank -> rank.size().value()).reduce(1, Math::multiplyExact);
  }

  /// The bytes of the elements of `tensor` at the points of `ranks`, if each has one of its own.
  public static double bytes(List<Rank> ranks, Tensor tensor) {
    return (double) volume(ranks) * tensor.type().bytes();
  }

  /// The bytes of `tensor`, whose sizes must be known.
  public static double bytes(Tensor tensor) {
    return tensor.shape().stream().mapToDouble(size -> size.value()).reduce(tensor.type().bytes(), (a, b) -> a * b);
  }

  /// The ranks of the first reduction in `expr`; none if it has none.
  public static List<Rank> reduced(Expr expr) {
    return reductions(expr).findFirst().map(Expr.Reduce::ranks).orElse(List.of());
  }

  /// The arithmetic operations of one evaluation outside of index expressions; a transcendental one counts as 16. To ask whether a sum
  /// of counters is inside of a tensor costs nothing: loops are cut where the answer changes.
  public static long operations(Expr expr) {
    long own = ownOperations(expr);
    return expr instanceof Expr.Access ? own : own + expr.children().mapToLong(Exprs::operations).sum();
  }

  /// The operations of `expr` itself, without those of its operands.
  static long ownOperations(Expr expr) {
    return switch (expr) {
      case Expr.FloatLiteral _, Expr.IntLiteral _, Expr.Coordinate _, Expr.Extent _, Expr.Ref _, Expr.Cast _, Expr.Bitcast _ -> 0;
      case Expr.Access access -> access.outside().isPresent() && access.indices().stream().anyMatch(index -> Affine.of(index).isEmpty()) ? 3 : 0;
      case Expr.Binary _, Expr.Select _, Expr.Reduce _ -> 1;
      case Expr.Fold fold -> fold.combiner().combined().stream().mapToLong(Exprs::operations).sum();
      case Expr.Unary unary -> switch (unary.op()) {
        case NEG, NOT, ABS, SIGN, FLOOR, CEIL, ROUND, POPCOUNT -> 1;
        case SQRT, RSQRT -> 8;
        case EXP, LOG, TANH, ERF, SIN, COS -> 16;
      };
    };
  }

  /// `expr` without the choices that coordinates decide: for these, loops are cut or copied, so that either branch is alone where it is
  /// needed. Of both, the one that stays has more operations and accesses.
  static Expr withoutChoices(Expr expr) {
    return rewrite(expr, node -> node instanceof Expr.Select(Expr condition, Expr whenTrue, Expr whenFalse) && accesses(condition).findAny().isEmpty()
        ? (effort(whenTrue) >= effort(whenFalse) ? whenTrue : whenFalse) : node);
  }

  private static long effort(Expr expr) {
    return operations(expr) + accesses(expr).distinct().count();
  }

  /// The Einsum of `einsums` that defines each tensor.
  public static Map<Tensor, Einsum> definitions(List<Einsum> einsums) {
    Map<Tensor, Einsum> definitions = new IdentityHashMap<>();
    einsums.forEach(einsum -> definitions.put(einsum.tensor(), einsum));
    return definitions;
  }

  public static <T> Set<T> identitySet() {
    return Collections.newSetFromMap(new IdentityHashMap<>());
  }
}
