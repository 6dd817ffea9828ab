package dev.einfall.passes.cascade;

import dev.einfall.ir.cascade.Expr;
import dev.einfall.ir.cascade.Rank;
import dev.einfall.ir.cascade.Var;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;

/// Expressions as values that are equal where they differ but in the names of their ranks, and in what is not asked of the tensors that they access.
///
/// `X[m, k] * W[k, n]` and `Z[i, j] * V[j, o]` have the same form for those who ask nothing but the sizes of tensors, where those are equal.
final class ExprForm {
  private final Map<Rank, Integer> numbers = new IdentityHashMap<>();
  private final Function<Expr.Access, Object> ofAccess;

  /// @param ranks those that are known outside of the expressions, in order; others are numbered where they occur
  /// @param ofAccess what is asked of an access, besides its indices and the value outside of the tensor
  ExprForm(List<Rank> ranks, Function<Expr.Access, Object> ofAccess) {
    this.ofAccess = ofAccess;
    ranks.forEach(this::number);
  }

  private int number(Rank rank) {
    return numbers.computeIfAbsent(rank, _ -> numbers.size());
  }

  Object of(Expr expr) {
    expr.bound().forEach(this::number);
    List<Object> operands = expr.children().map(this::of).toList();
    return switch (expr) {
      case Expr.FloatLiteral _, Expr.IntLiteral _, Expr.Extent _ -> expr;
      case Expr.Coordinate(Rank rank) -> List.of("coordinate", number(rank));
      case Expr.Access access -> List.of("access", ofAccess.apply(access), access.outside().isPresent(), operands);
      case Expr.Unary unary -> List.of(unary.op(), operands);
      case Expr.Binary binary -> List.of(binary.op(), operands);
      case Expr.Select _ -> List.of("where", operands);
      case Expr.Cast cast -> List.of("cast", cast.type(), operands);
      case Expr.Bitcast bitcast -> List.of("bitcast", bitcast.type(), operands);
      case Expr.Reduce reduce -> List.of(reduce.reduction(), sizes(reduce.ranks()), operands);
      case Expr.Fold fold -> List.of(fold.combiner(), sizes(fold.ranks()), fold.component(), operands);
      case Expr.Ref(Var var) -> var;
    };
  }

  private static List<Object> sizes(List<Rank> ranks) {
    return ranks.stream().map(rank -> (Object) rank.size()).toList();
  }
}
