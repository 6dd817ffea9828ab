package dev.einfall.passes.cascade;

import dev.einfall.ir.BinaryOp;
import dev.einfall.ir.Size;
import dev.einfall.ir.cascade.Definition;
import dev.einfall.ir.cascade.Einsum;
import dev.einfall.ir.cascade.Expr;
import dev.einfall.ir.cascade.Mapping;
import dev.einfall.ir.cascade.Rank;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/// The copy of an operand in which what the rows of a tile read at one step lies together, where these rows are short: read as they lie, each is a place in memory
/// of its own, which ends before it comes fast. 11,008 rows of 2 KB take 1.7 ms from memory so, and 1.05 in panels of four rows (Zen 5, C by hand); rows of 4 KB and
/// more are no faster in panels.
///
/// ```
/// Y[n, l] = sum[k](X[k, l] * W[n, k, l])     W_panels[np in 0..32, k, nl in 0..4, l] = W[4 * np + nl, k, l]
/// map Y { split n 4; unroll n0 }         =>  Y[n, l] = sum[k](X[k, l] * W_panels[n / 4, k, n % 4, l])
/// ```
///
/// @param row the rank of `rows` that a tile has
/// @param vector the rank of which a tile has all, and which comes last in memory
record RowPanel(Expr.Access access, Einsum einsum, Rank row, int rows, Rank vector) {
  /// In bytes.
  private static final int LONGEST_ROW = 2048;

  /// That of `access`, if its rows are short.
  ///
  /// @param width how many lanes of `vector` a tile has
  static Optional<RowPanel> of(Expr.Access access, Einsum einsum, Mapping.Nest nest, Rank vector, int width) {
    if (vector.size().value() != width || !CostModel.isPackable(access) || Affine.stride(access, vector).filter(stride -> stride == 1).isEmpty()) {
      return Optional.empty();
    }
    return einsum.ranks().stream().filter(rank -> rank != vector && Exprs.freeRanks(access).contains(rank))
        .flatMap(rank -> tile(rank, nest).map(rows -> new RowPanel(access, einsum, rank, rows, vector)).stream())
        .filter(RowPanel::isShort).findFirst();
  }

  /// How many neighbours along `rank` are the rows of a tile.
  private static Optional<Integer> tile(Rank rank, Mapping.Nest nest) {
    boolean isUnrolled = nest.bindings().contains(new Mapping.Bound(rank.name() + "0", Mapping.Binding.UNROLL));
    return nest.splits().stream().filter(split -> isUnrolled && split.rank().equals(rank.name()) && split.factors().size() == 1)
        .map(split -> split.factors().getFirst()).filter(rows -> rows > 1 && rows < rank.size().value()).findFirst();
  }

  /// Whether a row has several steps, and ends soon.
  private boolean isShort() {
    long steps = reduced().stream().mapToLong(rank -> rank.size().value()).reduce(1, Math::multiplyExact);
    return steps > 1 && steps * vector.size().value() * access.tensor().type().bytes() <= LONGEST_ROW;
  }

  private List<Rank> reduced() {
    Set<Rank> used = Exprs.freeRanks(access);
    return Exprs.reduced(einsum.value()).stream().filter(used::contains).toList();
  }

  /// Adds the Einsum that fills the panels and gives the access to them.
  Expr define(List<Definition> before) {
    Rank panel = new Rank(row.name() + "p", Size.of(Math.ceilDiv(row.size().value(), rows)));
    Rank place = new Rank(row.name() + "l", Size.of(rows));
    Set<Rank> used = Exprs.freeRanks(access);
    PanelCopy copy = new PanelCopy();
    einsum.ranks().stream().filter(rank -> used.contains(rank) && rank != row && rank != vector).forEach(copy::keep);
    copy.add(panel, new Expr.Binary(BinaryOp.DIV, new Expr.Coordinate(row), Expr.index(rows)));
    reduced().forEach(copy::keep);
    copy.add(place, new Expr.Binary(BinaryOp.MOD, new Expr.Coordinate(row), Expr.index(rows)));
    copy.keep(vector);
    copy.put(row, new Expr.Binary(BinaryOp.ADD, new Expr.Binary(BinaryOp.MUL, Expr.index(rows), new Expr.Coordinate(panel)), new Expr.Coordinate(place)));
    return copy.define(access, einsum, row.size().value() % rows == 0, before);
  }
}
