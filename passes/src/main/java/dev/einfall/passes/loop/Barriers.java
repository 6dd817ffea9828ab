package dev.einfall.passes.loop;

import dev.einfall.ir.loop.BlockAccesses;
import dev.einfall.ir.loop.Expr;
import dev.einfall.ir.loop.Stmt;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;

/// Places barriers in what the threads of a block run: before what uses an element that another thread may have used since the last one, where
/// one of both stores to it.
final class Barriers {

  /// A statement with its barriers, and what is used after the last of them.
  private record Placed(Stmt statement, BlockAccesses used) {}

  private Barriers() {}

  static Stmt place(Stmt body) {
    return place(body, BlockAccesses.NONE).statement;
  }

  private static Placed place(Stmt statement, BlockAccesses before) {
    return switch (statement) {
      case Stmt.Block(List<Stmt> statements) -> {
        List<Stmt> result = new ArrayList<>();
        BlockAccesses used = before;
        for (Stmt inner : statements) {
          Placed placed = place(inner, used);
          result.add(placed.statement);
          used = placed.used;
        }
        Stmt block = Stmt.block(result);
        yield new Placed(block.equals(statement) ? statement : block, used);
      }
      case Stmt.For loop when loop.isDealt() -> after(before, BlockAccesses.of(loop), loop);
      case Stmt.For loop -> loop(loop, before);
      case Stmt.Alloc alloc -> {
        Placed body = place(alloc.body(), before);
        yield new Placed(body.statement == alloc.body() ? alloc : new Stmt.Alloc(alloc.buffer(), body.statement), body.used);
      }
      case Stmt.Let let -> {
        Placed start = after(before, uniform(let), let);
        Placed body = place(let.body(), start.used);
        Stmt changed = body.statement == let.body() ? let : new Stmt.Let(let.var(), let.value(), body.statement);
        yield new Placed(started(start, let, changed), body.used);
      }
      case Stmt.If branch -> {
        Placed start = after(before, uniform(branch), branch);
        Placed yes = place(branch.whenTrue(), start.used);
        Placed no = place(branch.whenFalse(), start.used);
        Stmt changed = yes.statement == branch.whenTrue() && no.statement == branch.whenFalse()
            ? branch : new Stmt.If(branch.condition(), yes.statement, no.statement);
        yield new Placed(started(start, branch, changed), yes.used.and(no.used));
      }
      case Stmt.Store _, Stmt.Require _ -> after(before, uniform(statement), statement);
      case Stmt.Barrier _ -> new Placed(statement, BlockAccesses.NONE);
    };
  }

  private static Placed loop(Stmt.For loop, BlockAccesses before) {
    Placed start = after(before, BlockAccesses.of(Stream.of(loop.extent())), loop);
    Placed body = place(loop.body(), start.used);
    BlockAccesses used = body.used;
    Stmt inside = body.statement;
    // What the end of an iteration and the start of the next one would need is placed at the end of each.
    if (place(inside, used.afterIteration(loop)).statement != inside) {
      inside = Stmt.block(inside, new Stmt.Barrier());
      used = BlockAccesses.NONE;
    }
    return new Placed(started(start, loop, loop.withBody(inside)), start.used.and(used));
  }

  /// The statement, after a barrier if it needs one.
  private static Placed after(BlockAccesses before, BlockAccesses accesses, Stmt statement) {
    return before.conflictsWith(accesses) ? new Placed(Stmt.block(new Stmt.Barrier(), statement), accesses)
        : new Placed(statement, before.and(accesses));
  }

  /// `changed` in the place of `statement`, after the barrier that `start` may have put before that.
  private static Stmt started(Placed start, Stmt statement, Stmt changed) {
    return start.statement == statement ? changed : Stmt.block(new Stmt.Barrier(), changed);
  }

  private static BlockAccesses uniform(Stmt statement) {
    return BlockAccesses.of(statement.exprs().flatMap(Expr::nodes).filter(Expr.Load.class::isInstance));
  }
}
