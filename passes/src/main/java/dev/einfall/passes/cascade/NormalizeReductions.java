package dev.einfall.passes.cascade;

import static dev.einfall.ir.BinaryOp.GT;
import static dev.einfall.ir.BinaryOp.LT;

import dev.einfall.ir.BinaryOp;
import dev.einfall.ir.Diagnostic;
import dev.einfall.ir.UnaryOp;
import dev.einfall.ir.cascade.Cascade;
import dev.einfall.ir.cascade.Einsum;
import dev.einfall.ir.cascade.Expr;
import dev.einfall.ir.cascade.Rank;
import dev.einfall.ir.cascade.Reduction;
import dev.einfall.ir.cascade.Tensor;
import dev.einfall.passes.Pass;
import java.util.ArrayList;
import java.util.IdentityHashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Consumer;

/// Gives each reduction an Einsum of its own, over just the ranks that its value depends on.
///
/// ```
/// A[p, m] = exp(S[p, m] - max[j](S[p, j]))     =>     A_max[p] = max[j](S[p, j])
///                                                     A[p, m] = exp(S[p, m] - A_max[p])
/// ```
///
/// A reduction that is an Einsum's whole value stays. `argmax` and `argmin` become the least coordinate whose value no
/// other exceeds, so that NaN values make the first coordinate win:
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
    List<Einsum> einsums = new ArrayList<>();
    for (Einsum einsum : cascade.einsums()) {
      Einsum normalized = new Lifting(einsum, einsums).normalized();
      einsums.add(normalized);
    }
    return cascade.withEinsums(einsums);
  }

  /// The reductions of one Einsum on their way into Einsums before it.
  private record Lifting(Einsum einsum, List<Einsum> before, Map<Expr, Expr> lifted) {

    Lifting(Einsum einsum, List<Einsum> before) {
      this(einsum, before, new LinkedHashMap<>());
    }

    Einsum normalized() {
      Expr value = einsum.value() instanceof Expr.Reduce reduce ? root(reduce) : lift(einsum.value(), einsum.ranks());
      return einsum.withValue(value);
    }

    private Expr root(Expr.Reduce reduce) {
      Expr.Reduce lifted = body(reduce, einsum.ranks());
      return lifted.reduction().isPosition() ? firstPosition(lifted, einsum.ranks()) : lifted;
    }

    /// `expr` with every reduction in it lifted; `scope` are the ranks that may be free in it.
    private Expr lift(Expr expr, List<Rank> scope) {
      if (!(expr instanceof Expr.Reduce reduce)) {
        return expr.mapChildren(child -> lift(child, scope));
      }
      if (!lifted.containsKey(reduce)) {
        Expr.Reduce inner = body(reduce, scope);
        lifted.put(reduce, define(inner.reduction().isPosition() ? firstPosition(inner, scope) : inner, scope));
      }
      return lifted.get(reduce);
    }

    /// `reduce` with the reductions inside its body lifted.
    private Expr.Reduce body(Expr.Reduce reduce, List<Rank> scope) {
      List<Rank> inside = new ArrayList<>(scope);
      inside.addAll(reduce.ranks());
      return (Expr.Reduce) reduce.mapChildren(body -> lift(body, inside));
    }

    private Expr.Reduce firstPosition(Expr.Reduce reduce, List<Rank> scope) {
      Reduction extreme = reduce.reduction() == Reduction.ARGMAX ? Reduction.MAX : Reduction.MIN;
      BinaryOp worse = extreme == Reduction.MAX ? LT : GT;
      Expr best = define((Expr.Reduce) Exprs.freshRanks(new Expr.Reduce(extreme, reduce.ranks(), reduce.body())), scope);
      Rank rank = reduce.ranks().getFirst();
      Expr isWorse = new Expr.Binary(worse, reduce.body(), best);
      Expr position = new Expr.Select(
          new Expr.Unary(UnaryOp.NOT, isWorse), new Expr.Coordinate(rank), new Expr.Extent(rank.size()));
      return new Expr.Reduce(Reduction.MIN, reduce.ranks(), position);
    }

    /// Adds an Einsum for `reduce` and gives the access to it.
    private Expr define(Expr.Reduce reduce, List<Rank> scope) {
      Set<Rank> free = Exprs.freeRanks(reduce);
      List<Rank> outer = scope.stream().filter(free::contains).toList();
      List<Rank> ranks = outer.stream().map(rank -> new Rank(rank.name(), rank.size())).toList();
      Map<Rank, Expr> renamed = new IdentityHashMap<>();
      for (int i = 0; i < ranks.size(); i++) {
        renamed.put(outer.get(i), new Expr.Coordinate(ranks.get(i)));
      }
      Tensor tensor = new Tensor(einsum.tensor().name() + "_" + reduce.reduction().text(), reduce.type(),
          ranks.stream().map(Rank::size).toList(), einsum.span());
      before.add(new Einsum(tensor, ranks, Exprs.substitute(reduce, renamed), einsum.span()));
      return new Expr.Access(tensor, Exprs.coordinates(outer));
    }
  }
}
