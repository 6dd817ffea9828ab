package dev.einfall.passes.loop;

import dev.einfall.ir.BinaryOp;
import dev.einfall.ir.Diagnostic;
import dev.einfall.ir.ElementType;
import dev.einfall.ir.loop.Buffer;
import dev.einfall.ir.loop.Expr;
import dev.einfall.ir.loop.Interval;
import dev.einfall.ir.loop.Kernel;
import dev.einfall.ir.loop.Ranges;
import dev.einfall.ir.loop.Stmt;
import dev.einfall.passes.Numerics;
import dev.einfall.passes.Pass;
import dev.einfall.passes.Target;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.stream.Stream;

/// Multiplies what inner loops sum up by the factors that are the same for all of it, and not each term (MixPE, Zhang et al., 2024: weights are scaled after the sum of
/// their group).
///
/// ```
/// for g in 0..4 {                                            for g in 0..4 {
///   for i in 0..8 {                                            alloc s_part: f32[] in local {
///     s[] = s[] + X[g * 8 + i] * (C[g * 8 + i] * S[g])           s_part[] = 0.0
///   }                                                   =>       for i in 0..8 {
/// }                                                                s_part[] = s_part[] + X[g * 8 + i] * C[g * 8 + i]
///                                                                }
///                                                                s[] = s[] + s_part[] * S[g]
///                                                              }
///                                                            }
/// ```
///
/// Each element of a tile has two accumulators then. Where a tile has more elements than a part of the registers holds, the outer ones leave the registers around the inner
/// loop; where that is too short to pay for this, the rows of the tile share the product of code and scale, and the factors stay.
///
/// Products of integers are added up as integers, however large the tile is: their sums are converted with the factors. They are exact, and declined where they might not
/// fit.
///
/// ```
/// s[] = s[] + f32(i32(X[g * 8 + i]) * i32(C[g * 8 + i])) * S[g]     =>     s_part[] = s_part[] + i32(X[g * 8 + i]) * i32(C[g * 8 + i])     and then     s[] = s[] + f32(s_part[]) * S[g]
/// ```
///
/// @param tile the loops that become copies
/// @param most the most copies of an accumulator for which registers hold a second one each
public record DeferScales(List<String> tile, int most) implements Pass.OnKernel {
  /// A sum of fewer terms is multiplied no less often than these.
  private static final int LEAST_TERMS = 4;
  /// The terms of sums beside which it costs little to store what registers do not hold, and to load it again: of 128 rows by 4,096 x 4,096 bytes with a scale for each 64,
  /// tiles of 6 rows of 4 vectors take 0.97 times as long as those of 5 rows of 3, for which registers are enough (Zen 5).
  private static final int MANY_TERMS = 16;

  /// How many accumulators may have a second one in the registers of `target`.
  public static int most(Target target) {
    return target.registers() / 2;
  }

  /// Whether sums of `terms` terms are scaled as a whole, in a tile of `copies` accumulators.
  ///
  /// @param most how many of these may have a second one in registers
  public static boolean isWorth(long copies, long terms, int most) {
    return terms >= (copies <= most ? LEAST_TERMS : MANY_TERMS);
  }

  @Override
  public String name() {
    return "defer-scales";
  }

  @Override
  public Machines machines() {
    return Machines.PROCESSORS;
  }

  @Override
  public Numerics needs() {
    return Numerics.REASSOCIATE;
  }

  @Override
  public Kernel apply(Kernel kernel, Consumer<Diagnostic> remarks) {
    return kernel.withBody(deferred(kernel.body(), 1));
  }

  /// @param copied how many copies of `statement` a tile has
  private Stmt deferred(Stmt statement, long copied) {
    if (statement instanceof Stmt.For loop) {
      Optional<Stmt> nest = nest(loop, copied);
      if (nest.isPresent()) {
        return nest.get();
      }
      long copies = tile.contains(loop.var().name()) ? Rewrites.constant(loop.extent()).orElse((long) most + 1) : 1;
      return loop.withBody(deferred(loop.body(), copied * copies));
    }
    return statement.mapChildren(child -> deferred(child, copied), expr -> expr);
  }

