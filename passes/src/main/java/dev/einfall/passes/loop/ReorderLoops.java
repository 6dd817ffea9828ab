package dev.einfall.passes.loop;

import dev.einfall.ir.Diagnostic;
import dev.einfall.ir.loop.Buffer;
import dev.einfall.ir.loop.Expr;
import dev.einfall.ir.loop.Kernel;
import dev.einfall.ir.loop.Stmt;
import dev.einfall.ir.loop.Var;
import dev.einfall.passes.Pass;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;

/// Sinks each loop below the loops that come before it in `order`. On its way in a loop is exchanged with loops,
/// goes into the branches of an `if`, is distributed over the statements of a block, and widens a buffer that
/// was allocated for each of its iterations by a dimension.
///
/// ```
/// for m0 in 0..4 {                              alloc acc: f32[4] in local {
///   alloc acc: f32[] in local {                   for m0 in 0..4 {
///     acc[] = 0.0                                   acc[m0] = 0.0
///     for k in 0..9 {                             }
///       acc[] = acc[] + A[m0, k]         =>       for k in 0..9 {
///     }                                             for m0 in 0..4 {
///     Y[m0] = acc[]                                   acc[m0] = acc[m0] + A[m0, k]
///   }                                               }
/// }                                               }
///                                                 for m0 in 0..4 {
///                                                   Y[m0] = acc[m0]
///                                                 }
///                                               }
/// ```
///
/// A loop moves only if its iterations are independent: every buffer that it stores to and that lives longer than an
/// iteration is indexed by its counter. Otherwise it stays, with a remark.
public record ReorderLoops(List<String> order) implements Pass.OnKernel {

  @Override
  public String name() {
    return "reorder-loops";
  }

  @Override
  public Kernel apply(Kernel kernel, Consumer<Diagnostic> remarks) {
    return kernel.withBody(Rewrites.statements(kernel.body(), statement ->
        statement instanceof Stmt.For loop && mustSink(loop, loop.body()) ? sunk(loop, remarks) : statement));
  }

  private Stmt sunk(Stmt.For loop, Consumer<Diagnostic> remarks) {
    if (!isIndependent(loop)) {
      remarks.accept(Diagnostic.remark(loop.span(),
          "loop " + loop.var().name() + " stays outside: its iterations store to the same elements"));
      return loop;
    }
    return sink(loop, loop.body());
  }

  /// Whether some loop in `body` belongs outside of `loop`.
  private boolean mustSink(Stmt.For loop, Stmt body) {
    int own = order.indexOf(loop.var().name());
    return body.nodes().anyMatch(node -> node instanceof Stmt.For inner && order.contains(inner.var().name())
        && order.indexOf(inner.var().name()) < own);
  }

  private Stmt sink(Stmt.For loop, Stmt body) {
    if (!mustSink(loop, body)) {
      return new Stmt.For(loop.var(), loop.extent(), loop.kind(), body, loop.span());
    }
    return switch (body) {
      case Stmt.For inner when belongsOutside(inner, loop) -> inner.withBody(sink(loop, inner.body()));
      case Stmt.For _ -> new Stmt.For(loop.var(), loop.extent(), loop.kind(), body, loop.span());
      case Stmt.If(Expr condition, Stmt whenTrue, Stmt whenFalse) when !Rewrites.uses(condition, loop.var()) ->
          new Stmt.If(condition, sinkCopy(loop, whenTrue), sinkCopy(loop, whenFalse));
      case Stmt.If _ -> new Stmt.For(loop.var(), loop.extent(), loop.kind(), body, loop.span());
      case Stmt.Block(List<Stmt> statements) -> distribute(loop, statements);
      case Stmt.Alloc(Buffer buffer, Stmt inner) -> {
        Buffer wide = widened(buffer, loop);
        yield new Stmt.Alloc(wide, sink(loop, Rewrites.widen(inner, buffer, wide, List.of(new Expr.Ref(loop.var())))));
      }
      case Stmt.Let(Var var, Expr value, Stmt inner) when !Rewrites.uses(value, loop.var()) ->
          new Stmt.Let(var, value, sink(loop, inner));
      case Stmt.Let(Var var, Expr value, Stmt inner) -> sink(loop, Rewrites.substitute(inner, var, value));
      case Stmt.Store _, Stmt.Require _ -> new Stmt.For(loop.var(), loop.extent(), loop.kind(), body, loop.span());
    };
  }

  private boolean belongsOutside(Stmt.For inner, Stmt.For loop) {
    return !Rewrites.uses(inner.extent(), loop.var())
        && order.contains(inner.var().name())
        && order.indexOf(inner.var().name()) < order.indexOf(loop.var().name());
  }

  private Stmt distribute(Stmt.For loop, List<Stmt> statements) {
    List<Stmt> distributed = new ArrayList<>();
    for (Stmt statement : statements) {
      distributed.add(sinkCopy(loop, statement));
    }
    return Stmt.block(distributed);
  }

  /// `loop`, with a counter of its own, sunk into `body`.
  private Stmt sinkCopy(Stmt.For loop, Stmt body) {
    Var counter = loop.var().copy();
    Stmt.For copy = new Stmt.For(counter, loop.extent(), loop.kind(), body, loop.span());
    return body.equals(Stmt.NOTHING) ? body : sink(copy, Rewrites.substitute(body, loop.var(), new Expr.Ref(counter)));
  }

  private static Buffer widened(Buffer buffer, Stmt.For loop) {
    List<Integer> extents = new ArrayList<>();
    extents.add(Math.toIntExact(Rewrites.constant(loop.extent()).orElseThrow()));
    extents.addAll(buffer.extents());
    return new Buffer(buffer.name(), buffer.type(), extents, buffer.space());
  }

  private static boolean isIndependent(Stmt.For loop) {
    List<Buffer> inside = loop.body().nodes().filter(Stmt.Alloc.class::isInstance).map(node -> ((Stmt.Alloc) node).buffer()).toList();
    return Rewrites.constant(loop.extent()).isPresent() && loop.body().nodes().allMatch(node ->
        !(node instanceof Stmt.Store store) || inside.contains(store.buffer())
            || store.indices().stream().anyMatch(index -> Rewrites.uses(index, loop.var())));
  }
}
