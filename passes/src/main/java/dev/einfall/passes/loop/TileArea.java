package dev.einfall.passes.loop;

import dev.einfall.ir.loop.Expr;
import dev.einfall.ir.loop.Stmt;
import dev.einfall.ir.loop.Var;
import java.util.function.Function;

/// The results of a product that a block computes: those of some rows and columns, which may reach beyond the product.
///
/// @param height how many rows
/// @param width how many columns
/// @param firstRow the row of the product that is the first
/// @param firstColumn its column
record TileArea(Contraction product, int height, int width, Expr firstRow, Expr firstColumn) {

  /// All results, in whole tiles of `height` rows and `width` columns.
  static TileArea all(Contraction product, int height, int width) {
    return new TileArea(product, (int) Indices.parts(product.rowCount(), height) * height, (int) Indices.parts(product.columnCount(), width) * width,
        Expr.index(0), Expr.index(0));
  }

  /// The row of the product that is `row` of the area.
  Expr row(Expr row) {
    return firstRow.equals(Expr.index(0)) ? row : Indices.plus(firstRow, row);
  }

  /// The column of the product that is `column` of the area.
  Expr column(Expr column) {
    return firstColumn.equals(Expr.index(0)) ? column : Indices.plus(firstColumn, column);
  }

  /// `body` where the product has this row, and `otherwise` where the last area is larger than what is left.
  Stmt ifRow(Var row, Stmt body, Stmt otherwise) {
    return ifRows(row, 1, body, otherwise);
  }

  /// The same for a column.
  Stmt ifColumn(Var column, Stmt body, Stmt otherwise) {
    return ifColumns(column, 1, body, otherwise);
  }

  /// The same for `count` rows from `row` on, if both have whole numbers of them.
  Stmt ifRows(Var row, int count, Stmt body, Stmt otherwise) {
    return below(row, count, product.rowCount(), height, body, otherwise);
  }

  /// The same for columns.
  Stmt ifColumns(Var column, int count, Stmt body, Stmt otherwise) {
    return below(column, count, product.columnCount(), width, body, otherwise);
  }

  private static Stmt below(Var place, int count, long limit, int size, Stmt body, Stmt otherwise) {
    return limit % size == 0 ? body : new Stmt.If(Indices.below(new Expr.Ref(place), limit - count + 1), body, otherwise);
  }

  /// What is done with the sum of a row and a column of the area, where the product has these.
  ///
  /// @param sum replaces each use of the sum
  Stmt finished(Expr row, Expr column, Function<Expr, Expr> sum) {
    Var wholeRow = Var.counter("row");
    Var wholeColumn = Var.counter("column");
    Stmt rest = Rewrites.exprs(product.rest(), node -> product.isSum(node) ? sum.apply(node) : node);
    Stmt placed = Rewrites.copy(CollapseLoops.coordinates(product.rows(), new Expr.Ref(wholeRow),
        CollapseLoops.coordinates(product.columns(), new Expr.Ref(wholeColumn), rest)));
    return new Stmt.Let(wholeRow, row(row), new Stmt.Let(wholeColumn, column(column),
        ifRow(wholeRow, ifColumn(wholeColumn, placed, Stmt.NOTHING), Stmt.NOTHING)));
  }
}
