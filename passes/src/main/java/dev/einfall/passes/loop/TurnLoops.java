package dev.einfall.passes.loop;

import dev.einfall.ir.BinaryOp;
import dev.einfall.ir.Diagnostic;
import dev.einfall.ir.loop.Buffer;
import dev.einfall.ir.loop.Expr;
import dev.einfall.ir.loop.Kernel;
import dev.einfall.ir.loop.Stmt;
import dev.einfall.ir.loop.Var;
import dev.einfall.passes.Pass;
import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Consumer;

/// Lets a loop run backwards in every other iteration of the loop around, where both go through the same numbers again and again, and these
/// are about as many as the cache of a core holds: what was read last is still there, and is read first.
///
/// ```
/// for t in 0..T {                              for t in 0..T {
///   for g in 0..8 {                              for g in 0..8 {
///     S[g] = sum of U[g, n] * H[n]      =>         let turned: i32 = select(t % 2 == 0, g, 7 - g)
///   }                                              S[turned] = sum of U[turned, n] * H[n]
/// ```
///
/// A cache that gives up what was used longest ago keeps nothing of a walk that is a little too long for it, if the next one starts where that one
/// did. The iterations must be independent: each stores what no other one loads or stores.
///
/// @param l2Bytes the size of the cache of a core, which others use as well: from half of it on, loops turn
public record TurnLoops(long l2Bytes) implements Pass.OnKernel {

  @Override
  public String name() {
    return "turn-loops";
  }

  @Override
  public Machines machines() {
    return Machines.PROCESSORS;
  }

  @Override
  public Kernel apply(Kernel kernel, Consumer<Diagnostic> remarks) {
    Set<Buffer> stored = stored(kernel.body());
    return kernel.withBody(Rewrites.statements(kernel.body(), node ->
        node instanceof Stmt.For around && isPlain(around) ? new Turn(around, stored).applied() : node));
  }

  private static boolean isPlain(Stmt.For loop) {
    return loop.kind() == Stmt.For.Kind.SERIAL && Rewrites.constant(loop.extent()).filter(extent -> extent > 1).isPresent();
  }

  private static Set<Buffer> stored(Stmt statement) {
    Set<Buffer> stored = Collections.newSetFromMap(new IdentityHashMap<>());
    statement.nodes().forEach(node -> {
      if (node instanceof Stmt.Store store) {
        stored.add(store.buffer());
      }
    });
    return stored;
  }

  /// The turning of the loops directly inside of `around`.
  private final class Turn {
    private final Stmt.For around;
    private final Set<Buffer> changing;

    /// @param changing what the kernel stores to
    Turn(Stmt.For around, Set<Buffer> changing) {
      this.around = around;
      this.changing = changing;
    }

    Stmt applied() {
      Stmt body = turned(around.body());
      return body == around.body() ? around : new Stmt.For(around.var(), around.extent(), around.kind(), body, around.span());
    }

    private Stmt turned(Stmt statement) {
      return switch (statement) {
        case Stmt.For loop -> isPlain(loop) && goesThroughMuch(loop) && isIndependent(loop) ? turned(loop) : loop;
        case Stmt.Block _, Stmt.Alloc _, Stmt.Let _ -> statement.mapChildren(this::turned, expr -> expr);
        case Stmt.If _, Stmt.Store _, Stmt.Require _, Stmt.Barrier _ -> statement;
      };
    }

    private Stmt turned(Stmt.For loop) {
      Var place = Var.counter(loop.var().name() + "_turned");
      Expr forth = new Expr.Ref(loop.var());
      Expr back = new Expr.Binary(BinaryOp.SUB, Expr.index(Rewrites.constant(loop.extent()).orElseThrow() - 1), forth);
      Expr isEven = new Expr.Binary(BinaryOp.EQ,
          new Expr.Binary(BinaryOp.MOD, new Expr.Ref(around.var()), Expr.index(2)), Expr.index(0));
      Stmt body = Rewrites.substitute(loop.body(), loop.var(), new Expr.Ref(place));
      return new Stmt.For(loop.var(), loop.extent(), loop.kind(),
          new Stmt.Let(place, new Expr.Select(isEven, forth, back), body), loop.span());
    }

