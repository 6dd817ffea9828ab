package dev.einfall.passes.codes;

import dev.einfall.ir.BinaryOp;
import dev.einfall.ir.cascade.Definition;
import dev.einfall.ir.cascade.Einsum;
import dev.einfall.ir.cascade.Expr;
import dev.einfall.ir.cascade.Rank;
import dev.einfall.ir.cascade.Reduction;
import dev.einfall.ir.cascade.Tensor;
import dev.einfall.passes.cascade.Exprs;
import dev.einfall.passes.cascade.Factors;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;

/// One product of [DeferOffsets].
///
/// @param einsum the product
/// @param sum its reduction
/// @param difference the factor `fine - offset`
/// @param rows the factors that rows have
/// @param shared the other factors, which the steps of a group share
/// @param groups the ranks of the reduction along which the offset or a shared factor differs
record OffsetProduct(Einsum einsum, Expr.Reduce sum, Expr.Binary difference, List<Expr> rows, List<Expr> shared, List<Rank> groups) {
  /// With more rows, what is decoded is shared by enough of them.
  private static final int MOST_ROWS = 16;
  /// Fewer steps of a group save too little.
  private static final int LEAST_STEPS = 16;
  /// How many columns the sums of rows have to serve.
  private static final int LEAST_COLUMNS = 16;

  /// @param constant the tensors that weights alone determine
  static Optional<OffsetProduct> of(Einsum einsum, Set<Tensor> constant) {
    Optional<Expr.Reduce> only = Factors.onlySum(einsum.value()).filter(sum -> !sum.ranks().isEmpty());
    if (only.isEmpty()) {
      return Optional.empty();
    }
    Expr.Reduce sum = only.get();
    Rank step = sum.ranks().getLast();
    List<Expr> factors = Factors.of(sum.body()).toList();
    List<Expr> rows = factors.stream().filter(factor -> !Factors.isConstant(factor, constant)).toList();
    List<Expr> differences = factors.stream().filter(factor -> Factors.isConstant(factor, constant) && isDifference(factor, step)).toList();
    List<Expr> shared = factors.stream().filter(factor -> !rows.contains(factor) && !differences.contains(factor)).toList();
    if (differences.size() != 1 || rows.isEmpty()) {
      return Optional.empty();
    }
    Expr.Binary difference = (Expr.Binary) differences.getFirst();
    List<Rank> groups = sum.ranks().stream().filter(rank -> Stream.concat(Stream.of(difference.right()), shared.stream())
        .anyMatch(factor -> Exprs.freeRanks(factor).contains(rank))).toList();
    return Optional.of(new OffsetProduct(einsum, sum, difference, rows, shared, groups)).filter(OffsetProduct::isWorthwhile);
  }

  /// Whether `factor` is something of each step less what neighbouring steps share; numbers are in tables with what they are subtracted from.
  private static boolean isDifference(Expr factor, Rank step) {
    return factor instanceof Expr.Binary(BinaryOp op, Expr fine, Expr offset) && op == BinaryOp.SUB && Exprs.freeRanks(fine).contains(step)
        && !Exprs.freeRanks(offset).contains(step) && Exprs.accesses(offset).findAny().isPresent();
  }

  private boolean isWorthwhile() {
    Set<Rank> ofColumns = Factors.ranks(Stream.concat(shared.stream(), Stream.of(difference)).toList());
    List<Rank> columns = einsum.ranks().stream().filter(ofColumns::contains).toList();
    List<Rank> others = einsum.ranks().stream().filter(rank -> !ofColumns.contains(rank)).toList();
    boolean areApart = columns.stream().noneMatch(Factors.ranks(rows)::contains);
    return areApart && Exprs.volume(others) <= MOST_ROWS && Exprs.volume(steps()) >= LEAST_STEPS && Exprs.volume(columns) >= LEAST_COLUMNS;
  }

  /// The ranks of the reduction inside of a group.
  private List<Rank> steps() {
    return sum.ranks().stream().filter(rank -> !groups.contains(rank)).toList();
  }

  /// @param isCentred whether codes are less their middle in the product
  List<Definition> definitions(boolean isCentred) {
    List<Definition> definitions = new ArrayList<>();
    List<Rank> rowsFirst = Stream.concat(einsum.ranks().stream(), groups.stream()).toList();
    List<Rank> groupsFirst = Stream.concat(groups.stream(), einsum.ranks().stream()).toList();
    Expr sums = defined("sums", Factors.product(rows), steps(), rowsFirst, definitions);
    double middle = isCentred ? middle(difference.left()) : 0;
    List<Expr> ofGroup = new ArrayList<>(List.of(less(difference.right(), middle)));
    ofGroup.addAll(shared);
    Expr offsets = defined("offsets", Factors.product(ofGroup), List.of(), groupsFirst, definitions);
    Expr offset = new Expr.Binary(BinaryOp.MUL, sums, offsets);
    Expr subtracted = groups.isEmpty() ? offset : defined("offset", offset, groups, rowsFirst, definitions);
    Expr.Reduce rest = new Expr.Reduce(sum.reduction(), sum.ranks(), Exprs.rewrite(sum.body(), node -> node.equals(difference) ? less(difference.left(), middle) : node));
    definitions.add(einsum.withValue(Exprs.rewrite(einsum.value(), node -> node.equals(sum) ? new Expr.Binary(BinaryOp.SUB, rest, subtracted) : node)));
    return definitions;
  }

  /// The middle of the numbers that `code` may be, if it is a field of so many bits; 0 otherwise.
  private static double middle(Expr code) {
    return code instanceof Expr.Cast(_, Expr.Binary(BinaryOp op, _, Expr.IntLiteral mask)) && op == BinaryOp.AND && mask.value() > 0 ? mask.value() / 2.0 : 0;
  }

  private static Expr less(Expr number, double middle) {
    return middle == 0 ? number : new Expr.Binary(BinaryOp.SUB, number, new Expr.FloatLiteral(number.type(), middle));
  }

  /// The element of a tensor that has the sum of `value` over `reduced` for each point of its other ranks.
  ///
  /// @param order the ranks that it may have
  private Expr defined(String what, Expr value, List<Rank> reduced, List<Rank> order, List<Definition> definitions) {
    Expr body = reduced.isEmpty() ? value : new Expr.Reduce(Reduction.SUM, reduced, value);
    return AheadOfProduct.element(einsum, what, body, order, definitions);
  }
}
