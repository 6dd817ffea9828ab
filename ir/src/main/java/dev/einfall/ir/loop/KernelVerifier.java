package dev.einfall.ir.loop;

import dev.einfall.ir.InternalException;
import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Supplier;
import java.util.stream.Collectors;

/// Checks what the constructors of the loop level cannot see:
///
/// - every variable and buffer is bound once and used where it is in scope;
/// - a `PARALLEL` loop is the whole body, or such a loop's; or there is none of these, and it is in no other one. Its extent is constant, and
///   its iterations use no vector variables and no `REGISTER` buffers of the outside;
/// - a `BLOCK` loop is the whole body, its extent is constant, and what [BlockVerifier] checks holds inside; there are no `THREAD` loops,
///   `SHARED` buffers and barriers elsewhere;
/// - parameters are `GLOBAL` buffers and differ from each other;
/// - accesses to a `REGISTER` buffer are constant, and any two are equal or disjoint;
/// - every access is in bounds, and the indices of permutes are, by what [Ranges] can prove. A backend relies on it and checks nothing.
public final class KernelVerifier {
  private final Kernel kernel;
  private final Set<Object> bound = newIdentitySet();
  private final Set<Object> inScope = newIdentitySet();
  private final Map<Buffer, RegisterAccesses> registers = new IdentityHashMap<>();

  private KernelVerifier(Kernel kernel) {
    this.kernel = kernel;
  }

  /// @throws InternalException that prints the statement at fault
  public static void verify(Kernel kernel) {
    new KernelVerifier(kernel).run();
  }

  private void run() {
    for (Buffer parameter : kernel.parameters()) {
      require(parameter.space() == Buffer.Space.GLOBAL, () -> "parameter " + parameter + " is not global", kernel.body());
      bind(parameter, kernel.body());
    }
    if (kernel.body() instanceof Stmt.For blocks && blocks.kind() == Stmt.For.Kind.BLOCK) {
      require(blocks.extent() instanceof Expr.IntLiteral, () -> "the extent of the loop over blocks is not constant", blocks);
      loop(blocks, Ranges.of(kernel));
      new BlockVerifier((holds, problem, statement) -> require(holds, () -> problem, statement)).verify(blocks.body(), BlockAccesses.NONE);
    } else {
      kernel.body().nodes().forEach(node -> require(!isOfBlock(node), () -> "outside of a block", node));
      outside(kernel.body(), Ranges.of(kernel));
    }
  }

  private static boolean isOfBlock(Stmt statement) {
    return statement instanceof Stmt.Barrier
        || statement instanceof Stmt.Alloc alloc && alloc.buffer().space() == Buffer.Space.SHARED
        || statement instanceof Stmt.For loop && (loop.kind() == Stmt.For.Kind.BLOCK || loop.isDealt());
  }

  /// Checks `statement`, which is the kernel's body or the body of a parallel loop at the outside.
  private void outside(Stmt statement, Ranges ranges) {
    if (statement instanceof Stmt.For loop && loop.kind() == Stmt.For.Kind.PARALLEL) {
      require(loop.extent() instanceof Expr.IntLiteral, () -> "the extent of the parallel loop is not constant", loop);
      bind(loop.var(), loop);
      outside(loop.body(), ranges.loop(loop.var(), loop.extent()));
      inScope.remove(loop.var());
    } else {
      check(statement, ranges);
    }
  }

  /// Checks `statement` where `ranges` are known; gives what is known after it.
  private Ranges check(Stmt statement, Ranges ranges) {
    statement.exprs().forEach(expr -> check(expr, ranges, statement));
    return switch (statement) {
      case Stmt.Barrier _ -> ranges;
      case Stmt.Block(List<Stmt> statements) -> {
        Ranges after = ranges;
        for (Stmt inner : statements) {
          after = check(inner, after);
        }
        yield after;
      }
      case Stmt.For loop -> {
        if (loop.kind() == Stmt.For.Kind.PARALLEL) {
          checkInside(loop);
        }
        loop(loop, ranges);
        yield ranges;
      }
      case Stmt.Store(Buffer buffer, List<Expr> indices, Expr _) -> {
        access(buffer, indices, ranges, statement);
        yield ranges;
      }
      case Stmt.Alloc(Buffer buffer, Stmt body) -> {
        bind(buffer, statement);
        Ranges after = check(body, ranges);
        inScope.remove(buffer);
        yield after;
      }
      case Stmt.If(Expr condition, Stmt whenTrue, Stmt whenFalse) -> {
        check(whenTrue, ranges.assume(condition, true));
        check(whenFalse, ranges.assume(condition, false));
        yield ranges;
      }
      case Stmt.Let(Var var, Expr value, Stmt body) -> {
        bind(var, statement);
        Ranges after = check(body, ranges.let(var, value));
        inScope.remove(var);
        yield after;
      }
      case Stmt.Require(Expr condition, String _, Expr value) -> {
        require(!value.type().isVector(), () -> "the value of a require has lanes", statement);
        yield ranges.assume(condition, true);
      }
    };
  }

