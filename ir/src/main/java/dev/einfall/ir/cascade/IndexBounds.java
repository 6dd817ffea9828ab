package dev.einfall.ir.cascade;

import dev.einfall.ir.BinaryOp;
import dev.einfall.ir.Diagnostic;
import dev.einfall.ir.Size;
import dev.einfall.ir.Span;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/// What values an index takes over its iteration space, as far as they follow from the sizes. Every size is at least 1
/// here: over an empty rank there is no access.
public final class IndexBounds {

  /// The values `low` to `high`, both taken.
  public record Interval(Size low, Size high) {
    static Interval of(Size value) {
      return new Interval(value, value);
    }

    private boolean isPoint() {
      return low.equals(high);
    }
  }

  private static final int MOST_TERMS = 4096;

  private IndexBounds() {}

  /// The interval of an affine index; none for one that depends on data or mixes ranks in another way.
  public static Optional<Interval> interval(Expr index) {
    return switch (index) {
      case Expr.IntLiteral literal -> Optional.of(Interval.of(Size.of(literal.value())));
      case Expr.Extent(Size size) -> Optional.of(Interval.of(size));
      case Expr.Coordinate(Rank rank) when rank.size().equals(Size.of(0)) -> Optional.empty();
      case Expr.Coordinate(Rank rank) -> Optional.of(new Interval(Size.of(0), rank.size().minus(Size.of(1))));
      case Expr.Cast(var type, Expr operand) when type.isInteger() && type.bytes() >= Integer.BYTES -> interval(operand);
      case Expr.Binary(BinaryOp op, Expr left, Expr right) ->
          interval(left).flatMap(a -> interval(right).flatMap(b -> combine(op, a, b)));
      case Expr _ -> Optional.empty();
    };
  }

  private static Optional<Interval> combine(BinaryOp op, Interval a, Interval b) {
    return switch (op) {
      case ADD -> Optional.of(new Interval(a.low.plus(b.low), a.high.plus(b.high)));
      case SUB -> Optional.of(new Interval(a.low.minus(b.high), a.high.minus(b.low)));
      case MUL -> b.isPoint() ? scaled(a, b.low) : a.isPoint() ? scaled(b, a.low) : Optional.empty();
      default -> Optional.empty();
    };
  }

  private static Optional<Interval> scaled(Interval interval, Size factor) {
    if (isNotNegative(factor)) {
      return Optional.of(new Interval(interval.low.times(factor), interval.high.times(factor)));
    }
    return isNotNegative(Size.of(0).minus(factor))
        ? Optional.of(new Interval(interval.high.times(factor), interval.low.times(factor)))
        : Optional.empty();
  }

  /// Why `index` certainly leaves a dimension of `extent` somewhere, such as `reaches -1`; empty when it stays inside
  /// and when that cannot be told from the sizes.
  public static Optional<String> leaves(Expr index, Size extent) {
    Optional<Interval> interval = interval(index);
    if (interval.filter(values -> isNotNegative(values.high.minus(extent))).isPresent()) {
      return Optional.of("reaches " + interval.get().high);
    }
    return interval.filter(values -> isNotNegative(Size.of(-1).minus(values.low)))
        .map(values -> "reaches " + values.low);
  }

  /// Whether an access with `indices` is never made, since one of the ranks in them is empty.
  public static boolean isNowhere(List<Expr> indices) {
    return indices.stream().flatMap(Expr::nodes)
        .anyMatch(node -> node instanceof Expr.Coordinate(Rank rank) && rank.size().equals(Size.of(0)));
  }

  /// Whether every index of `access` certainly stays inside.
  public static boolean isWithin(Expr.Access access) {
    for (int i = 0; i < access.indices().size(); i++) {
      Size last = access.tensor().shape().get(i).minus(Size.of(1));
      boolean within = interval(access.indices().get(i))
          .filter(values -> isNotNegative(values.low) && isNotNegative(last.minus(values.high))).isPresent();
      if (!within) {
        return false;
      }
    }
    return true;
  }

  /// The accesses, outside of the branches of `where`, whose indices certainly leave their tensor: errors of the user's
  /// that can only be seen when sizes are known.
  public static List<Diagnostic> check(Cascade cascade) {
    List<Diagnostic> errors = new ArrayList<>();
    for (Definition definition : cascade.definitions()) {
      switch (definition) {
        case Einsum einsum -> check(einsum.value(), einsum.span(), errors);
        case Recurrence recurrence -> {
          recurrence.condition().ifPresent(condition -> check(condition, recurrence.span(), errors));
          recurrence.updates().forEach(update -> check(update, errors));
        }
      }
    }
    return errors;
  }

  /// Of an update that leaves points out, only what decides about that is evaluated everywhere.
  private static void check(Recurrence.Update update, List<Diagnostic> errors) {
    update.where().ifPresent(where -> check(where, update.span(), errors));
    if (update.where().isEmpty()) {
      update.exprs().forEach(expr -> check(expr, update.span(), errors));
      check(update.tensor(), update.indices(), update.span(), errors);
    }
  }

  private static void check(Expr expr, Span span, List<Diagnostic> errors) {
    switch (expr) {
      case Expr.Select select -> check(select.condition(), span, errors);
      case Expr.Access access when access.outside().isEmpty() -> {
        check(access.tensor(), access.indices(), span, errors);
        access.indices().forEach(index -> check(index, span, errors));
      }
      case Expr _ -> expr.children().forEach(child -> check(child, span, errors));
    }
  }

  private static void check(Tensor tensor, List<Expr> indices, Span span, List<Diagnostic> errors) {
    for (int i = 0; i < indices.size() && !isNowhere(indices); i++) {
      String place = " of dimension " + i + " of `" + tensor.name() + "`, which has size " + tensor.shape().get(i);
      leaves(indices.get(i), tensor.shape().get(i)).ifPresent(how ->
          errors.add(Diagnostic.error(span, "an index " + how + ", outside" + place)));
    }
  }

  /// Whether `size` is 0 or more for every value of its names from 1 on, so far as can be told: with `1 + n` for each
  /// name `n`, no coefficient is negative.
  public static boolean isNotNegative(Size size) {
    if (!isSmall(size)) {
      return false;
    }
    Size shifted = size.substitute(name -> Optional.of(Size.named(name).plus(Size.of(1))));
    return shifted.terms().entrySet().stream().allMatch(term ->
        term.getValue() >= 0 && term.getKey().factors().stream().allMatch(Size.Factor.Name.class::isInstance));
  }

  /// Whether a product of sums, which has a term for each choice of its factors, can be multiplied out.
  private static boolean isSmall(Size size) {
    return size.terms().keySet().stream().mapToDouble(product -> Math.pow(2, product.factors().size())).sum() <= MOST_TERMS;
  }
}
