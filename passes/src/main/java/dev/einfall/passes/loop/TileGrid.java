package dev.einfall.passes.loop;

import dev.einfall.ir.Span;
import dev.einfall.ir.loop.Expr;
import dev.einfall.ir.loop.Stmt;
import dev.einfall.ir.loop.Stmt.For.Kind;
import dev.einfall.ir.loop.Var;

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

  /// The tile of a block.
  TileArea area() {
    return new TileArea(product, tile, tile, Indices.times(new Expr.Ref(rowTile), tile), Indices.times(new Expr.Ref(columnTile), tile));
  }
}
