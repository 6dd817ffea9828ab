package dev.einfall.passes.loop;

import dev.einfall.ir.BinaryOp;
import dev.einfall.ir.Diagnostic;
import dev.einfall.ir.ElementType;
import dev.einfall.ir.loop.Buffer;
import dev.einfall.ir.loop.Expr;
import dev.einfall.ir.loop.Kernel;
import dev.einfall.ir.loop.Stmt;
import dev.einfall.ir.loop.Var;
import dev.einfall.passes.Numerics;
import dev.einfall.passes.Pass;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;

/// Lets a reduction accumulate into one partial result for each iteration of the loops named, and combines these at the
/// end: independent chains, one for each lane and each register (called *rfactor* in Halide).
///
/// ```
///                                       alloc s_part: f32[4] in local {
///                                         for k0 in 0..4 { s_part[k0] = 0.0 }
/// for k1 in 0..8 {                        for k1 in 0..8 {
///   for k0 in 0..4 {                        for k0 in 0..4 {
///     s[] = s[] + A[k1 * 4 + k0]    =>        s_part[k0] = s_part[k0] + A[k1 * 4 + k0]
///   }                                       }
/// }                                       }
///                                         for k0 in 0..4 { s[] = s[] + s_part[k0] }
///                                       }
/// ```
///
/// Under the `strict` contract only where the order of combination makes no difference: not for sums and products of floats.
public record FactorReductions(List<String> loops, Numerics numerics) implements Pass.OnKernel {

  @Override
  public String name() {
    return "factor-reductions";
  }

  @Override
  public Numerics needs() {
    return numerics;
  }

  @Override
  public Kernel apply(Kernel kernel, Consumer<Diagnostic> remarks) {
    return kernel.withBody(factor(kernel.body()));
  }

  private Stmt factor(Stmt statement) {
    if (statement instanceof Stmt.For outer) {
      Optional<Chain> chain = chain(outer);
      if (chain.isPresent()) {
        return chain.get().rewritten();
      }
    }
    return statement.mapChildren(this::factor, expr -> expr);
  }

  /// The perfect nest from `outer` down to an accumulation, if at least one of its loops is named and one is not. If all
  /// are named, the outermost accumulates: one combination of lanes in the end is better than one for each vector.
  private Optional<Chain> chain(Stmt.For outer) {
    List<Stmt.For> serial = new ArrayList<>();
    List<Stmt.For> factored = new ArrayList<>();
    Stmt inner = outer;
    while (inner instanceof Stmt.For loop) {
      (loops.contains(loop.var().name()) ? factored : serial).add(loop);
      inner = loop.body();
    }
    if (serial.isEmpty() && factored.size() > 1) {
      serial.add(factored.removeFirst());
    }
    if (!(inner instanceof Stmt.Store store) || serial.isEmpty() || factored.isEmpty() || !canMoveInside(factored, serial)) {
      return Optional.empty();
    }
    return accumulation(store)
        .filter(update -> numerics.mayReorder(update.op(), store.buffer().type()))
        .filter(_ -> serial.stream().noneMatch(loop -> isIndexed(store, loop)) && factored.stream().noneMatch(loop -> isIndexed(store, loop)))
        .map(update -> new Chain(serial, factored, store, update));
  }

  /// Whether the loops `factored` can stand inside all of `serial`: no extent of these counts on them (as in a triangle).
  private static boolean canMoveInside(List<Stmt.For> factored, List<Stmt.For> serial) {
    return factored.stream().allMatch(loop -> Rewrites.constant(loop.extent()).isPresent()
        && serial.stream().noneMatch(outer -> Rewrites.uses(outer.extent(), loop.var())));
  }

  private static boolean isIndexed(Stmt.Store store, Stmt.For loop) {
    return store.indices().stream().anyMatch(index -> Rewrites.uses(index, loop.var()));
  }

  /// `op(acc[i], value)` of a store `acc[i] = op(acc[i], value)`.
  private static Optional<Expr.Binary> accumulation(Stmt.Store store) {
    return store.value() instanceof Expr.Binary binary && binary.op().isCommutative()
        && binary.left().equals(new Expr.Load(store.buffer(), store.indices()))
        ? Optional.of(binary) : Optional.empty();
  }

  private record Chain(List<Stmt.For> serial, List<Stmt.For> lanes, Stmt.Store store, Expr.Binary update) {