  private void checkInside(Stmt.For loop) {
    require(!(kernel.body() instanceof Stmt.For outer && outer.kind() == Stmt.For.Kind.PARALLEL),
        () -> "a parallel loop inside a kernel of several tasks", loop);
    require(loop.body().nodes().noneMatch(inner -> inner instanceof Stmt.For other && other.kind() == Stmt.For.Kind.PARALLEL),
        () -> "a parallel loop in another", loop);
    require(loop.extent() instanceof Expr.IntLiteral, () -> "the extent of the parallel loop is not constant", loop);
    Set<Object> own = newIdentitySet();
    loop.body().nodes().forEach(node -> {
      if (node instanceof Stmt.Alloc(Buffer buffer, _)) {
        own.add(buffer);
      } else if (node instanceof Stmt.Let(Var var, _, _)) {
        own.add(var);
      }
    });
    loop.body().nodes().forEach(node -> {
      requireOwn(node instanceof Stmt.Store store ? store.buffer() : null, own, loop);
      node.exprs().flatMap(Expr::nodes).forEach(expr -> {
        requireOwn(expr instanceof Expr.Load load ? load.buffer() : null, own, loop);
        require(!(expr instanceof Expr.Ref(Var var)) || !var.type().isVector() || own.contains(var),
            () -> "a parallel loop uses a vector of the outside", loop);
      });
    });
  }

  private void requireOwn(Buffer buffer, Set<Object> own, Stmt.For loop) {
    require(buffer == null || buffer.space() != Buffer.Space.REGISTER || own.contains(buffer),
        () -> "a parallel loop uses the registers " + buffer + " of the outside", loop);
  }

  private void loop(Stmt.For loop, Ranges ranges) {
    bind(loop.var(), loop);
    check(loop.body(), ranges.loop(loop.var(), loop.extent()));
    inScope.remove(loop.var());
  }

  private void check(Expr expr, Ranges ranges, Stmt statement) {
    switch (expr) {
      case Expr.Ref(Var var) -> require(inScope.contains(var), () -> "variable " + var + " is not in scope", statement);
      case Expr.Load(Buffer buffer, List<Expr> indices) -> access(buffer, indices, ranges, statement);
      case Expr.ReduceLanes reduce -> require(
          reduce.op().isCommutative() && !reduce.op().isComparison()
              && reduce.op().accepts(reduce.operand().type().element()),
          () -> "lane reduction by " + reduce.op() + " of " + reduce.operand().type(), statement);
      case Expr.Permute permute -> {
        Interval index = ranges.of(permute.indices());
        require(ranges.impossible() || Interval.below(permute.length()).contains(index), () -> "the indices of a permute may be in " + index
            + ", which is not within 0.." + (permute.length() - 1), statement);
      }
      case Expr.FloatLiteral _, Expr.IntLiteral _, Expr.Unary _, Expr.Binary _, Expr.Fma _, Expr.Select _, Expr.Cast _,
          Expr.Bitcast _, Expr.Ramp _, Expr.Broadcast _, Expr.Zip _, Expr.PermuteBytes _, Expr.AddHalves _, Expr.Dot _, Expr.TileProduct _ -> { }
    }
    expr.children().forEach(child -> check(child, ranges, statement));
  }

  private void access(Buffer buffer, List<Expr> indices, Ranges ranges, Stmt statement) {
    require(inScope.contains(buffer), () -> "buffer " + buffer + " is not in scope", statement);
    for (int i = 0; i < indices.size() && !ranges.impossible(); i++) {
      Interval index = ranges.of(indices.get(i));
      int extent = buffer.extents().get(i);
      int dimension = i;
      require(index.low() >= 0 && index.high() < extent, () -> "index " + dimension + " of " + buffer + " may be in " + index
          + ", which is not within 0.." + (extent - 1), statement);
    }
    if (buffer.space() == Buffer.Space.REGISTER) {
      Optional<String> problem = registers.computeIfAbsent(buffer, RegisterAccesses::new).add(indices);
      require(problem.isEmpty(), () -> problem.orElse(""), statement);
    }
  }

  private void bind(Object binder, Stmt statement) {
    require(bound.add(binder), () -> "bound twice: " + binder, statement);
    inScope.add(binder);
  }

  private void require(boolean holds, Supplier<String> problem, Stmt statement) {
    if (!holds) {
      throw new InternalException("kernel " + kernel.name() + ": " + problem.get() + ", at\n" + start(statement));
    }
  }

  /// The first lines of a statement's text.
  private static String start(Stmt statement) {
    return LoopPrinter.print(statement).lines().limit(8).collect(Collectors.joining("\n"));
  }

  private static Set<Object> newIdentitySet() {
    return Collections.newSetFromMap(new IdentityHashMap<>());
  }
}
