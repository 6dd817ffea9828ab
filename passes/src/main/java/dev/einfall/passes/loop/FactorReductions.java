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
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.stream.Stream;

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
/// Loops inside that index the accumulator get partial results of their own: `s_part[m0, k0]` for `s[m0]`. An accumulation beside other
/// statements is factored where it stands.
///
/// Under the `strict` contract only where the order of combination makes no difference: not for sums and products of floats.
public record FactorReductions(List<String> loops, Numerics numerics) implements Pass.OnKernel {

  @Override
  public String name() {
    return "factor-reductions";
  }

  @Override
  public Machines machines() {
    return Machines.PROCESSORS;
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
      Optional<Stmt> factored = chain(outer).map(Chain::rewritten).or(() -> besideOthers(outer));
      if (factored.isPresent()) {
        return factored.get();
      }
    }
    return statement.mapChildren(this::factor, expr -> expr);
  }

  /// The perfect nest from `outer` down to an accumulation, if at least one of its loops is named and one is not. If all
  /// are named, the outermost accumulates: one combination of lanes in the end is better than one for each vector. Loops inside
  /// that index the accumulator keep partial results for each of their iterations; where the innermost does, accumulations do not
  /// wait for each other anyway.
  private Optional<Chain> chain(Stmt.For outer) {
    List<Stmt.For> nest = new ArrayList<>();
    Stmt inner = outer;
    while (inner instanceof Stmt.For loop) {
      nest.add(loop);
      inner = loop.body();
    }
    if (!(inner instanceof Stmt.Store store) || isIndexed(store, outer) || isIndexed(store, nest.getLast())) {
      return Optional.empty();
    }
    List<Stmt.For> kept = new ArrayList<>(nest.stream().filter(loop -> isIndexed(store, loop)).toList());
    List<Stmt.For> factored = new ArrayList<>(nest.stream().filter(loop -> loops.contains(loop.var().name()) && !kept.contains(loop)).toList());
    List<Stmt.For> serial = new ArrayList<>(nest);
    serial.removeAll(kept);
    serial.removeAll(factored);
    if (serial.isEmpty() && factored.size() > 1) {
      serial.add(factored.removeFirst());
    }
    boolean canMove = canMoveInside(kept, serial) && canMoveInside(factored, serial);
    return Accumulation.inAnyOrder(store, numerics)
        .filter(_ -> !serial.isEmpty() && !factored.isEmpty() && canMove)
        .map(update -> new Chain(serial, kept, factored, store, update));
  }

  /// The nest from `outer` down to several statements, with those that accumulate into one element factored where they stand: no loop
  /// needs to move.
  private Optional<Stmt> besideOthers(Stmt.For outer) {
    List<Stmt.For> nest = new ArrayList<>();
    Stmt inner = outer;
    while (inner instanceof Stmt.For loop) {
      nest.add(loop);
      inner = loop.body();
    }
    Stmt body = inner;
    List<Stmt.For> factored = nest.stream().filter(loop -> loops.contains(loop.var().name())).toList();
    int serial = Math.max(1, nest.size() - factored.size());
    if (LoopPiece.hasLoops(body) || factored.isEmpty() || nest.size() < 2 || !canMoveInside(nest.subList(serial, nest.size()), List.of())
        || nest.subList(serial, nest.size()).stream().anyMatch(loop -> !factored.contains(loop))) {
      return Optional.empty();
    }
    List<Chain> chains = body.nodes().filter(Stmt.Store.class::isInstance).map(Stmt.Store.class::cast)
        .filter(store -> nest.stream().noneMatch(loop -> isIndexed(store, loop)))
        .flatMap(store -> Accumulation.inAnyOrder(store, numerics).filter(step -> step.isAlone(outer)).stream())
        .map(update -> new Chain(nest.subList(0, serial), List.of(), nest.subList(serial, nest.size()), update.store(), update)).toList();
    return chains.isEmpty() ? Optional.empty() : Optional.of(Chain.rewritten(chains, nest, body));
  }

  /// Whether the loops `factored` can stand inside all of `serial`: no extent of these counts on them (as in a triangle).
  private static boolean canMoveInside(List<Stmt.For> factored, List<Stmt.For> serial) {
    return factored.stream().allMatch(loop -> Rewrites.constant(loop.extent()).isPresent()
        && serial.stream().noneMatch(outer -> Rewrites.uses(outer.extent(), loop.var())));
  }

  private static boolean isIndexed(Stmt.Store store, Stmt.For loop) {
    return store.indices().stream().anyMatch(index -> Rewrites.uses(index, loop.var()));
  }

  /// @param serial accumulate
  /// @param kept index the accumulator
  /// @param lanes have a partial result for each iteration
  private record Chain(List<Stmt.For> serial, List<Stmt.For> kept, List<Stmt.For> lanes, Stmt.Store store, Accumulation update) {

    /// The `nest` around `body` with a buffer of partial results for each of `chains`.
    static Stmt rewritten(List<Chain> chains, List<Stmt.For> nest, Stmt body) {
      Stmt inner = body;
      List<Buffer> parts = chains.stream().map(Chain::part).toList();
      for (int i = 0; i < parts.size(); i++) {
        Chain chain = chains.get(i);
        Stmt step = chain.step(parts.get(i));
        inner = Rewrites.statements(inner, node -> node == chain.store ? step : node);
      }
      for (Stmt.For loop : nest.reversed()) {
        inner = loop.withBody(inner);
      }
      List<Stmt> steps = new ArrayList<>();
      for (int i = 0; i < parts.size(); i++) {
        steps.add(chains.get(i).clear(parts.get(i)));
      }
      steps.add(inner);
      for (int i = 0; i < parts.size(); i++) {
        steps.add(chains.get(i).combine(parts.get(i)));
      }
      Stmt result = Stmt.block(steps);
      for (Buffer part : parts.reversed()) {
        result = new Stmt.Alloc(part, result);
      }
      return result;
    }

    Stmt rewritten() {
      List<Stmt.For> inner = inner();
      Buffer part = part();
      Stmt clear = clear(part);
      Stmt body = step(part);
      for (Stmt.For loop : inner.reversed()) {
        body = loop.withBody(body);
      }
      for (Stmt.For loop : serial.reversed()) {
        body = loop.withBody(body);
      }
      return new Stmt.Alloc(part, Stmt.block(clear, body, combine(part)));
    }

    private List<Stmt.For> inner() {
      return Stream.concat(kept.stream(), lanes.stream()).toList();
    }

    private Buffer part() {
      List<Integer> extents = inner().stream().map(loop -> Math.toIntExact(Rewrites.constant(loop.extent()).orElseThrow())).toList();
      return new Buffer(store.buffer().name() + "_part", store.buffer().type(), extents, Buffer.Space.LOCAL);
    }

    private Stmt clear(Buffer part) {
      return nest(inner(), counters -> new Stmt.Store(part, counters, identity(update.op(), part.type())));
    }

    private Stmt step(Buffer part) {
      return accumulate(part, inner().stream().<Expr>map(loop -> new Expr.Ref(loop.var())).toList(), update.value());
    }

    /// Combines all dimensions but the last one first, vector by vector, and then the last.
    private Stmt combine(Buffer part) {
      List<Stmt> steps = new ArrayList<>();
      for (int dimension = 0; dimension < lanes.size() - 1; dimension++) {
        steps.add(fold(part, dimension));
      }
      Stmt.For last = lanes.getLast();
      Var lane = last.var().copy();
      List<Var> rows = kept.stream().map(loop -> loop.var().copy()).toList();
      List<Expr> first = new ArrayList<>(rows.stream().<Expr>map(Expr.Ref::new).toList());
      first.addAll(Collections.nCopies(lanes.size() - 1, Expr.index(0)));
      first.add(new Expr.Ref(lane));
      Stmt total = new Stmt.Store(store.buffer(), store.indices(), new Expr.Binary(update.op(), update.accumulator(), new Expr.Load(part, first)));
      for (int i = 0; i < rows.size(); i++) {
        total = Rewrites.substitute(total, kept.get(i).var(), new Expr.Ref(rows.get(i)));
      }
      Stmt body = new Stmt.For(lane, last.extent(), last.kind(), total, last.span());
      for (int i = rows.size() - 1; i >= 0; i--) {
        Stmt.For loop = kept.get(i);
        body = new Stmt.For(rows.get(i), loop.extent(), loop.kind(), body, loop.span());
      }
      steps.add(body);
      return Stmt.block(steps);
    }

    /// `part[.., 0, ..] = part[.., 0, ..] op part[.., i, ..]` for every `i` of the dimension of `lanes` but the first.
    private Stmt fold(Buffer part, int dimension) {
      Stmt.For loop = lanes.get(dimension);
      Var counter = loop.var().copy();
      List<Stmt.For> inner = Stream.concat(kept.stream(), lanes.stream().skip(dimension + 1)).toList();
      Stmt body = nest(inner, counters -> {
        List<Expr> target = new ArrayList<>(counters.subList(0, kept.size()));
        target.addAll(Collections.nCopies(dimension + 1, Expr.index(0)));
        target.addAll(counters.subList(kept.size(), counters.size()));
        List<Expr> from = new ArrayList<>(target);
        from.set(kept.size() + dimension, new Expr.Binary(BinaryOp.ADD, new Expr.Ref(counter), Expr.index(1)));
        return accumulate(part, target, new Expr.Load(part, from));
      });
      long extent = Rewrites.constant(loop.extent()).orElseThrow();
      return new Stmt.For(counter, Expr.index(extent - 1), loop.kind(), body, loop.span());
    }

    private Stmt accumulate(Buffer part, List<Expr> indices, Expr value) {
      return new Stmt.Store(part, indices, new Expr.Binary(update.op(), new Expr.Load(part, indices), value));
    }

    private static Stmt nest(List<Stmt.For> loops, Function<List<Expr>, Stmt> body) {
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
  static Expr identity(BinaryOp op, ElementType type) {
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
