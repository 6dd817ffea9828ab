package dev.einfall.passes.loop;

import static dev.einfall.passes.loop.Indices.over;
import static dev.einfall.passes.loop.Indices.plus;
import static dev.einfall.passes.loop.Indices.rest;
import static dev.einfall.passes.loop.Indices.times;

import dev.einfall.ir.ElementType;
import dev.einfall.ir.loop.Buffer;
import dev.einfall.ir.loop.Expr;
import java.util.List;

/// A layout of tiles one after the other: `[steps / s][lines][s + gap]` for tiles of `s` steps where neighbours in memory are steps, and
/// `[steps / s][lines / l][s][l + gap]` for tiles of `l` lines where they are lines.
///
/// @param lines those of a tile
/// @param steps those of a tile
/// @param isAlongSteps whether neighbours in memory are steps
/// @param lanes how many elements are copied at once
record StagedTiles(int lines, int steps, boolean isAlongSteps, int lanes) implements StagedLayout {

  /// Elements that lie unused between rows, so that these begin in different banks. Rows of one copy fill the banks without.
  private int gap() {
    return (isAlongSteps ? steps : lines) <= lanes ? 0 : lanes;
  }

  @Override
  public Buffer buffer(String name, ElementType type, int count, int depth) {
    int tiles = depth / steps;
    return new Buffer(name, type, isAlongSteps ? List.of(tiles, count, steps + gap()) : List.of(tiles, count / lines, steps, lines + gap()),
        Buffer.Space.SHARED);
  }

  @Override
  public List<Expr> place(Expr step, Expr line) {
    return isAlongSteps ? List.of(over(step, steps), line, rest(step, steps))
        : List.of(over(step, steps), over(line, lines), rest(step, steps), rest(line, lines));
  }

  @Override
  public List<Expr> places(Expr tileOfSteps, Expr tileOfLines, Expr step, Expr line) {
    return isAlongSteps ? List.of(tileOfSteps, plus(new Expr.Broadcast(times(tileOfLines, lines), line.type().lanes()), line), step)
        : List.of(tileOfSteps, tileOfLines, step, line);
  }
}