    /// Whether each iteration reads a part of its own, the same one each time, of something large.
    private boolean goesThroughMuch(Stmt.For loop) {
      return loop.body().nodes().flatMap(Stmt::exprs).flatMap(Expr::nodes).anyMatch(node -> node instanceof Expr.Load load
          && load.buffer().space() == Buffer.Space.GLOBAL && !changing.contains(load.buffer()) && load.buffer().bytes() >= l2Bytes / 2
          && load.indices().stream().anyMatch(index -> Rewrites.uses(index, loop.var()))
          && load.indices().stream().noneMatch(index -> Rewrites.uses(index, around.var())));
    }

    private boolean isIndependent(Stmt.For loop) {
      Set<Buffer> own = Collections.newSetFromMap(new IdentityHashMap<>());
      Map<Buffer, Part> parts = new IdentityHashMap<>();
      loop.body().nodes().filter(Stmt.Alloc.class::isInstance).forEach(node -> own.add(((Stmt.Alloc) node).buffer()));
      return loop.body().nodes().allMatch(node -> switch (node) {
        case Stmt.Store store -> own.contains(store.buffer())
            || part(store, loop.var()).filter(part -> part.equals(parts.computeIfAbsent(store.buffer(), _ -> part))).isPresent()
            && !loads(loop.body(), store.buffer());
        case Stmt.Require _, Stmt.Barrier _ -> false;
        case Stmt.Block _, Stmt.For _, Stmt.Alloc _, Stmt.If _, Stmt.Let _ -> true;
      });
    }

    /// The part of a buffer that each iteration has for itself: `width` coordinates along `dimension`. Parts of different widths overlap.
    private record Part(int dimension, long width) {}

    private static Optional<Part> part(Stmt.Store store, Var counter) {
      for (int i = 0; i < store.indices().size(); i++) {
        long width = width(store.indices().get(i), counter);
        if (width > 0) {
          return Optional.of(new Part(i, width));
        }
      }
      return Optional.empty();
    }

    private static boolean loads(Stmt statement, Buffer buffer) {
      return statement.nodes().flatMap(Stmt::exprs).flatMap(Expr::nodes)
          .anyMatch(node -> node instanceof Expr.Load load && load.buffer() == buffer);
    }

    /// How many coordinates each `counter` has for itself, where `index` stays among these: `counter * 128 + 16`, or a ramp from there that
    /// ends before the next; else 0.
    private static long width(Expr index, Var counter) {
      return index instanceof Expr.Ramp(Expr base, int stride, int lanes) ? (stride == 1 ? width(base, counter, lanes) : 0)
          : width(index, counter, 1);
    }

    private static long width(Expr start, Var counter, int length) {
      boolean isOffset = start instanceof Expr.Binary binary && binary.op() == BinaryOp.ADD;
      Expr first = isOffset ? ((Expr.Binary) start).left() : start;
      long offset = isOffset ? Rewrites.constant(((Expr.Binary) start).right()).orElse(-1L) : 0;
      long width = distance(first, counter);
      return offset >= 0 && offset < Integer.MAX_VALUE && offset + length <= width ? width : 0;
    }

    /// How far apart `start` is for one `counter` and the next; 0 if that is not known.
    private static long distance(Expr start, Var counter) {
      return switch (start) {
        case Expr.Ref(Var var) when var == counter -> 1;
        case Expr.Binary(BinaryOp op, Expr.Ref(Var var), Expr factor) when op == BinaryOp.MUL && var == counter ->
            Rewrites.constant(factor).filter(number -> number > 0).orElse(0L);
        default -> 0;
      };
    }
  }
}
