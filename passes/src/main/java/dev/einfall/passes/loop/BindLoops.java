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
/// A `parallel` loop that is not at the outside stays serial.
public record BindLoops(List<Mapping.Bound> bindings) implements Pass.OnKernel {

  @Override
  public String name() {
    return "bind-loops";
  }

  @Override
  public Kernel apply(Kernel kernel, Consumer<Diagnostic> remarks) {
    return kernel.withBody(bind(kernel.body(), true));
  }

  private Stmt bind(Stmt statement, boolean outside) {
    if (!(statement instanceof Stmt.For loop)) {
      return statement.mapChildren(child -> bind(child, false), expr -> expr);
    }
    Stmt.For.Kind kind = kind(loop);
    boolean parallel = kind == Stmt.For.Kind.PARALLEL;
    Stmt.For bound = loop.withKind(parallel && !outside ? Stmt.For.Kind.SERIAL : kind);
    return bound.withBody(bind(loop.body(), outside && parallel));
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
