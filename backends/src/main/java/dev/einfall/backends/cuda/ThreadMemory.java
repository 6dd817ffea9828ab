package dev.einfall.backends.cuda;

import dev.einfall.backends.kernel.FreeNames;
import dev.einfall.ir.loop.Buffer;
import dev.einfall.ir.loop.Expr;
import dev.einfall.ir.loop.Stmt;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.function.Function;

/// Takes the memory of a block's threads, warps or groups of these apart: each has variables of its own, without the index that says which thread it is.
///
/// ```
/// alloc sum: f32[256, 4] in local {             alloc sum: f32[4] in local {
///   thread for t in 0..256 { .. sum[t, i] ..  =>   thread for t in 0..256 { .. sum[i] ..
/// ```
final class ThreadMemory {
  private final Map<Buffer, Buffer> own = new IdentityHashMap<>();
  private Stmt body = Stmt.NOTHING;

  private ThreadMemory() {}

  static ThreadMemory of(Stmt body) {
    ThreadMemory memory = new ThreadMemory();
    memory.body = memory.statement(body, false);
    return memory;
  }

  /// The statement on variables of a thread's own.
  Stmt body() {
    return body;
  }

  /// The variable that a thread has of `buffer`, which a reduction over all threads is of.
  Buffer part(Buffer buffer) {
    return own.get(buffer);
  }

  /// How many threads a block must have, if that matters: each iteration of a loop over such memory is another thread's.
  static OptionalInt threads(Stmt body) {
    if (body instanceof Stmt.Alloc(Buffer buffer, Stmt inside) && buffer.space() == Buffer.Space.LOCAL) {
      return OptionalInt.of(buffer.extents().getFirst() * owner(buffer, inside));
    }
    return body instanceof Stmt.For loop && loop.isDealt() ? OptionalInt.empty()
        : body.children().map(ThreadMemory::threads).filter(OptionalInt::isPresent).findFirst().orElse(OptionalInt.empty());
  }

  /// How many threads have one element of the first extent of `buffer`.
  private static int owner(Buffer buffer, Stmt body) {
    return body.nodes().filter(node -> node instanceof Stmt.For loop && loop.isDealt() && FreeNames.of(loop).buffers().contains(buffer))
        .mapToInt(node -> CudaKernel.threadsOf(((Stmt.For) node).kind())).findFirst().orElse(1);
  }

  private Stmt statement(Stmt statement, boolean inThread) {
    Function<Stmt, Stmt> inside = child -> statement(child, inThread || statement instanceof Stmt.For loop && loop.isDealt());
    if (statement instanceof Stmt.Alloc(Buffer buffer, Stmt body) && buffer.space() == Buffer.Space.LOCAL && !inThread) {
      Buffer part = new Buffer(buffer.name(), buffer.type(), buffer.extents().subList(1, buffer.extents().size()), Buffer.Space.LOCAL);
      own.put(buffer, part);
      return new Stmt.Alloc(part, inside.apply(body));
    }
    Stmt changed = statement.mapChildren(inside::apply, this::expr);
    return changed instanceof Stmt.Store(Buffer buffer, List<Expr> indices, Expr value) && own.containsKey(buffer)
        ? new Stmt.Store(own.get(buffer), rest(indices), value) : changed;
  }

  private Expr expr(Expr expr) {
    if (expr instanceof Expr.ReduceLanes) {
      return expr;
    }
    Expr changed = expr.mapChildren(this::expr);
    return changed instanceof Expr.Load(Buffer buffer, List<Expr> indices) && own.containsKey(buffer)
        ? new Expr.Load(own.get(buffer), rest(indices)) : changed;
  }

  private static List<Expr> rest(List<Expr> indices) {
    return indices.subList(1, indices.size());
  }
}
