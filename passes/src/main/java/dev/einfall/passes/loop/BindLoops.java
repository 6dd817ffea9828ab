package dev.einfall.passes.loop;

import dev.einfall.ir.Diagnostic;
import dev.einfall.ir.cascade.Mapping;
import dev.einfall.ir.loop.Kernel;
import dev.einfall.ir.loop.Stmt;
import dev.einfall.passes.Pass;
import java.util.List;
import java.util.function.Consumer;

/// Gives loops the kinds that a mapping asks for.
///
/// ```
/// for i in 0..4 {            parallel for i in 0..4 {
///   for j in 0..8 {     =>     vectorized for j in 0..8 {
/// ```
///
/// A `parallel` loop in another one stays serial, unless they are all at the outside, and so does one that is inside where others are at
/// the outside, or whose extent is not constant.
public record BindLoops(List<Mapping.Bound> bindings) implements Pass.OnKernel {

  @Override
  public String name() {
    return "bind-loops";
  }

  @Override
  public Kernel apply(Kernel kernel, Consumer<Diagnostic> remarks) {
    boolean tasks = kernel.body() instanceof Stmt.For loop && kind(loop) == Stmt.For.Kind.PARALLEL;
    return kernel.withBody(tasks ? bindOutside(kernel.body()) : bind(kernel.body(), true));
  }

  /// Binds the loops at the outside, of which the first is parallel.
  private Stmt bindOutside(Stmt statement) {
    return statement instanceof Stmt.For loop && kind(loop) == Stmt.For.Kind.PARALLEL
        ? loop.withKind(Stmt.For.Kind.PARALLEL).withBody(bindOutside(loop.body())) : bind(statement, false);
  }

  /// @param mayShare whether threads may share a loop here
  private Stmt bind(Stmt statement, boolean mayShare) {
    if (!(statement instanceof Stmt.For loop)) {
      return statement.mapChildren(child -> bind(child, mayShare), expr -> expr);
    }
    Stmt.For.Kind kind = kind(loop);
    boolean shared = kind == Stmt.For.Kind.PARALLEL && mayShare && Rewrites.constant(loop.extent()).filter(extent -> extent > 1).isPresent();
    Stmt.For bound = loop.withKind(kind == Stmt.For.Kind.PARALLEL && !shared ? Stmt.For.Kind.SERIAL : kind);
    return bound.withBody(bind(loop.body(), mayShare && !shared));
  }

  private Stmt.For.Kind kind(Stmt.For loop) {
    return bindings.stream()
        .filter(bound -> bound.loop().equals(loop.var().name()))
        .map(bound -> switch (bound.binding()) {
          case PARALLEL -> Stmt.For.Kind.PARALLEL;
          case UNROLL -> Stmt.For.Kind.UNROLLED;
          case VECTORIZE -> Stmt.For.Kind.VECTORIZED;
        })
        .findFirst().orElse(loop.kind());
  }
}
