package dev.einfall.command.explain;

import dev.einfall.ir.loop.Buffer;
import dev.einfall.ir.loop.Expr;
import dev.einfall.ir.loop.Interval;
import dev.einfall.ir.loop.Kernel;
import dev.einfall.ir.loop.Ranges;
import dev.einfall.ir.loop.Stmt;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/// What one launch of a kernel does: counted in its loops, so that it is what runs, after all passes.
///
/// @param operations the operations on floats; a multiply-add is two
/// @param bytes what has to come from memory and go there at least: of each parameter what is read and what is written, each element once.
///     What is read of a parameter to which the kernel stores first was made by the kernel, and need not come from memory
public record KernelWork(double operations, double bytes) {

  /// Counts. Where the number of iterations varies, it is taken to be in the middle; of two branches the one with more to do counts.
  public static KernelWork of(Kernel kernel) {
    Count count = new Counter(Ranges.of(kernel)).count(kernel.body());
    Set<Buffer> made = storedFirst(kernel.body());
    double bytes = 0;
    for (Buffer parameter : kernel.parameters()) {
      double loaded = made.contains(parameter) ? 0 : count.loads.getOrDefault(parameter, 0.0);
      bytes += Math.min(parameter.elements(), loaded) * parameter.type().bytes();
      bytes += Math.min(parameter.elements(), count.stores.getOrDefault(parameter, 0.0)) * parameter.type().bytes();
    }
    return new KernelWork(count.operations, bytes);
  }

  /// The buffers to which `body` stores before it loads of them.
  private static Set<Buffer> storedFirst(Stmt body) {
    Set<Buffer> loaded = new HashSet<>();
    Set<Buffer> stored = new HashSet<>();
    body.nodes().forEach(node -> {
      node.exprs().flatMap(Expr::nodes).forEach(expr -> {
        if (expr instanceof Expr.Load load) {
          loaded.add(load.buffer());
        }
      });
      if (node instanceof Stmt.Store store && !loaded.contains(store.buffer())) {
        stored.add(store.buffer());
      }
    });
    return stored;
  }

  /// @param loads the elements read of each buffer, as often as they are
  private record Count(double operations, Map<Buffer, Double> loads, Map<Buffer, Double> stores) {

    static Count none() {
      return new Count(0, new LinkedHashMap<>(), new LinkedHashMap<>());
    }

    Count plus(Count other) {
      Count sum = times(1);
      other.loads.forEach((buffer, elements) -> sum.loads.merge(buffer, elements, Double::sum));
      other.stores.forEach((buffer, elements) -> sum.stores.merge(buffer, elements, Double::sum));
      return new Count(operations + other.operations, sum.loads, sum.stores);
    }

    Count times(double often) {
      Count product = new Count(operations * often, new LinkedHashMap<>(loads), new LinkedHashMap<>(stores));
      product.loads.replaceAll((_, elements) -> elements * often);
      product.stores.replaceAll((_, elements) -> elements * often);
      return product;
    }

    double all() {
      return operations + loads.values().stream().mapToDouble(elements -> elements).sum()
          + stores.values().stream().mapToDouble(elements -> elements).sum();
    }
  }

  /// @param ranges what is known of the variables around
  private record Counter(Ranges ranges) {

    Count count(Stmt stmt) {
      Count own = stmt.exprs().map(Counter::count).reduce(Count.none(), Count::plus);
      return own.plus(switch (stmt) {
        case Stmt.Block(List<Stmt> statements) -> statements.stream().map(this::count).reduce(Count.none(), Count::plus);
        case Stmt.For loop -> new Counter(ranges.loop(loop.var(), loop.extent())).count(loop.body()).times(iterations(loop.extent()));
        case Stmt.Alloc(_, Stmt body) -> count(body);
        case Stmt.Let(var var, Expr value, Stmt body) -> new Counter(ranges.let(var, value)).count(body);
        case Stmt.If(_, Stmt whenTrue, Stmt whenFalse) -> {
          Count then = count(whenTrue);
          Count otherwise = count(whenFalse);
          yield then.all() < otherwise.all() ? otherwise : then;
        }
        case Stmt.Store(Buffer buffer, _, Expr value) -> {
          Count stored = Count.none();
          stored.stores.put(buffer, (double) value.type().lanes());
          yield stored;
        }
        case Stmt.Require _, Stmt.Barrier _ -> Count.none();
      });
    }

    private double iterations(Expr extent) {
      Interval range = ranges.of(extent);
      return (Math.max(0, range.low()) + (double) Math.max(0, range.high())) / 2;
    }

    private static Count count(Expr expr) {
      Count inside = expr.children().map(Counter::count).reduce(Count.none(), Count::plus);
      if (expr instanceof Expr.Load load) {
        inside.loads.merge(load.buffer(), (double) load.type().lanes(), Double::sum);
      }
      return new Count(inside.operations + operations(expr), inside.loads, inside.stores);
    }

    private static double operations(Expr expr) {
      return switch (expr) {
        case Expr.Fma fma -> 2.0 * fma.type().lanes();
        case Expr.Dot dot -> 2.0 * dot.left().type().lanes();
        case Expr.TileProduct product -> 2.0 * product.type().lanes() * product.shape().steps();
        case Expr.Binary binary when isFloat(binary.left()) -> binary.left().type().lanes();
        case Expr.Unary unary when isFloat(unary) -> unary.type().lanes();
        case Expr.ReduceLanes reduce when isFloat(reduce) -> reduce.operand().type().lanes() - 1;
        default -> 0;
      };
    }

    private static boolean isFloat(Expr expr) {
      return expr.type().element().isFloat();
    }
  }
}
