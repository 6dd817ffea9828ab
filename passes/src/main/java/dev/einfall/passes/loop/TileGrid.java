package dev.einfall.passes.loop;

import dev.einfall.ir.Span;
import dev.einfall.ir.loop.Expr;
import dev.einfall.ir.loop.Stmt.For.Kind;
import dev.einfall.ir.loop.Stmt;
import dev.einfall.ir.loop.Var;
import java.util.function.Function;

/// The square tiles of a product's results, each of which is computed by a block.
///
/// @param tile the rows and columns of a tile
/// @param rowTile the number of a tile among those of its columns
/// @param columnTile its number among those of its rows
record TileGrid(Contraction product, int tile, Var rowTile, Var columnTile) {

  TileGrid(Contraction product, int tile) {
    this(product, tile, Var.counter("m1"), Var.counter("n1"));
  }

  /// How many there are.
  long tiles() {
    return Contraction.iterations(product.batch()) * Indices.parts(product.rowCount(), tile) * Indices.parts(product.columnCount(), tile);
  }

  /// A block with `body` for each tile.
  Stmt tasks(Stmt body, Span span) {
    Var task = Var.counter("task");
    Expr number = new Expr.Ref(task);
    long across = Indices.parts(product.columnCount(), tile);
    long down = Indices.parts(product.rowCount(), tile);
    Stmt inBatch = CollapseLoops.coordinates(product.batch(), Indices.over(number, across * down), body);
    return new Stmt.For(task, Expr.index(tiles()), Kind.BLOCK, new Stmt.Let(columnTile, Indices.rest(number, across),
        new Stmt.Let(rowTile, Indices.rest(Indices.over(number, across), down), inBatch)), span);
  }

  /// The row of the product that is `row` of the tile.
  Expr row(Expr row) {
    return Indices.plus(Indices.times(new Expr.Ref(rowTile), tile), row);
  }

  /// The column of the product that is `column` of the tile.
  Expr column(Expr column) {
    return Indices.plus(Indices.times(new Expr.Ref(columnTile), tile), column);
  }

  /// `body` where the product has this row, and `otherwise` where the last tile is larger than what is left.
  Stmt ifRow(Var row, Stmt body, Stmt otherwise) {
    return below(row, 1, product.rowCount(), body, otherwise);
  }

  /// The same for a column.
  Stmt ifColumn(Var column, Stmt body, Stmt otherwise) {
    return below(column, 1, product.columnCount(), body, otherwise);
  }

  /// The same for `count` rows from `row` on, if both have whole numbers of them.
  Stmt ifRows(Var row, int count, Stmt body, Stmt otherwise) {
    return below(row, count, product.rowCount(), body, otherwise);
  }

  /// The same for columns.
  Stmt ifColumns(Var column, int count, Stmt body, Stmt otherwise) {
    return below(column, count, product.columnCount(), body, otherwise);
  }

  private Stmt below(Var place, int count, long limit, Stmt body, Stmt otherwise) {
    return limit % tile == 0 ? body : new Stmt.If(Indices.below(new Expr.Ref(place), limit - count + 1), body, otherwise);
  }

  /// What is done with the sum of a row and a column of the tile, where the product has these.
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
