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

  /// The operations on elements in one execution of the statements, a loop's body counting once.
  private static long cost(Stmt body) {
    return body.nodes().flatMap(Stmt::exprs).flatMap(UnrollLoops::values).count();
  }

  /// The arithmetic of `expr` outside of indices.
  private static java.util.stream.Stream<Expr> values(Expr expr) {
    return switch (expr) {
      case Expr.FloatLiteral _, Expr.IntLiteral _, Expr.Ref _, Expr.Ramp _ -> java.util.stream.Stream.empty();
      case Expr.Load _ -> java.util.stream.Stream.of(expr);
      case Expr.Broadcast broadcast -> values(broadcast.operand());
      default -> java.util.stream.Stream.concat(java.util.stream.Stream.of(expr), expr.children().flatMap(UnrollLoops::values));
    };
  }
}
