package dev.einfall.command.page;

import dev.einfall.ir.BinaryOp;
import dev.einfall.ir.cascade.Definition;
import dev.einfall.ir.cascade.Einsum;
import dev.einfall.ir.cascade.Expr;
import dev.einfall.ir.cascade.Recurrence;
import java.util.List;
import java.util.stream.Stream;

/// What an Einsum does, at a glance.
public enum Kind {
  PRODUCT("product", "a sum of products, like a product of matrices"),
  REDUCTION("reduction", "values combined along ranks"),
  ELEMENTWISE("elementwise", "each element from elements at its own place"),
  GATHER("gather", "places looked up in data"),
  MOVE("move", "elements in another arrangement, nothing computed"),
  ORDERED("ordered", "elements written in order: a recurrence, a scatter or a change of some elements");

  private final String text;
  private final String meaning;

  Kind(String text, String meaning) {
    this.text = text;
    this.meaning = meaning;
  }

  public String text() {
    return text;
  }

  String meaning() {
    return meaning;
  }

  static Kind of(Definition definition) {
    return switch (definition) {
      case Einsum einsum -> of(einsum.value());
      case Recurrence _ -> ORDERED;
    };
  }

  private static Kind of(Expr value) {
    if (value.nodes().anyMatch(Kind::isProduct)) {
      return PRODUCT;
    }
    if (value.nodes().anyMatch(node -> !node.bound().isEmpty())) {
      return REDUCTION;
    }
    if (value.nodes().anyMatch(Kind::isGather)) {
      return GATHER;
    }
    return computes(value) ? ELEMENTWISE : MOVE;
  }

  private static boolean isProduct(Expr node) {
    return node instanceof Expr.Reduce reduce && outsideIndices(reduce.body()).anyMatch(inner ->
        inner instanceof Expr.Binary(BinaryOp op, Expr left, Expr right) && op == BinaryOp.MUL && differ(reads(left), reads(right)));
  }

  /// Whether both read something, and not just the same.
  private static boolean differ(List<Expr> left, List<Expr> right) {
    return !left.isEmpty() && !right.isEmpty() && !left.equals(right);
  }

  private static List<Expr> reads(Expr expr) {
    return outsideIndices(expr).filter(Expr.Access.class::isInstance).distinct().toList();
  }

  private static boolean isGather(Expr node) {
    return node instanceof Expr.Access access
        && access.indices().stream().flatMap(Expr::nodes).anyMatch(Expr.Access.class::isInstance);
  }

  private static boolean computes(Expr value) {
    return outsideIndices(value).anyMatch(node ->
        node instanceof Expr.Binary || node instanceof Expr.Unary || node instanceof Expr.Select);
  }

  private static Stream<Expr> outsideIndices(Expr expr) {
    return expr instanceof Expr.Access ? Stream.of(expr)
        : Stream.concat(Stream.of(expr), expr.children().flatMap(Kind::outsideIndices));
  }
}
