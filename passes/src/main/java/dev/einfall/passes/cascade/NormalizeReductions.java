package dev.einfall.passes.cascade;

import static dev.einfall.ir.BinaryOp.GT;
import static dev.einfall.ir.BinaryOp.LT;

import dev.einfall.ir.BinaryOp;
import dev.einfall.ir.Diagnostic;
import dev.einfall.ir.Size;
import dev.einfall.ir.UnaryOp;
import dev.einfall.ir.cascade.Cascade;
import dev.einfall.ir.cascade.Definition;
import dev.einfall.ir.cascade.Einsum;
import dev.einfall.ir.cascade.Expr;
import dev.einfall.ir.cascade.IndexBounds;
import dev.einfall.ir.cascade.Rank;
import dev.einfall.ir.cascade.Recurrence;
import dev.einfall.ir.cascade.Reduction;
import dev.einfall.ir.cascade.Tensor;
import dev.einfall.passes.Pass;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.IdentityHashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Consumer;
import java.util.function.UnaryOperator;

/// Gives each reduction an Einsum of its own, over just the ranks that its value depends on.
///
/// ```
/// A[p, m] = exp(S[p, m] - max[j](S[p, j]))     =>     A_max[p] = max[j](S[p, j])
///                                                     A[p, m] = exp(S[p, m] - A_max[p])
/// ```
///
/// A reduction that is an Einsum's whole value stays, and so do those in recurrences and in Einsums that a mapping speaks
/// of. `argmax` and `argmin` become the least coordinate whose value no other exceeds, so that NaN values make the first
/// coordinate win:
///
/// ```
/// I[p] = argmax[m](S[p, m])     =>     I_max[p] = max[m](S[p, m])
///                                      I[p] = min[m](where(!(S[p, m] < I_max[p]), m, M))
/// ```
public record NormalizeReductions() implements Pass.OnCascade {

  @Override
  public String name() {
    return "normalize-reductions";
  }

  @Override
  public boolean needsSizes() {
    return false;
  }

  @Override
  public Cascade apply(Cascade cascade, Consumer<Diagnostic> remarks) {
    List<Definition> definitions = new ArrayList<>();
    for (Definition definition : cascade.definitions()) {
      definitions.add(switch (definition) {
        case Einsum einsum when cascade.mapping().speaksOf(einsum.tensor()) -> einsum.mapExprs(nested());
        case Einsum einsum -> new Lifting(einsum, definitions).normalized();
        case Recurrence recurrence -> recurrence.mapExprs(nested());
      });
    }
    return cascade.withDefinitions(definitions);
  }

  /// Computes positions by reductions inside reductions, equal ones in one way.
  private static UnaryOperator<Expr> nested() {
    Map<Expr, Expr> positions = new HashMap<>();
    return expr -> nested(expr, positions);
  }

  private static Expr nested(Expr expr, Map<Expr, Expr> positions) {
    Expr inside = expr.mapChildren(child -> nested(child, positions));
    return inside instanceof Expr.Reduce reduce && reduce.reduction().isPosition()
        ? positions.computeIfAbsent(reduce, _ -> position(reduce, Exprs.freshRanks(extreme(reduce)))) : inside;
  }

  /// The extreme value whose position `reduce` is.
  private static Expr.Reduce extreme(Expr.Reduce reduce) {
    Reduction extreme = reduce.reduction() == Reduction.ARGMAX ? Reduction.MAX : Reduction.MIN;
    return new Expr.Reduce(extreme, reduce.ranks(), reduce.body());
  }

  /// The first coordinate whose value `best` does not beat; 0 if there is none at all.
  private static Expr position(Expr.Reduce reduce, Expr best) {
    BinaryOp worse = reduce.reduction() == Reduction.ARGMAX ? LT : GT;
    Rank rank = reduce.ranks().getFirst();
    Expr isWorse = new Expr.Binary(worse, reduce.body(), best);
    Expr position = new Expr.Select(
        new Expr.Unary(UnaryOp.NOT, isWorse), new Expr.Coordinate(rank), new Expr.Extent(rank.size()));
    Expr first = new Expr.Reduce(Reduction.MIN, reduce.ranks(), position);
    boolean mayBeEmpty = !IndexBounds.isNotNegative(rank.size().minus(Size.of(1)));
    return mayBeEmpty ? new Expr.Select(new Expr.Binary(LT, first, new Expr.Extent(rank.size())), first, Expr.index(0)) : first;
  }

  /// The reductions of one Einsum on their way into Einsums before it.
  private record Lifting(Einsum einsum, List<Definition> before, Map<Expr, Expr> lifted) {

    Lifting(Einsum einsum, List<Definition> before) {
      this(einsum, before, new LinkedHashMap<>());
    }

    Einsum normalized() {
      boolean isReduction = !einsum.value().bound().isEmpty();
      return einsum.withValue(isReduction ? reduction(einsum.value(), einsum.ranks()) : lift(einsum.value(), einsum.ranks()));
    }

    /// `expr` with every reduction in it lifted; `scope` are the ranks that may be free in it.
    private Expr lift(Expr expr, List<Rank> scope) {
      if (expr.bound().isEmpty()) {
        return expr.mapChildren(child -> lift(child, scope));
      }
      if (!lifted.containsKey(expr)) {
        lifted.put(expr, define(reduction(hasOtherComponent(expr) ? Exprs.freshRanks(expr) : expr, scope), operation(expr), scope));
      }
      return lifted.get(expr);
    }

    /// Whether another component of the same fold is lifted: the two go on as Einsums of their own.
    private boolean hasOtherComponent(Expr expr) {
      return lifted.keySet().stream().anyMatch(other -> other.computation().equals(expr.computation()));
    }

    /// The reduction `expr` with those inside it lifted.
    private Expr reduction(Expr expr, List<Rank> scope) {
      List<Rank> inside = new ArrayList<>(scope);
      inside.addAll(expr.bound());
      Expr inner = expr.mapChildren(body -> lift(body, inside));
      return inner instanceof Expr.Reduce reduce && reduce.reduction().isPosition()
          ? position(reduce, define(Exprs.freshRanks(extreme(reduce)), extreme(reduce).reduction().text(), scope)) : inner;
    }

    /// Adds an Einsum for `reduce` and gives the access to it.
    private Expr define(Expr reduce, String operation, List<Rank> scope) {
      Set<Rank> free = Exprs.freeRanks(reduce);
      List<Rank> outer = scope.stream().filter(free::contains).toList();
      List<Rank> ranks = outer.stream().map(rank -> new Rank(rank.name(), rank.size())).toList();
      Map<Rank, Expr> renamed = new IdentityHashMap<>();
      for (int i = 0; i < ranks.size(); i++) {
        renamed.put(outer.get(i), new Expr.Coordinate(ranks.get(i)));
      }
      Tensor tensor = new Tensor(einsum.tensor().name() + "_" + operation, reduce.type(),
          ranks.stream().map(Rank::size).toList(), einsum.span());
      before.add(new Einsum(tensor, ranks, Exprs.substitute(reduce, renamed), einsum.span()));
      return new Expr.Access(tensor, Exprs.coordinates(outer));
    }

    private static String operation(Expr reduction) {
      return reduction instanceof Expr.Reduce reduce ? reduce.reduction().text() : ((Expr.Fold) reduction).combiner().name();
    }
  }
}
