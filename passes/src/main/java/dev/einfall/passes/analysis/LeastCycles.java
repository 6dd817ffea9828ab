package dev.einfall.passes.analysis;

import dev.einfall.ir.BinaryOp;
import dev.einfall.ir.loop.Buffer;
import dev.einfall.ir.loop.Expr;
import dev.einfall.ir.loop.Interval;
import dev.einfall.ir.loop.Kernel;
import dev.einfall.ir.loop.Ranges;
import dev.einfall.ir.loop.Repetition;
import dev.einfall.ir.loop.Stmt;
import dev.einfall.passes.Speeds;
import java.util.List;
import java.util.OptionalDouble;
import java.util.stream.DoubleStream;

/// The fewest cycles that a core takes for one task of a kernel: its operations on floats, or its loads and stores, if nothing
/// depends on anything, all is in the first-level cache, and indices cost nothing. Of two branches the shorter one counts, and of loops the
/// fewest iterations; but where a counter decides, as about the tail of tiles, each branch counts for its share of the iterations.
public final class LeastCycles {

  /// @param operations on floats, of a vector or a number
  /// @param accesses loads and stores, of neighbours or one by one
  private record Count(double operations, double accesses) {
    static final Count NONE = new Count(0, 0);

    Count plus(Count other) {
      return new Count(operations + other.operations, accesses + other.accesses);
    }

    Count times(double often) {
      return new Count(operations * often, accesses * often);
    }

    double cycles(Speeds speeds) {
      return DoubleStream.of(operations / speeds.operations(), accesses / speeds.loads()).max().orElse(0);
    }
  }

  private final Speeds speeds;

  private LeastCycles(Speeds speeds) {
    this.speeds = speeds;
  }

  /// Those of one iteration of the parallel loop that is all of `kernel`; of everything, if there is none.
  public static double ofTask(Kernel kernel, Speeds speeds) {
    return new LeastCycles(speeds).count(kernel).cycles(speeds);
  }

  /// Whether the operations of `kernel` take longer than half of its loads and stores at least.
  public static boolean computes(Kernel kernel, Speeds speeds) {
    Count count = new LeastCycles(speeds).count(kernel);
    return count.operations / speeds.operations() > count.accesses / speeds.loads() / 2;
  }

  private Count count(Kernel kernel) {
    Ranges ranges = Ranges.of(kernel);
    return kernel.body() instanceof Stmt.For loop && loop.kind() == Stmt.For.Kind.PARALLEL
        ? count(loop.body(), ranges.loop(loop.var(), loop.extent())) : count(kernel.body(), ranges);
  }

  private Count count(Stmt stmt, Ranges ranges) {
    Count own = stmt.exprs().map(LeastCycles::count).reduce(Count.NONE, Count::plus);
    return own.plus(switch (stmt) {
      case Stmt.Block(List<Stmt> statements) -> statements.stream().map(inner -> count(inner, ranges)).reduce(Count.NONE, Count::plus);
      case Stmt.For loop -> count(loop.body(), ranges.loop(loop.var(), loop.extent())).times(Math.max(0, ranges.of(loop.extent()).low()));
      case Stmt.Alloc(_, Stmt body) -> count(body, ranges);
      case Stmt.Let(var var, Expr value, Stmt body) -> count(body, ranges.let(var, value));
      case Stmt.If(Expr condition, Stmt whenTrue, Stmt whenFalse) -> {
        Count then = count(whenTrue, ranges.assume(condition, true));
        Count otherwise = count(whenFalse, ranges.assume(condition, false));
        Count shorter = then.cycles(speeds) < otherwise.cycles(speeds) ? then : otherwise;
        OptionalDouble share = share(condition, ranges);
        yield share.isPresent() ? then.times(share.getAsDouble()).plus(otherwise.times(1 - share.getAsDouble())) : shorter;
      }
      case Stmt.Store store -> new Count(0, accesses(store.buffer(), store.indices(), store.value().type().lanes()));
      case Stmt.Require _, Stmt.Barrier _ -> Count.NONE;
    });
  }

  /// For how many of the iterations of a loop its counter, or a part of it, is below the number that a condition compares it with.
  private static OptionalDouble share(Expr condition, Ranges ranges) {
    if (condition instanceof Expr.Binary(BinaryOp op, Expr.Ref counter, Expr.IntLiteral(_, long number)) && op == BinaryOp.LT) {
      Interval values = ranges.of(counter);
      boolean isCounter = values.low() >= 0 && values.high() < Integer.MAX_VALUE && values.contains(number);
      return isCounter ? OptionalDouble.of((number - values.low()) / (values.high() - values.low() + 1.0)) : OptionalDouble.empty();
    }
    return OptionalDouble.empty();
  }

  private static Count count(Expr expr) {
    Count inside = expr.children().map(LeastCycles::count).reduce(Count.NONE, Count::plus);
    return inside.plus(switch (expr) {
      case Expr.Load load -> new Count(0, accesses(load.buffer(), load.indices(), load.type().lanes()));
      case Expr.Fma _, Expr.Dot _, Expr.TileProduct _ -> new Count(1, 0);
      case Expr.Binary binary when isFloat(binary.left()) -> new Count(1, 0);
      case Expr.Unary unary when isFloat(unary) -> new Count(1, 0);
      case Expr.ReduceLanes reduce when isFloat(reduce) -> new Count(1, 0);
      default -> Count.NONE;
    });
  }

  private static boolean isFloat(Expr expr) {
    return expr.type().element().isFloat();
  }

  /// Vectors of neighbours, and of few of them again and again, are one access, others as many as they have lanes.
  private static double accesses(Buffer buffer, List<Expr> indices, int lanes) {
    if (buffer.space() == Buffer.Space.REGISTER) {
      return 0;
    }
    boolean isRow = lanes == 1 || !indices.isEmpty() && (indices.getLast() instanceof Expr.Ramp ramp && ramp.stride() == 1
        || Repetition.of(indices.getLast()).isPresent());
    return isRow ? 1 : lanes;
  }
}
