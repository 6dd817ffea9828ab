package dev.einfall.passes.loop;

import static dev.einfall.passes.loop.Indices.over;
import static dev.einfall.passes.loop.Indices.plus;
import static dev.einfall.passes.loop.Indices.rest;
import static dev.einfall.passes.loop.Indices.times;

import dev.einfall.ir.BinaryOp;
import dev.einfall.ir.ElementType;
import dev.einfall.ir.loop.Buffer;
import dev.einfall.ir.loop.Expr;
import java.util.List;

/// A layout of core matrices ([dev.einfall.ir.loop.WarpgroupTile]), in pieces of as many elements as are copied at once: `[steps / piece][lines + 1][piece]`
/// where neighbours in memory are steps, and `[lines / piece][steps + 1][piece]` where they are lines. Eight pieces that stand below each other are a
/// core matrix. The one that is left over puts pieces that stand side by side, which threads copy together, into different banks.
///
/// @param lines those of a tile
/// @param steps those of a tile
/// @param isAlongSteps whether neighbours in memory are steps
/// @param lanes how many elements are a piece
record CoreMatrices(int lines, int steps, boolean isAlongSteps, int lanes) implements StagedLayout {
  private static final int GAP = 1;

  @Override
  public Buffer buffer(String name, ElementType type, int count, int depth) {
    int pieces = (isAlongSteps ? depth : count) / lanes;
    return new Buffer(name, type, List.of(pieces, (isAlongSteps ? count : depth) + GAP, lanes), Buffer.Space.SHARED);
  }

  @Override
  public List<Expr> place(Expr step, Expr line) {
    return isAlongSteps ? List.of(number(step), line, inside(step)) : List.of(number(line), step, inside(line));
  }

  @Override
  public List<Expr> places(Expr tileOfSteps, Expr tileOfLines, Expr step, Expr line) {
    return isAlongSteps
        ? List.of(at(times(tileOfSteps, steps / lanes), piece(BinaryOp.DIV, step)), at(times(tileOfLines, lines), line), piece(BinaryOp.MOD, step))
        : List.of(at(times(tileOfLines, lines / lanes), piece(BinaryOp.DIV, line)), at(times(tileOfSteps, steps), step), piece(BinaryOp.MOD, line));
  }

  /// The number of the piece of an element.
  private Expr number(Expr element) {
    return isWhole(element) ? ((Expr.Binary) element).left() : over(element, lanes);
  }

  /// The place of an element in its piece.
  private Expr inside(Expr element) {
    return isWhole(element) ? Expr.index(0) : rest(element, lanes);
  }

  /// Whether it is the first of a piece, by the number of the piece.
  private boolean isWhole(Expr element) {
    return element instanceof Expr.Binary(BinaryOp op, _, Expr size) && op == BinaryOp.MUL && size.equals(Expr.index(lanes));
  }

  private Expr piece(BinaryOp op, Expr lane) {
    return new Expr.Binary(op, lane, new Expr.Broadcast(Expr.index(lanes), lane.type().lanes()));
  }

  private static Expr at(Expr first, Expr lane) {
    return plus(new Expr.Broadcast(first, lane.type().lanes()), lane);
  }
}
