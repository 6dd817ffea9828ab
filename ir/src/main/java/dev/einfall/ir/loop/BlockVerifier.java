package dev.einfall.ir.loop;

import dev.einfall.ir.loop.Stmt.For.Kind;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// Checks the body of a `BLOCK` loop, as [Kernel] describes it:
///
/// - outside of `THREAD`, `WARP` and `WARPGROUP` loops nothing is stored to but registers, and `SHARED` buffers are allocated there;
/// - neither these loops nor barriers stand in such a loop, and it stores to no registers of the outside;
/// - a warp or a group of warps stores vectors only, which its threads share;
/// - a `LOCAL` buffer of the outside is used by its own thread, warp or group only, or reduced as a whole by all threads;
/// - between two uses of an element by different threads, of which one is a store, stands a barrier.
final class BlockVerifier {

  /// Reports what is wrong with a statement.
  interface Check {
    void require(boolean holds, String problem, Stmt statement);
  }

  private final Check check;
  /// The memory of threads or warps that is allocated outside of their loops, and which of both it is, once it is known.
  private final Map<Buffer, Optional<Kind>> ofThreads = new IdentityHashMap<>();

  BlockVerifier(Check check) {
    this.check = check;
  }

  /// Checks `statement`, which all threads of a block run; gives what is used after the last barrier.
  ///
  /// @param before what was used after the last barrier before it
  BlockAccesses verify(Stmt statement, BlockAccesses before) {
    return switch (statement) {
      case Stmt.Block(List<Stmt> statements) -> {
        BlockAccesses used = before;
        for (Stmt inner : statements) {
          used = verify(inner, used);
        }
        yield used;
      }
      case Stmt.For loop when loop.isDealt() -> {
        verifyThread(loop);
        yield next(before, BlockAccesses.of(loop), loop);
      }
      case Stmt.For loop -> {
        check.require(loop.kind() == Kind.SERIAL || loop.kind() == Kind.UNROLLED, "a " + loop.kind() + " loop in a block", loop);
        BlockAccesses start = next(before, BlockAccesses.of(loop.exprs()), loop);
        BlockAccesses once = verify(loop.body(), start);
        yield start.and(once).and(verify(loop.body(), once.afterIteration(loop)));
      }
      case Stmt.Store store -> {
        check.require(store.buffer().space() == Buffer.Space.REGISTER, "a store by all threads to " + store.buffer(), store);
        yield next(before, BlockAccesses.of(store.exprs()), store);
      }
      case Stmt.Alloc(Buffer buffer, Stmt body) -> {
        if (buffer.space() == Buffer.Space.LOCAL) {
          check.require(!buffer.extents().isEmpty(), "memory of threads without an extent for them", statement);
          ofThreads.put(buffer, Optional.empty());
        }
        yield verify(body, before);
      }
      case Stmt.If branch -> {
        BlockAccesses start = next(before, BlockAccesses.of(branch.exprs()), branch);
        yield verify(branch.whenTrue(), start).and(verify(branch.whenFalse(), start));
      }
      case Stmt.Let let -> verify(let.body(), next(before, BlockAccesses.of(let.exprs()), let));
      case Stmt.Require require -> next(before, BlockAccesses.of(require.exprs()), require);
      case Stmt.Barrier _ -> BlockAccesses.NONE;
    };
  }

  private BlockAccesses next(BlockAccesses before, BlockAccesses accesses, Stmt statement) {
    statement.exprs().forEach(expr -> verifyCombined(expr, statement));
    check.require(!before.conflictsWith(accesses), "a barrier is missing", statement);
    return before.and(accesses);
  }

  /// What threads have of their own is known to all when all of it is combined.
  private void verifyCombined(Expr expr, Stmt statement) {
    if (isAllCombined(expr)) {
      return;
    }
    check.require(!(expr instanceof Expr.Load load) || !ofThreads.containsKey(load.buffer()), "memory of a thread in all of them", statement);
    expr.children().forEach(child -> verifyCombined(child, statement));
  }

  private static boolean isAllCombined(Expr expr) {
    return expr instanceof Expr.ReduceLanes(_, Expr.Load(Buffer buffer, List<Expr> indices)) && buffer.extents().size() == 1
        && indices.equals(List.of(new Expr.Ramp(Expr.index(0), 1, buffer.extents().getFirst())));
  }

  private void verifyThread(Stmt.For loop) {
    Map<Buffer, Boolean> own = new IdentityHashMap<>();
    loop.body().nodes().forEach(node -> {
      if (node instanceof Stmt.Alloc(Buffer buffer, _)) {
        check.require(buffer.space() != Buffer.Space.SHARED, "a thread allocates " + buffer + ", which is shared", loop);
        own.put(buffer, true);
      }
      check.require(!(node instanceof Stmt.For inner) || inner.kind() == Kind.SERIAL || inner.kind() == Kind.UNROLLED
          || inner.kind() == Kind.VECTORIZED, "a loop of another kind in a thread", node);
      check.require(!(node instanceof Stmt.Barrier), "a barrier that one thread comes to", loop);
      check.require(!(node instanceof Stmt.Store store) || store.buffer().space() != Buffer.Space.REGISTER || own.containsKey(store.buffer()),
          "a thread stores to registers of the outside", node);
      if (node instanceof Stmt.Store store) {
        check.require(loop.kind() == Kind.THREAD || store.value().type().isVector(), "a warp stores a scalar", node);
        verifyOwn(store.buffer(), store.indices(), loop);
      }
      node.exprs().flatMap(Expr::nodes).forEach(expr -> {
        if (expr instanceof Expr.Load load) {
          verifyOwn(load.buffer(), load.indices(), loop);
        }
      });
    });
  }

  private void verifyOwn(Buffer buffer, List<Expr> indices, Stmt.For loop) {
    if (ofThreads.containsKey(buffer)) {
      Optional<Expr> first = indices.stream().findFirst();
      boolean isFirst = first.equals(Optional.of(new Expr.Ref(loop.var()))) && loop.extent().equals(Expr.index(buffer.extents().getFirst()));
      Optional<Kind> before = ofThreads.put(buffer, Optional.of(loop.kind()));
      check.require(isFirst && before.orElse(loop.kind()) == loop.kind(), "memory of another thread, " + buffer, loop);
    }
  }
}
