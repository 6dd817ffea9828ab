package dev.einfall.passes.loop;

import static dev.einfall.passes.loop.Indices.over;
import static dev.einfall.passes.loop.Indices.plus;
import static dev.einfall.passes.loop.Indices.rest;
import static dev.einfall.passes.loop.Indices.times;

import dev.einfall.ir.BinaryOp;
import dev.einfall.ir.ElementType;
import dev.einfall.ir.Span;
import dev.einfall.ir.loop.Buffer;
import dev.einfall.ir.loop.Expr;
import dev.einfall.ir.loop.Stmt;
import dev.einfall.ir.loop.Stmt.For.Kind;
import dev.einfall.ir.loop.Var;
import dev.einfall.ir.loop.WarpgroupTile;
import java.util.List;
import java.util.Optional;

/// A layout of core matrices ([WarpgroupTile]) in which a tensor lies in the device's memory already, as [dev.einfall.passes.cascade.PackCores] lays it out:
/// `[lines / 8][depth / piece][8][piece]` of each `depth` steps. One thread copies it to shared memory, as one piece.
///
/// @param lines those of a tile
/// @param steps those of a tile
/// @param depth the steps that are copied at a time
/// @param lanes how many elements are a piece
record PackedCores(int lines, int steps, int depth, int lanes) implements StagedLayout {
  private static final int ROWS = WarpgroupTile.CORE_ROWS;

  /// The layout of the columns' factor, if it lies like that for areas of `width` columns.
  static Optional<PackedCores> of(Contraction product, Expr factor, WarpgroupTile tile, int width, int depth) {
    int piece = WarpgroupTile.CORE_BYTES / factor.type().element().bytes();
    if (!(factor instanceof Expr.Load(Buffer from, List<Expr> indices)) || from.space() != Buffer.Space.GLOBAL || product.columns().size() != 1
        || product.steps().size() != 1) {
      return Optional.empty();
    }
    Expr line = new Expr.Ref(product.columns().getFirst().var());
    Expr step = new Expr.Ref(product.steps().getFirst().var());
    boolean isPacked = indices.equals(List.of(over(step, depth), over(line, ROWS), over(rest(step, depth), piece), rest(line, ROWS), rest(step, piece)))
        && from.extents().subList(2, 5).equals(List.of(depth / piece, ROWS, piece)) && from.extents().get(1) * ROWS % width == 0;
    return isPacked ? Optional.of(new PackedCores(tile.shape().columns(), tile.shape().steps(), depth, piece)) : Optional.empty();
  }

  @Override
  public boolean isAlongSteps() {
    return true;
  }

  @Override
  public Buffer buffer(String name, ElementType type, int count, int depth) {
    return new Buffer(name, type, List.of(count / ROWS, depth / lanes, ROWS, lanes), Buffer.Space.SHARED);
  }

  @Override
  public List<Expr> place(Expr step, Expr line) {
    return List.of(over(line, ROWS), over(step, lanes), rest(line, ROWS), rest(step, lanes));
  }

  @Override
  public List<Expr> places(Expr tileOfSteps, Expr tileOfLines, Expr step, Expr line) {
    return List.of(at(times(tileOfLines, lines / ROWS), lanes(BinaryOp.DIV, line, ROWS)),
        at(times(tileOfSteps, steps / lanes), lanes(BinaryOp.DIV, step, lanes)), lanes(BinaryOp.MOD, line, ROWS), lanes(BinaryOp.MOD, step, lanes));
  }

  /// A thread fills `buffer` with the steps from `first` on, of `count` lines from `firstLine` on: all `depth` of them, of which those that are none are 0.
  Stmt loaded(Buffer buffer, Buffer from, Expr first, Expr firstLine, int count) {
    Expr lane = new Expr.Ramp(Expr.index(0), 1, count * depth);
    Expr group = lanes(BinaryOp.DIV, lane, ROWS * depth);
    Expr piece = lanes(BinaryOp.MOD, lanes(BinaryOp.DIV, lane, ROWS * lanes), depth / lanes);
    Expr row = lanes(BinaryOp.MOD, lanes(BinaryOp.DIV, lane, lanes), ROWS);
    Expr element = lanes(BinaryOp.MOD, lane, lanes);
    List<Expr> to = List.of(group, piece, row, element);
    List<Expr> source = List.of(over(first, depth), at(over(firstLine, ROWS), group), piece, row, element);
    return new Stmt.For(Var.counter("once"), Expr.index(1), Kind.THREAD, new Stmt.Store(buffer, to, new Expr.Load(from, source)), Span.NONE);
  }

  private static Expr lanes(BinaryOp op, Expr lane, int number) {
    return new Expr.Binary(op, lane, new Expr.Broadcast(Expr.index(number), lane.type().lanes()));
  }

  private static Expr at(Expr first, Expr lane) {
    return plus(new Expr.Broadcast(first, lane.type().lanes()), lane);
  }
}