    Stmt rewritten() {
      ElementType type = store.buffer().type();
      List<Integer> extents = lanes.stream().map(loop -> Math.toIntExact(Rewrites.constant(loop.extent()).orElseThrow())).toList();
      Buffer part = new Buffer(store.buffer().name() + "_part", type, extents, Buffer.Space.LOCAL);
      Stmt clear = nest(lanes, counters -> new Stmt.Store(part, counters, identity(update.op(), type)));
      Stmt body = accumulate(part, lanes.stream().<Expr>map(loop -> new Expr.Ref(loop.var())).toList(), update.right());
      for (Stmt.For loop : lanes.reversed()) {
        body = loop.withBody(body);
      }
      for (Stmt.For loop : serial.reversed()) {
        body = loop.withBody(body);
      }
      return new Stmt.Alloc(part, Stmt.block(clear, body, combine(part, extents)));
    }

    /// Combines all dimensions but the last one first, vector by vector, and then the last.
    private Stmt combine(Buffer part, List<Integer> extents) {
      List<Stmt> steps = new ArrayList<>();
      Stmt.For last = lanes.getLast();
      for (int dimension = 0; dimension < extents.size() - 1; dimension++) {
        steps.add(fold(part, dimension));
      }
      Var lane = last.var().copy();
      List<Expr> first = new ArrayList<>(java.util.Collections.nCopies(extents.size(), Expr.index(0)));
      first.set(extents.size() - 1, new Expr.Ref(lane));
      Expr total = new Expr.Binary(update.op(), update.left(), new Expr.Load(part, first));
      steps.add(new Stmt.For(lane, last.extent(), last.kind(), new Stmt.Store(store.buffer(), store.indices(), total), last.span()));
      return Stmt.block(steps);
    }

    /// `part[0, ..] = part[0, ..] op part[i, ..]` for every `i` of `dimension` but the first.
    private Stmt fold(Buffer part, int dimension) {
      Stmt.For loop = lanes.get(dimension);
      Var counter = loop.var().copy();
      List<Stmt.For> inner = lanes.subList(dimension + 1, lanes.size());
      Stmt body = nest(inner, counters -> {
        List<Expr> target = new ArrayList<>(java.util.Collections.nCopies(dimension + 1, Expr.index(0)));
        target.addAll(counters);
        List<Expr> from = new ArrayList<>(target);
        from.set(dimension, new Expr.Binary(BinaryOp.ADD, new Expr.Ref(counter), Expr.index(1)));
        return accumulate(part, target, new Expr.Load(part, from));
      });
      long extent = Rewrites.constant(loop.extent()).orElseThrow();
      return new Stmt.For(counter, Expr.index(extent - 1), loop.kind(), body, loop.span());
    }

    private Stmt accumulate(Buffer part, List<Expr> indices, Expr value) {
      return new Stmt.Store(part, indices, new Expr.Binary(update.op(), new Expr.Load(part, indices), value));
    }

    private static Stmt nest(List<Stmt.For> loops, java.util.function.Function<List<Expr>, Stmt> body) {
      List<Var> counters = loops.stream().map(loop -> loop.var().copy()).toList();
      Stmt nest = body.apply(counters.stream().<Expr>map(Expr.Ref::new).toList());
      for (int i = loops.size() - 1; i >= 0; i--) {
        Stmt.For loop = loops.get(i);
        nest = new Stmt.For(counters.get(i), loop.extent(), loop.kind(), nest, loop.span());
      }
      return nest;
    }
  }

  /// The value that leaves every other unchanged under `op`.
  private static Expr identity(BinaryOp op, ElementType type) {
    long highest = type == ElementType.U8 ? 255 : (1L << (8 * type.bytes() - 1)) - 1;
    return switch (op) {
      case ADD, OR, XOR -> Expr.literal(type, 0);
      case MUL -> Expr.literal(type, 1);
      case AND -> new Expr.IntLiteral(type, type.isBool() ? 1 : -1);
      case MIN -> type.isFloat() ? Expr.literal(type, Double.POSITIVE_INFINITY) : new Expr.IntLiteral(type, highest);
      case MAX -> type.isFloat() ? Expr.literal(type, Double.NEGATIVE_INFINITY)
          : new Expr.IntLiteral(type, type == ElementType.U8 ? 0 : -highest - 1);
      case SUB, DIV, MOD, POW, EQ, NE, LT, LE, GT, GE, SHL, SHR ->
          throw new IllegalArgumentException(op + " does not reduce");
    };
  }
}
