package dev.einfall.passes.loop;

import dev.einfall.ir.BinaryOp;
import dev.einfall.ir.Diagnostic;
import dev.einfall.ir.loop.Expr;
import dev.einfall.ir.loop.Kernel;
import dev.einfall.ir.loop.Stmt;
import dev.einfall.ir.loop.Var;
import dev.einfall.passes.Pass;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;

/// Makes one loop of the parallel loops at the outside of a kernel, so that its iterations are the kernel's tasks.
///
/// ```
/// parallel for i in 0..4 {            parallel for task in 0..32 {
///   parallel for j in 0..8 {     =>     let i: i32 = task / 8
///     A[i, j] = 0.0                     let j: i32 = task % 8
///                                       A[i, j] = 0.0
/// ```
public record CollapseLoops() implements Pass.OnKernel {

  @Override
  public String name() {
    return "collapse-loops";
  }

  @Override
  public Kernel apply(Kernel kernel, Consumer<Diagnostic> remarks) {
    List<Stmt.For> loops = new ArrayList<>();
    Stmt body = kernel.body();
    while (body instanceof Stmt.For loop && loop.kind() == Stmt.For.Kind.PARALLEL
        && Rewrites.constant(loop.extent()).isPresent()) {
      loops.add(loop);
      body = loop.body();
    }
    return loops.size() < 2 ? kernel : kernel.withBody(collapse(loops, body));
  }

  private static Stmt collapse(List<Stmt.For> loops, Stmt body) {
    Var task = Var.counter("task");
    long tasks = loops.stream().mapToLong(loop -> Rewrites.constant(loop.extent()).orElseThrow()).reduce(1, (a, b) -> a * b);
    Stmt.For first = loops.getFirst();
    return new Stmt.For(task, Expr.index(tasks), Stmt.For.Kind.PARALLEL, coordinates(loops, new Expr.Ref(task), body), first.span());
  }

  /// `body` with the counters of `loops`, which have constant extents, made of `index`, the number of an iteration of all of them.
  static Stmt coordinates(List<Stmt.For> loops, Expr index, Stmt body) {
    long inner = 1;
    Stmt result = body;
    for (Stmt.For loop : loops.reversed()) {
      long extent = Rewrites.constant(loop.extent()).orElseThrow();
      Expr quotient = inner == 1 ? index : new Expr.Binary(BinaryOp.DIV, index, Expr.index(inner));
      boolean outermost = loop == loops.getFirst();
      Expr coordinate = outermost ? quotient : new Expr.Binary(BinaryOp.MOD, quotient, Expr.index(extent));
      result = new Stmt.Let(loop.var(), coordinate, result);
      inner *= extent;
    }
    return result;
  }
}
