package dev.einfall.passes.loop;

import dev.einfall.ir.Diagnostic;
import dev.einfall.ir.loop.Expr;
import dev.einfall.ir.loop.Kernel;
import dev.einfall.ir.loop.Stmt;
import dev.einfall.passes.Pass;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.stream.Stream;

/// Replaces each unrolled loop by one copy of its body for each iteration.
///
/// ```
/// unrolled for i in 0..2 {            A[0] = 0.0
///   A[i] = 0.0                 =>     A[1] = 0.0
/// }
/// ```
///
/// A loop whose copies would hold more than `operations` operations on elements becomes a serial loop: the JIT compiles no large method.
public record UnrollLoops(long operations) implements Pass.OnKernel {

  public UnrollLoops() {
    this(160);
  }

  @Override
  public String name() {
    return "unroll-loops";
  }

  @Override
  public Kernel apply(Kernel kernel, Consumer<Diagnostic> remarks) {
    return kernel.withBody(Rewrites.statements(kernel.body(), statement ->
        statement instanceof Stmt.For loop && loop.kind() == Stmt.For.Kind.UNROLLED ? unrolled(loop) : statement));
  }

  private Stmt unrolled(Stmt.For loop) {
    Optional<Long> extent = Rewrites.constant(loop.extent());
    if (extent.isEmpty() || extent.get() * cost(loop.body()) > operations) {
      return loop.withKind(Stmt.For.Kind.SERIAL);
    }
    List<Stmt> copies = new ArrayList<>();
    for (long i = 0; i < extent.get(); i++) {
      copies.add(Rewrites.substitute(Rewrites.copy(loop.body()), loop.var(), Expr.index(i)));
    }
    return Stmt.block(copies);
  }

  /// The operations on elements in one execution of the statements, a loop's body counting once, and what several load counting once,
  /// too. An accumulator is not loaded.
  private static long cost(Stmt body) {
    List<Expr> values = body.nodes().flatMap(UnrollLoops::values).toList();
    long loads = values.stream().filter(Expr.Load.class::isInstance).count();
    return values.size() - loads + values.stream().filter(Expr.Load.class::isInstance).distinct().count();
  }

  private static Stream<Expr> values(Stmt statement) {
    Stream<Expr> values = statement.exprs().flatMap(UnrollLoops::values);
    return statement instanceof Stmt.Store store
        ? values.filter(value -> !value.equals(new Expr.Load(store.buffer(), store.indices()))) : values;
  }

  /// The arithmetic of `expr` outside of indices and of conditions on these.
  private static Stream<Expr> values(Expr expr) {
    return switch (expr) {
      case Expr.FloatLiteral _, Expr.IntLiteral _, Expr.Ref _, Expr.Ramp _ -> Stream.empty();
      case Expr.Load _ -> Stream.of(expr);
      case Expr.Select(Expr condition, Expr whenTrue, Expr whenFalse) when condition.nodes().noneMatch(Expr.Load.class::isInstance) ->
          Stream.concat(values(whenTrue), values(whenFalse));
      case Expr.Broadcast broadcast -> values(broadcast.operand());
      default -> Stream.concat(Stream.of(expr), expr.children().flatMap(UnrollLoops::values));
    };
  }
}
