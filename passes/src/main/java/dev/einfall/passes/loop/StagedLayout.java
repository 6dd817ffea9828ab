package dev.einfall.passes.loop;

import dev.einfall.ir.ElementType;
import dev.einfall.ir.loop.Buffer;
import dev.einfall.ir.loop.Expr;
import java.util.List;

/// How an operand of products of tiles lies in the memory that a block shares. The rows of the left one, and the columns of the right one, are its lines.
sealed interface StagedLayout permits StagedTiles, CoreMatrices, PackedCores {

  /// Whether neighbours in memory are steps, and not lines.
  boolean isAlongSteps();

  /// How many elements are copied at once.
  int lanes();

  /// The memory for `count` lines and `depth` steps.
  Buffer buffer(String name, ElementType type, int count, int depth);

  /// The place of a step and a line.
  List<Expr> place(Expr step, Expr line);

  /// The places of a tile's elements.
  ///
  /// @param tileOfSteps the number of the tile among those of a line
  /// @param tileOfLines the number of the tile among those of a step
  /// @param step the step of each lane
  /// @param line the line of each lane
  List<Expr> places(Expr tileOfSteps, Expr tileOfLines, Expr step, Expr line);
}
