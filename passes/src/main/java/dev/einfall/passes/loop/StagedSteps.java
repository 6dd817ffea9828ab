package dev.einfall.passes.loop;

import static dev.einfall.passes.loop.Indices.below;
import static dev.einfall.passes.loop.Indices.plus;
import static dev.einfall.passes.loop.Indices.times;

import dev.einfall.ir.Span;
import dev.einfall.ir.loop.Buffer;
import dev.einfall.ir.loop.Expr;
import dev.einfall.ir.loop.Stmt.For.Kind;
import dev.einfall.ir.loop.Stmt;
import dev.einfall.ir.loop.Var;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/// Takes the steps of a reduction `depth` at a time from memory that a block shares. Where there are enough of them, those that come next are loaded
/// into other buffers meanwhile.
///
/// @param staged what is shared, by the expression that it holds
/// @param steps how many there are
/// @param part what is done with some of them
record StagedSteps(Map<Expr, Buffer> staged, long steps, int depth, Part part) {

  /// What a block does with some steps.
  interface Part {
    /// Fills `buffers` with `count` steps from `first` on.
    Stmt loaded(Map<Expr, Buffer> buffers, Expr first, int count);

    /// Adds the products of `count` steps in `buffers`, from `first` on.
    Stmt taken(Map<Expr, Buffer> buffers, Expr first, int count);
  }

  /// All steps, without barriers but those that let loads overlap.
  ///
  /// @param span the place of the reduction in the program
  Stmt body(Span span) {
    List<Stmt> statements = new ArrayList<>();
    Map<Expr, Buffer> next = new LinkedHashMap<>();
    long full = steps / depth;
    if (full >= 2) {
      staged.forEach((expr, buffer) -> next.put(expr, new Buffer(buffer.name(), buffer.type(), buffer.extents(), buffer.space())));
      statements.add(overlapped(full, next, span));
    } else if (full == 1) {
      statements.add(some(Expr.index(0), depth));
    }
    if (steps % depth > 0) {
      statements.add(some(Expr.index(full * depth), (int) (steps % depth)));
    }
    Stmt body = Stmt.block(statements);
    for (Buffer buffer : staged.values()) {
      body = new Stmt.Alloc(buffer, body);
    }
    for (Buffer buffer : next.values()) {
      body = new Stmt.Alloc(buffer, body);
    }
    return body;
  }

  /// Nobody fills what others still use: a barrier stands between each two.
  private Stmt overlapped(long full, Map<Expr, Buffer> next, Span span) {
    Var pair = Var.counter("k2");
    Expr first = times(new Expr.Ref(pair), 2);
    Expr third = plus(first, Expr.index(2));
    Stmt loaded = part.loaded(staged, times(third, depth), depth);
    Expr second = times(plus(first, Expr.index(1)), depth);
    Stmt body = Stmt.block(
        part.loaded(next, second, depth), part.taken(staged, times(first, depth), depth), new Stmt.Barrier(),
        full % 2 == 1 ? loaded : new Stmt.If(below(third, full), loaded, Stmt.NOTHING),
        part.taken(next, second, depth), new Stmt.Barrier());
    Stmt pairs = new Stmt.For(pair, Expr.index(full / 2), Kind.SERIAL, body, span);
    return Stmt.block(part.loaded(staged, Expr.index(0), depth), new Stmt.Barrier(), pairs,
        full % 2 == 1 ? part.taken(staged, Expr.index((full - 1) * depth), depth) : Stmt.NOTHING);
  }

  private Stmt some(Expr first, int count) {
    return Stmt.block(part.loaded(staged, first, count), part.taken(staged, first, count));
  }
}
