package dev.einfall.passes.loop;

import dev.einfall.ir.loop.Expr;
import dev.einfall.ir.loop.Ranges;
import dev.einfall.ir.loop.Stmt;
import dev.einfall.passes.Numerics;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/// Loops of constant extents, one directly in the other, whose iterations do not depend on each other.
///
/// @param loops from the outermost on
/// @param body what the innermost one does
/// @param ranges what is known in there
record IndependentNest(List<Stmt.For> loops, Stmt body, Ranges ranges) {
  /// A counter over all iterations must be an `i32`.
  private static final long MOST = 1L << 30;

  /// The nest that `statement` begins with; it has no loops if there is none.
  static IndependentNest of(Stmt statement, Ranges ranges) {
    List<Stmt.For> loops = new ArrayList<>();
    Stmt body = statement;
    Ranges inside = ranges;
    long iterations = 1;
    while (body instanceof Stmt.For loop && loop.kind() != Stmt.For.Kind.UNROLLED) {
      Optional<Long> extent = Rewrites.constant(loop.extent());
      if (extent.isEmpty() || iterations * extent.get() > MOST || !Independence.holds(loop, inside)) {
        break;
      }
      iterations *= extent.get();
      loops.add(loop);
      inside = inside.loop(loop.var(), loop.extent());
      body = loop.body();
    }
    return new IndependentNest(List.copyOf(loops), body, inside);
  }

  /// How many iterations there are: 1 where there is no loop.
  long iterations() {
    return loops.stream().mapToLong(loop -> Rewrites.constant(loop.extent()).orElseThrow()).reduce(1, Math::multiplyExact);
  }

  /// The body with the counters of all loops made of `index`, the number of an iteration.
  Stmt bodyAt(Expr index) {
    return CollapseLoops.coordinates(loops, index, body);
  }

  /// The most iterations of a nest in `statement`, or of a reduction that threads can share.
  static long width(Stmt statement, Ranges ranges, Numerics numerics) {
    return switch (statement) {
      case Stmt.Block(List<Stmt> statements) -> {
        long width = 1;
        Ranges after = ranges;
        for (Stmt inner : statements) {
          width = Math.max(width, width(inner, after, numerics));
          after = inner instanceof Stmt.Require require ? after.assume(require.condition(), true) : after;
        }
        yield width;
      }
      case Stmt.For loop -> {
        IndependentNest nest = of(loop, ranges);
        if (!nest.loops.isEmpty()) {
          yield Math.max(nest.iterations(), width(nest.body, nest.ranges, numerics));
        }
        long inside = width(loop.body(), ranges.loop(loop.var(), loop.extent()), numerics);
        yield Math.max(inside, ThreadReduction.of(loop, ranges, numerics).map(ThreadReduction::iterations).orElse(1L));
      }
      case Stmt.Alloc alloc -> width(alloc.body(), ranges, numerics);
      case Stmt.If branch -> Math.max(width(branch.whenTrue(), ranges.assume(branch.condition(), true), numerics),
          width(branch.whenFalse(), ranges.assume(branch.condition(), false), numerics));
      case Stmt.Let let -> width(let.body(), ranges.let(let.var(), let.value()), numerics);
      case Stmt.Store _, Stmt.Require _, Stmt.Barrier _ -> 1;
    };
  }
}
