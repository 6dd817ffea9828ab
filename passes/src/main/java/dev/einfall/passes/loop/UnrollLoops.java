package dev.einfall.passes.loop;

import dev.einfall.ir.BinaryOp;
import dev.einfall.ir.Diagnostic;
import dev.einfall.ir.loop.DotShape;
import dev.einfall.ir.loop.Expr;
import dev.einfall.ir.loop.Kernel;
import dev.einfall.ir.loop.Stmt;
import dev.einfall.ir.loop.Var;
import dev.einfall.passes.Pass;
import dev.einfall.passes.Target;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.Consumer;
import java.util.function.UnaryOperator;
import java.util.stream.LongStream;
import java.util.stream.Stream;

/// Replaces each unrolled loop by one copy of its body for each iteration.
///
/// ```
/// unrolled for i in 0..2 {            A[0] = 0.0
///   A[i] = 0.0                 =>     A[1] = 0.0
/// }
/// ```
///
/// A loop whose copies would hold more than `operations` operations on elements becomes a serial loop: the JIT compiles no large method. One inside
/// of it that accumulates nothing may have a quarter of them: its copies keep nothing in registers for each other, and the JIT takes long for each.
///
/// @param operations the most that copies hold
/// @param terms how many products of narrow numbers become one instruction: copies may hold as many more of these
public record UnrollLoops(long operations, int terms) implements Pass.OnKernel {
  /// How many operations copies hold at most, if nobody says otherwise.
  public static final long OPERATIONS = 160;

  private static final int PART_INSIDE = 4;

  public UnrollLoops() {
    this(OPERATIONS);
  }

  public UnrollLoops(long operations) {
    this(operations, 1);
  }

  /// As is best on `target`.
  public static UnrollLoops on(Target target) {
    return new UnrollLoops(OPERATIONS, target.dots().stream().mapToInt(DotShape::terms).max().orElse(1));
  }

  @Override
  public String name() {
    return "unroll-loops";
  }

  @Override
  public Kernel apply(Kernel kernel, Consumer<Diagnostic> remarks) {
    return kernel.withBody(unrolled(kernel.body(), false));
  }

  /// @param isInside whether a loop around `statement` should have been unrolled, and stays
  private Stmt unrolled(Stmt statement, boolean isInside) {
    Stmt inner = statement.mapChildren(child -> unrolled(child, isInside), UnaryOperator.identity());
    return !(inner instanceof Stmt.For loop) || loop.kind() != Stmt.For.Kind.UNROLLED ? inner
        : copies(loop, isInside && !accumulates(loop) ? operations / PART_INSIDE : operations).orElseGet(() -> serial((Stmt.For) statement));
  }

  private Stmt serial(Stmt.For loop) {
    return new Stmt.For(loop.var(), loop.extent(), Stmt.For.Kind.SERIAL, unrolled(loop.body(), true), loop.span());
  }

  /// Whether an element that `loop` stores is made of what it was.
  private static boolean accumulates(Stmt.For loop) {
    return loop.body().nodes().anyMatch(statement -> statement instanceof Stmt.Store store
        && store.value().nodes().anyMatch(new Expr.Load(store.buffer(), store.indices())::equals));
  }

  private Optional<Stmt> copies(Stmt.For loop, long most) {
    long limit = addsBytes(loop.body()) ? most * Integer.BYTES : terms > 1 && multipliesNarrow(loop.body()) ? most * terms : most;
    Optional<Long> extent = Rewrites.constant(loop.extent()).filter(count -> cost(loop, count) <= limit);
    return extent.map(count -> Stmt.block(LongStream.range(0, count)
        .mapToObj(i -> Rewrites.substitute(Rewrites.copy(loop.body()), loop.var(), Expr.index(i))).toList()));
  }

  /// Whether all that `body` stores are sums of bytes of words: [SumBytes] adds four at once.
  private static boolean addsBytes(Stmt body) {
    List<Stmt.Store> stores = body.nodes().filter(Stmt.Store.class::isInstance).map(Stmt.Store.class::cast).toList();
    return !stores.isEmpty() && stores.stream().allMatch(store -> store.value() instanceof Expr.Binary(BinaryOp op, Expr old, Expr term) && op == BinaryOp.ADD
        && old.equals(new Expr.Load(store.buffer(), store.indices())) && ByteTerm.isByte(term));
  }

  /// Whether all that `body` stores are sums of products of numbers that are converted as they are loaded.
  private static boolean multipliesNarrow(Stmt body) {
    List<Stmt.Store> stores = body.nodes().filter(Stmt.Store.class::isInstance).map(Stmt.Store.class::cast).toList();
    return !stores.isEmpty() && stores.stream().allMatch(store -> switch (store.value()) {
      case Expr.Fma fma -> isConverted(fma.a()) && isConverted(fma.b());
      case Expr.Binary(_, _, Expr.Binary product) -> isConverted(product.left()) && isConverted(product.right());
      default -> false;
    });
  }

  private static boolean isConverted(Expr factor) {
    return factor instanceof Expr.Cast || factor instanceof Expr.Broadcast(Expr.Cast _, _)
        || factor instanceof Expr.Binary(BinaryOp op, Expr field, Expr _) && (op == BinaryOp.AND || op == BinaryOp.SHR) && isConverted(field);
  }

  /// The operations on elements in `count` copies of the body of `loop`, the bodies of loops inside counting once, and what several load or compute alike counting
  /// once, too. An accumulator is not loaded.
  private long cost(Stmt.For loop, long count) {
    Set<Var> own = Rewrites.bound(loop.body());
    own.add(loop.var());
    List<Expr> values = loop.body().nodes().flatMap(this::values).toList();
    List<Expr> loads = values.stream().filter(Expr.Load.class::isInstance).distinct().toList();
    List<Expr> same = values.stream().filter(value -> own.stream().noneMatch(var -> Rewrites.uses(value, var))).distinct().toList();
    long computed = values.stream().filter(value -> !(value instanceof Expr.Load) && !same.contains(value)).count();
    return count * (computed + loads.stream().filter(load -> !same.contains(load)).count()) + same.size();
  }

  private Stream<Expr> values(Stmt statement) {
    Stream<Expr> values = statement.exprs().flatMap(this::values);
    return statement instanceof Stmt.Store store
        ? values.filter(value -> !value.equals(new Expr.Load(store.buffer(), store.indices()))) : values;
  }

  /// The arithmetic of `expr` outside of indices and of conditions on these.
  private Stream<Expr> values(Expr expr) {
    return switch (expr) {
      case Expr.FloatLiteral _, Expr.IntLiteral _, Expr.Ref _, Expr.Ramp _ -> Stream.empty();
      case Expr.Load _ -> Stream.of(expr);
      case Expr.Select(Expr condition, Expr whenTrue, Expr whenFalse) when condition.nodes().noneMatch(Expr.Load.class::isInstance) ->
          Stream.concat(values(whenTrue), values(whenFalse));
      case Expr.Broadcast broadcast -> values(broadcast.operand());
      // Part of the load, or of what stands for it and its like in the end.
      case Expr.Cast(_, Expr.Load load) when load.type().element().bytes() < 4 -> Stream.of(load);
      case Expr.Cast(_, Expr.Broadcast(Expr.Load load, _)) when load.type().element().bytes() < 4 -> Stream.of(load);
      case Expr.Binary(BinaryOp op, Expr field, Expr _) when terms > 1 && (op == BinaryOp.AND || op == BinaryOp.SHR) && isConverted(field) -> values(field);
      default -> Stream.concat(Stream.of(expr), expr.children().flatMap(this::values));
    };
  }
}
