package dev.einfall.passes.loop;

import static dev.einfall.passes.loop.Indices.over;
import static dev.einfall.passes.loop.Indices.plus;
import static dev.einfall.passes.loop.Indices.rest;
import static dev.einfall.passes.loop.Indices.times;

import dev.einfall.ir.Span;
import dev.einfall.ir.loop.Buffer;
import dev.einfall.ir.loop.Expr;
import dev.einfall.ir.loop.Stmt;
import dev.einfall.ir.loop.Stmt.For.Kind;
import dev.einfall.ir.loop.Var;
import java.util.List;

/// A tile of which each thread of a block has some elements in registers. They are `down` rows and `across` columns apart, so that neighbours of a row
/// are those of neighbours in a warp, which store them together and load from different banks.
///
/// @param down how many rows of threads there are
/// @param across how many threads a row has
/// @param rows those of a thread
/// @param columns those of a thread
record ThreadTile(int down, int across, int rows, int columns) {

  /// What a thread does for one of its elements.
  interface Element {
    /// @param own the indices in the thread's memory
    /// @param row its place in the tile
    Stmt of(List<Expr> own, Expr row, Expr column);
  }

  /// What the elements are kept in.
  Buffer memory(Buffer element) {
    return new Buffer(element.name(), element.type(), List.of(down * across, rows, columns), Buffer.Space.LOCAL);
  }

  /// All threads do `element` for each of theirs; its own loop goes around all of a thread's elements.
  Stmt each(Element element) {
    Var thread = Var.counter("t");
    Var i = Var.counter("i");
    Var j = Var.counter("j");
    Expr t = new Expr.Ref(thread);
    Expr row = plus(times(new Expr.Ref(i), down), over(t, across));
    Expr column = plus(times(new Expr.Ref(j), across), rest(t, across));
    Stmt one = element.of(List.of(t, new Expr.Ref(i), new Expr.Ref(j)), row, column);
    Stmt all = one instanceof Stmt.For loop ? loop.withBody(elements(i, j, loop.body())) : elements(i, j, one);
    return new Stmt.For(thread, Expr.index((long) down * across), Kind.THREAD, all, Span.NONE);
  }

  private Stmt elements(Var i, Var j, Stmt body) {
    return new Stmt.For(i, Expr.index(rows), Kind.SERIAL, new Stmt.For(j, Expr.index(columns), Kind.SERIAL, body, Span.NONE), Span.NONE);
  }
}
