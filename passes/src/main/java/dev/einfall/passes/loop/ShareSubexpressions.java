package dev.einfall.passes.loop;

import dev.einfall.ir.BinaryOp;
import dev.einfall.ir.Diagnostic;
import dev.einfall.ir.loop.Buffer;
import dev.einfall.ir.loop.Expr;
import dev.einfall.ir.loop.Kernel;
import dev.einfall.ir.loop.Repetition;
import dev.einfall.ir.loop.Stmt;
import dev.einfall.ir.loop.Var;
import dev.einfall.passes.Pass;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Consumer;
import java.util.stream.Stream;

/// Computes once what several stores in a row use, and loads once what they load.
///
/// ```
/// acc[0] = fma(A[k], B[k], acc[0])             let b: f32 = B[k]
/// acc[1] = fma(A[k + 9], B[k], acc[1])   =>    acc[0] = fma(A[k], b, acc[0])
///                                              acc[1] = fma(A[k + 9], b, acc[1])
/// ```
///
/// A run of stores is one in which no store writes what another one loads: other buffers, other registers, or elements that are
/// a constant distance apart. A value is bound right before its first use, so that few values live at a time.
public record ShareSubexpressions() implements Pass.OnKernel {

  @Override
  public String name() {
    return "share-subexpressions";
  }

  @Override
  public Kernel apply(Kernel kernel, Consumer<Diagnostic> remarks) {
    return kernel.withBody(Rewrites.statements(kernel.body(), statement -> switch (statement) {
      case Stmt.Block(List<Stmt> statements) -> shared(statements);
      case Stmt.Store store -> shared(List.of(store));
      case Stmt.For _, Stmt.Alloc _, Stmt.If _, Stmt.Let _, Stmt.Require _, Stmt.Barrier _ -> statement;
    }));
  }

  private static Stmt shared(List<Stmt> statements) {
    List<Stmt> result = new ArrayList<>();
    for (int i = 0; i < statements.size(); ) {
      int end = runEnd(statements, i);
      if (end > i) {
        result.add(share(statements.subList(i, end).stream().map(Stmt.Store.class::cast).toList()));
        i = end;
      } else {
        result.add(statements.get(i++));
      }
    }
    Stmt block = Stmt.block(result);
    return block.equals(Stmt.block(statements)) ? Stmt.block(statements) : block;
  }

  /// The end of the longest run of stores from `start` on.
  private static int runEnd(List<Stmt> statements, int start) {
    int end = start;
    List<Stmt.Store> run = new ArrayList<>();
    while (end < statements.size() && statements.get(end) instanceof Stmt.Store store && fits(run, store)) {
      run.add(store);
      end++;
    }
    return end;
  }

  /// Whether `store` neither loads what an earlier store of the run wrote nor writes what one loads.
  private static boolean fits(List<Stmt.Store> run, Stmt.Store store) {
    return run.stream().noneMatch(earlier -> clashes(earlier, store) || clashes(store, earlier));
  }

  private static boolean clashes(Stmt.Store writer, Stmt.Store reader) {
    return loads(reader).anyMatch(load -> !Element.of(load).isApartFrom(Element.of(writer)));
  }

  private static Stream<Expr.Load> loads(Stmt.Store store) {
    return store.exprs().flatMap(Expr::nodes).filter(Expr.Load.class::isInstance).map(Expr.Load.class::cast);
  }

  private static Stmt share(List<Stmt.Store> stores) {
    Map<Expr, Integer> counts = new LinkedHashMap<>();
    stores.forEach(store -> store.exprs().forEach(root -> count(root, counts)));
    List<Expr> repeated = counts.keySet().stream().filter(expr -> counts.get(expr) > 1 && isWorthBinding(expr)).toList();
    return repeated.isEmpty() ? Stmt.block(List.copyOf(stores)) : new Run(stores, Set.copyOf(repeated)).bound();
  }

