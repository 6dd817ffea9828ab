package dev.einfall.passes.loop;

import dev.einfall.ir.BinaryOp;
import dev.einfall.ir.Diagnostic;
import dev.einfall.ir.cascade.Mapping;
import dev.einfall.ir.loop.Expr;
import dev.einfall.ir.loop.Kernel;
import dev.einfall.ir.loop.Stmt;
import dev.einfall.ir.loop.Var;
import dev.einfall.passes.Pass;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;

/// Makes one loop of loops that stand directly inside of each other, so that tiles of it are not cut off at the end of each inner loop.
///
/// ```
/// for p in 0..7 {                  for pq in 0..49 {
///   for q in 0..7 {         =>       A[pq / 7, pq % 7] = 0.0
///     A[p, q] = 0.0
/// ```
///
/// [MergeDimensions] then makes one dimension of those that the counters index side by side. A remark says which loops do not stand
/// directly inside of each other; they stay.
///
/// @param flattened the loops to make one of, from the outermost
public record FlattenLoops(List<Mapping.Flatten> flattened) implements Pass.OnKernel {
  public FlattenLoops {
    flattened = List.copyOf(flattened);
  }

  @Override
  public String name() {
    return "flatten-loops";
  }

  @Override
  public Kernel apply(Kernel kernel, Consumer<Diagnostic> remarks) {
    Stmt body = kernel.body();
    for (Mapping.Flatten flatten : flattened) {
      body = Rewrites.statements(body, statement -> statement instanceof Stmt.For loop && loop.var().name().equals(flatten.ranks().getFirst())
          ? flat(loop, flatten.ranks(), remarks) : statement);
    }
    return kernel.withBody(body);
  }

  private static Stmt.For flat(Stmt.For loop, List<String> names, Consumer<Diagnostic> remarks) {
    Stmt.For flat = loop;
    for (String name : names.subList(1, names.size())) {
      Optional<Stmt.For> both = together(flat, name);
      if (both.isEmpty()) {
        remarks.accept(Diagnostic.remark(loop.span(), "loops " + String.join(" ", names) + " stay apart: " + name
            + " does not stand directly inside of the others, or has no constant extent"));
        return loop;
      }
      flat = both.get();
    }
    return flat;
  }

  /// One loop of `outer` and the loop called `name` that is all of its body, if there is one.
  private static Optional<Stmt.For> together(Stmt.For outer, String name) {
    if (!(outer.body() instanceof Stmt.For inner) || !inner.var().name().equals(name)) {
      return Optional.empty();
    }
    return Rewrites.constant(outer.extent()).flatMap(rows -> Rewrites.constant(inner.extent()).map(columns -> {
      Var counter = Var.counter(outer.var().name() + name);
      Stmt body = Rewrites.substitute(inner.body(), outer.var(), part(counter, BinaryOp.DIV, columns));
      return new Stmt.For(counter, Expr.index(Math.multiplyExact(rows, columns)), outer.kind(),
          Rewrites.substitute(body, inner.var(), part(counter, BinaryOp.MOD, columns)), outer.span());
    }));
  }

  private static Expr part(Var counter, BinaryOp op, long extent) {
    return new Expr.Binary(op, new Expr.Ref(counter), Expr.index(extent));
  }
}
