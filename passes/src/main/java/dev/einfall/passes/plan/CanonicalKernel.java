package dev.einfall.passes.plan;

import dev.einfall.ir.loop.Buffer;
import dev.einfall.ir.loop.Expr;
import dev.einfall.ir.loop.Kernel;
import dev.einfall.ir.loop.LoopPrinter;
import dev.einfall.ir.loop.Stmt;
import dev.einfall.ir.loop.Var;
import java.util.ArrayList;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;

/// A kernel under names that depend on its structure alone.
public final class CanonicalKernel {
  private final Map<Buffer, Buffer> buffers = new IdentityHashMap<>();
  private final Map<Var, Var> vars = new IdentityHashMap<>();

  private CanonicalKernel() {}

  /// A text that is the same for two kernels exactly when they are equal but for names and places in the source.
  public static String text(Kernel kernel) {
    CanonicalKernel names = new CanonicalKernel();
    List<Buffer> parameters = new ArrayList<>();
    kernel.parameters().forEach(parameter -> parameters.add(names.buffer(parameter)));
    return LoopPrinter.print(new Kernel("kernel", parameters, names.statement(kernel.body()), kernel.span()));
  }

  private Buffer buffer(Buffer old) {
    return buffers.computeIfAbsent(old, _ -> new Buffer("b" + buffers.size() + "_", old.type(), old.extents(), old.space()));
  }

  private Var var(Var old) {
    return vars.computeIfAbsent(old, _ -> new Var("v" + vars.size() + "_", old.type()));
  }

  private Stmt statement(Stmt old) {
    return switch (old) {
      case Stmt.For loop -> new Stmt.For(var(loop.var()), expr(loop.extent()), loop.kind(), statement(loop.body()), loop.span());
      case Stmt.Let let -> new Stmt.Let(var(let.var()), expr(let.value()), statement(let.body()));
      case Stmt.Alloc(Buffer buffer, Stmt body) -> new Stmt.Alloc(buffer(buffer), statement(body));
      case Stmt.Store store ->
          new Stmt.Store(buffer(store.buffer()), store.indices().stream().map(this::expr).toList(), expr(store.value()));
      case Stmt.Block _, Stmt.If _, Stmt.Require _, Stmt.Barrier _ -> old.mapChildren(this::statement, this::expr);
    };
  }

  private Expr expr(Expr old) {
    return switch (old) {
      case Expr.Ref(Var var) -> new Expr.Ref(var(var));
      case Expr.Load load -> new Expr.Load(buffer(load.buffer()), load.indices().stream().map(this::expr).toList());
      default -> old.mapChildren(this::expr);
    };
  }
}
