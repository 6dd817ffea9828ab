package dev.einfall.tests.random;

import dev.einfall.ir.cascade.Expr;
import dev.einfall.ir.cascade.Rank;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;

/// Expressions that are smaller than a given one.
final class SimplerExprs {
  private SimplerExprs() {}

  /// `expr` with one node replaced by a literal or by an operand of the same type, outermost first.
  ///
  /// @param scope the ranks that may be free in it
  static Stream<Expr> of(Expr expr, Set<Rank> scope) {
    boolean isLiteral = expr instanceof Expr.FloatLiteral || expr instanceof Expr.IntLiteral;
    Stream<Expr> literals = isLiteral ? Stream.empty() : Stream.of(1, 0).map(value -> Expr.literal(expr.type(), value));
    Stream<Expr> operands = expr.children().filter(child -> child.type() == expr.type() && isWithin(child, scope));
    Stream<Expr> certain = expr instanceof Expr.Access access && access.outside().isPresent()
        ? Stream.of(new Expr.Access(access.tensor(), access.indices(), Optional.empty())) : Stream.empty();
    List<Expr> children = expr.children().toList();
    Set<Rank> inner = new LinkedHashSet<>(scope);
    inner.addAll(expr.bound());
    Stream<Expr> inside = children.stream().flatMap(child -> of(child, inner)
        .map(changed -> expr.mapChildren(old -> old == child ? changed : old)));
    return Stream.of(literals, operands, certain, inside).flatMap(parts -> parts);
  }

  /// Whether the ranks that `expr` depends on are all in `scope`.
  private static boolean isWithin(Expr expr, Set<Rank> scope) {
    Set<Rank> known = new LinkedHashSet<>(scope);
    expr.nodes().forEach(node -> known.addAll(node.bound()));
    return expr.nodes().allMatch(node -> !(node instanceof Expr.Coordinate(Rank rank)) || known.contains(rank));
  }
}
