package dev.einfall.passes.loop;

import dev.einfall.ir.Span;
import dev.einfall.ir.loop.Expr;
import dev.einfall.ir.loop.Stmt;
import dev.einfall.ir.loop.Stmt.For.Kind;
import dev.einfall.ir.loop.Var;

/// The tiles of a product's results, each of which is computed by a block.
///
/// @param height the rows of a tile
/// @param width its columns
/// @param rowTile the number of a tile among those of its columns
/// @param columnTile its number among those of its rows
record TileGrid(Contraction product, int height, int width, Var rowTile, Var columnTile) {

  /// Square ones.
  TileGrid(Contraction product, int tile) {
    this(product, tile, tile);
  }

  TileGrid(Contraction product, int height, int width) {
    this(product, height, width, Var.counter("m1"), Var.counter("n1"));
  }

  /// How many there are.
  long tiles() {
    return Contraction.iterations(product.batch()) * Indices.parts(product.rowCount(), height) * Indices.parts(product.columnCount(), width);
  }

  /// A block with `body` for each tile.
  Stmt tasks(Stmt body, Span span) {
    Var task = Var.counter("task");
    Expr number = new Expr.Ref(task);
    long across = Indices.parts(product.columnCount(), width);
    long down = Indices.parts(product.rowCount(), height);
    Stmt inBatch = CollapseLoops.coordinates(product.batch(), Indices.over(number, across * down), body);
    return new Stmt.For(task, Expr.index(tiles()), Kind.BLOCK, new Stmt.Let(columnTile, Indices.rest(number, across),
        new Stmt.Let(rowTile, Indices.rest(Indices.over(number, across), down), inBatch)), span);
  }

  /// The tile of a block.
  TileArea area() {
    return new TileArea(product, height, width, Indices.times(new Expr.Ref(rowTile), height), Indices.times(new Expr.Ref(columnTile), width));
  }
}