  /// Counts the distinct places that use each expression: what stands inside a repeated one counts once.
  private static void count(Expr expr, Map<Expr, Integer> counts) {
    if (counts.merge(expr, 1, Integer::sum) == 1) {
      expr.children().forEach(child -> count(child, counts));
    }
  }

  /// Loads from memory and arithmetic on elements. Index arithmetic, constants, and the lanes that few elements are repeated in, or that are the
  /// rows and columns of a tile, are left to the backend.
  private static boolean isWorthBinding(Expr expr) {
    boolean isIndex = !expr.type().element().isFloat() && !expr.type().isVector()
        && expr.nodes().noneMatch(Expr.Load.class::isInstance);
    return !isIndex && Repetition.of(expr).isEmpty() && !goesThroughTile(expr) && switch (expr) {
      case Expr.FloatLiteral _, Expr.IntLiteral _, Expr.Ref _, Expr.Ramp _ -> false;
      case Expr.Load load -> load.buffer().space() != Buffer.Space.REGISTER;
      case Expr.Broadcast broadcast -> isWorthBinding(broadcast.operand());
      case Expr.Unary _, Expr.Binary _, Expr.Fma _, Expr.Select _, Expr.Cast _, Expr.Bitcast _, Expr.ReduceLanes _,
          Expr.Zip _, Expr.Permute _, Expr.PermuteBytes _, Expr.AddHalves _, Expr.Dot _, Expr.TileProduct _ -> true;
    };
  }

  /// Whether the lanes of the index `expr` are the rows or columns of a tile.
  private static boolean goesThroughTile(Expr expr) {
    return expr.type().isVector() && !expr.type().element().isFloat() && expr.nodes().noneMatch(Expr.Load.class::isInstance)
        && expr.nodes().anyMatch(node -> node instanceof Expr.Binary(BinaryOp op, Expr.Ramp(Expr base, int stride, _), Expr.Broadcast _)
            && (op == BinaryOp.DIV || op == BinaryOp.MOD) && base.equals(Expr.index(0)) && stride == 1);
  }

  /// A run of stores whose repeated expressions get variables.
  private static final class Run {
    private record Binding(Var var, Expr value) {}

    private final List<Stmt.Store> stores;
    private final Set<Expr> repeated;
    private final Map<Expr, Var> bound = new LinkedHashMap<>();

    Run(List<Stmt.Store> stores, Set<Expr> repeated) {
      this.stores = stores;
      this.repeated = repeated;
    }

    Stmt bound() {
      List<List<Binding>> before = new ArrayList<>();
      List<Stmt> rewritten = new ArrayList<>();
      for (Stmt.Store store : stores) {
        List<Binding> bindings = new ArrayList<>();
        rewritten.add(store.mapChildren(inner -> inner, root -> replace(root, bindings)));
        before.add(bindings);
      }
      Stmt result = Stmt.NOTHING;
      for (int i = stores.size() - 1; i >= 0; i--) {
        result = Stmt.block(rewritten.get(i), result);
        for (Binding binding : before.get(i).reversed()) {
          result = new Stmt.Let(binding.var, binding.value, result);
        }
      }
      return result;
    }

    private Expr replace(Expr expr, List<Binding> bindings) {
      if (bound.containsKey(expr)) {
        return new Expr.Ref(bound.get(expr));
      }
      Expr inner = expr.mapChildren(child -> replace(child, bindings));
      if (!repeated.contains(expr)) {
        return inner;
      }
      Var var = new Var(name(expr), expr.type());
      bound.put(expr, var);
      bindings.add(new Binding(var, inner));
      return new Expr.Ref(var);
    }

    private static String name(Expr expr) {
      return switch (expr) {
        case Expr.Load load -> load.buffer().name().toLowerCase(java.util.Locale.ROOT);
        case Expr.Broadcast broadcast -> name(broadcast.operand());
        default -> "v";
      };
    }
  }
}