  /// The nest of a sum from `outer` on with factors deferred, if some can be.
  ///
  /// @param copied how many copies of it a tile has
  private Optional<Stmt> nest(Stmt.For outer, long copied) {
    List<Stmt.For> loops = new ArrayList<>();
    Stmt inner = outer;
    while (inner instanceof Stmt.For loop) {
      loops.add(loop);
      inner = loop.body();
    }
    if (!(inner instanceof Stmt.Store store) || !(isSum(store)) || loops.stream().anyMatch(loop -> isIndexed(store, loop))) {
      return Optional.empty();
    }
    List<Expr> factors = factors(((Expr.Binary) store.value()).right());
    int best = 0;
    List<Expr> same = List.of();
    for (int depth = 0; depth < loops.size(); depth++) {
      List<Stmt.For> inside = loops.subList(depth, loops.size());
      List<Expr> here = factors.stream().filter(factor -> isSame(factor, inside)).toList();
      if (here.size() > same.size() && here.size() < factors.size() && terms(inside) >= LEAST_TERMS) {
        best = depth;
        same = here;
      }
    }
    List<Expr> kept = new ArrayList<>(factors);
    kept.removeAll(same);
    List<Stmt.For> inside = loops.subList(best, loops.size());
    Expr term = integers(kept, terms(inside)).orElseGet(() -> product(kept));
    return same.isEmpty() || term.type().element().isFloat() && !isWorth(copied, terms(inside), most) ? Optional.empty() : Optional.of(rewritten(loops.subList(0, best), inside, store, term, same));
  }

  /// The product of integers that `factors` are, if so many of it make an integer.
  private static Optional<Expr> integers(List<Expr> factors, long terms) {
    boolean isOne = factors.size() == 1 && factors.getFirst() instanceof Expr.Cast(ElementType to, Expr.Binary(BinaryOp op, Expr _, Expr _))
        && to == ElementType.F32 && op == BinaryOp.MUL;
    Optional<Expr> product = isOne ? factors.getFirst().operands().stream().findFirst() : Optional.empty();
    return product.filter(integer -> integer.type().element() == ElementType.I32
        && Interval.of(ElementType.I32).contains(Interval.of(0).union(Ranges.empty().of(integer)).times(terms)));
  }

  /// Whether `store` adds to an element of floats that are no smaller than the sums of others.
  private static boolean isSum(Stmt.Store store) {
    return store.buffer().type().isFloat() && store.buffer().type().bytes() >= Float.BYTES && store.buffer().space() != Buffer.Space.GLOBAL
        && Accumulation.inAnyOrder(store, Numerics.REASSOCIATE).filter(step -> step.op() == BinaryOp.ADD).isPresent();
  }

  private static boolean isIndexed(Stmt.Store store, Stmt.For loop) {
    return store.indices().stream().anyMatch(index -> Rewrites.uses(index, loop.var()));
  }

  private static List<Expr> factors(Expr product) {
    return product instanceof Expr.Binary(BinaryOp op, Expr left, Expr right) && op == BinaryOp.MUL
        ? Stream.concat(factors(left).stream(), factors(right).stream()).toList() : List.of(product);
  }

  /// Whether `factor` is loaded, and the same in all iterations of `loops`.
  private static boolean isSame(Expr factor, List<Stmt.For> loops) {
    return factor.nodes().anyMatch(Expr.Load.class::isInstance) && loops.stream().noneMatch(loop -> Rewrites.uses(factor, loop.var()));
  }

  private static long terms(List<Stmt.For> loops) {
    return loops.stream().mapToLong(loop -> Rewrites.constant(loop.extent()).orElse(1L)).reduce(1, Math::multiplyExact);
  }

  private static Stmt rewritten(List<Stmt.For> outside, List<Stmt.For> inside, Stmt.Store store, Expr term, List<Expr> same) {
    Buffer part = new Buffer(store.buffer().name() + "_part", term.type().element(), List.of(), store.buffer().space());
    Expr sum = new Expr.Load(part, List.of());
    Stmt body = nest(inside, new Stmt.Store(part, List.of(), new Expr.Binary(BinaryOp.ADD, sum, term)));
    Expr value = part.type() == store.buffer().type() ? sum : new Expr.Cast(store.buffer().type(), sum);
    Expr scaled = new Expr.Binary(BinaryOp.MUL, value, product(same));
    Expr old = ((Expr.Binary) store.value()).left();
    Stmt step = new Stmt.Store(store.buffer(), store.indices(), new Expr.Binary(BinaryOp.ADD, old, scaled));
    Stmt start = new Stmt.Store(part, List.of(), Expr.literal(part.type(), 0));
    return nest(outside, new Stmt.Alloc(part, Stmt.block(start, body, step)));
  }

  private static Expr product(List<Expr> factors) {
    return factors.stream().reduce((a, b) -> new Expr.Binary(BinaryOp.MUL, a, b)).orElseThrow();
  }

  private static Stmt nest(List<Stmt.For> loops, Stmt body) {
    Stmt nest = body;
    for (Stmt.For loop : loops.reversed()) {
      nest = loop.withBody(nest);
    }
    return nest;
  }
}
