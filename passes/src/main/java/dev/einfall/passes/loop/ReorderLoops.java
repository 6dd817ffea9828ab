package dev.einfall.passes.loop;

import dev.einfall.ir.Diagnostic;
import dev.einfall.ir.loop.Buffer;
import dev.einfall.ir.loop.Expr;
import dev.einfall.ir.loop.Kernel;
import dev.einfall.ir.loop.Stmt;
import dev.einfall.ir.loop.Var;
import dev.einfall.passes.Numerics;
import dev.einfall.passes.Pass;
import java.util.ArrayList;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
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
/// iteration is indexed by its counter, or only accumulates, in any order that the contract allows. Otherwise it stays, with a remark.
///
/// @param lanes loops that become lanes: their dimension of a wider buffer is the last one, wherever the loop stands
public record ReorderLoops(List<String> order, List<String> lanes, Numerics numerics) implements Pass.OnKernel {

  @Override
  public String name() {
    return "reorder-loops";
  }

  @Override
  public Numerics needs() {
    return numerics;
  }

  @Override
  public Kernel apply(Kernel kernel, Consumer<Diagnostic> remarks) {
    return kernel.withBody(new Sinking(order, lanes, numerics, remarks).reordered(kernel.body()));
  }

  /// One run of the pass. Remembers which loop each added dimension of a buffer stands for: dimensions are in the order
  /// of the loops, so that the innermost loop runs along neighbouring elements, or else lanes do.
  private record Sinking(
      List<String> order, List<String> lanes, Numerics numerics, Consumer<Diagnostic> remarks, Map<Buffer, List<String>> dimensions) {

    Sinking(List<String> order, List<String> lanes, Numerics numerics, Consumer<Diagnostic> remarks) {
      this(order, lanes, numerics, remarks, new IdentityHashMap<>());
    }

    Stmt reordered(Stmt body) {
      return Rewrites.statements(body, statement ->
          statement instanceof Stmt.For loop && mustSink(loop, loop.body()) ? sunk(loop) : statement);
    }

    private Stmt sunk(Stmt.For loop) {
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
        return loop.withBody(body);
      }
      return switch (body) {
        case Stmt.For inner when belongsOutside(inner, loop) -> inner.withBody(sink(loop, inner.body()));
        case Stmt.If(Expr condition, Stmt whenTrue, Stmt whenFalse) when !Rewrites.uses(condition, loop.var()) ->
            new Stmt.If(condition, sinkCopy(loop, whenTrue), sinkCopy(loop, whenFalse));
        case Stmt.Block(List<Stmt> statements) ->
            Stmt.block(statements.stream().map(statement -> sinkCopy(loop, statement)).toList());
        case Stmt.Alloc(Buffer buffer, Stmt inner) -> sinkInto(loop, buffer, inner);
        case Stmt.Let(Var var, Expr value, Stmt inner) when !Rewrites.uses(value, loop.var()) ->
            new Stmt.Let(var, value, sink(loop, inner));
        case Stmt.Let(Var var, Expr value, Stmt inner) -> sink(loop, Rewrites.substitute(inner, var, value));
        case Stmt.For _, Stmt.If _, Stmt.Store _, Stmt.Require _, Stmt.Barrier _ -> loop.withBody(body);
      };
    }

    private boolean belongsOutside(Stmt.For inner, Stmt.For loop) {
      return !Rewrites.uses(inner.extent(), loop.var())
          && order.contains(inner.var().name())
          && order.indexOf(inner.var().name()) < order.indexOf(loop.var().name());
    }

    /// `loop`, with a counter of its own, sunk into `body`.
    private Stmt sinkCopy(Stmt.For loop, Stmt body) {
      Var counter = loop.var().copy();
      Stmt.For copy = new Stmt.For(counter, loop.extent(), loop.kind(), body, loop.span());
      return body.equals(Stmt.NOTHING) ? body : sink(copy, Rewrites.substitute(body, loop.var(), new Expr.Ref(counter)));
    }

    /// The allocation of a wider `buffer` around `loop`.
    private Stmt sinkInto(Stmt.For loop, Buffer buffer, Stmt inner) {
      List<String> added = new ArrayList<>(dimensions.getOrDefault(buffer, List.of()));
      String name = loop.var().name();
      int position = (int) added.stream().filter(other -> depth(other) < depth(name)).count();
      added.add(position, name);
      List<Integer> extents = inserted(buffer.extents(), position, Math.toIntExact(Rewrites.constant(loop.extent()).orElseThrow()));
      Buffer wide = new Buffer(buffer.name(), buffer.type(), extents, buffer.space());
      dimensions.put(wide, added);
      Stmt body = Rewrites.redirect(inner, buffer, wide, indices -> inserted(indices, position, new Expr.Ref(loop.var())));
      return new Stmt.Alloc(wide, sink(loop, body));
    }

    private int depth(String loop) {
      return order.indexOf(loop) + (lanes.contains(loop) ? order.size() : 0);
    }

    private static <T> List<T> inserted(List<T> list, int position, T element) {
      List<T> longer = new ArrayList<>(list);
      longer.add(position, element);
      return longer;
    }

    private boolean isIndependent(Stmt.For loop) {
      List<Buffer> inside = loop.body().nodes()
          .filter(Stmt.Alloc.class::isInstance).map(node -> ((Stmt.Alloc) node).buffer()).toList();
      return Rewrites.constant(loop.extent()).isPresent() && loop.body().nodes().allMatch(node ->
          !(node instanceof Stmt.Store store) || inside.contains(store.buffer())
              || store.indices().stream().anyMatch(index -> Rewrites.uses(index, loop.var()))
              || Accumulation.inAnyOrder(store, numerics).filter(step -> step.isAmongItsLike(loop.body())).isPresent());
    }
  }
}
