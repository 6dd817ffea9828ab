package dev.einfall.passes.loop;

import dev.einfall.ir.Diagnostic;
import dev.einfall.ir.ElementType;
import dev.einfall.ir.loop.Buffer;
import dev.einfall.ir.loop.Expr;
import dev.einfall.ir.loop.Kernel;
import dev.einfall.ir.loop.Stmt;
import dev.einfall.ir.loop.Var;
import dev.einfall.passes.Pass;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.function.Consumer;

/// Uses what was stored to memory, instead of loading it again, and stores an element once where stores in a row change it several times.
///
/// ```
/// sum[n] = fma(A[k], B[k, n], sum[n])                       let sum_1: f32 = fma(A[k], B[k, n], sum[n])
/// sum[n] = fma(A[k + 9], B[k + 9, n], sum[n])        =>     sum[n] = fma(A[k + 9], B[k + 9, n], sum_1)
/// ```
///
/// A value is forwarded along a straight line to where the same indices are loaded, if every store between is to other elements: of another
/// buffer, or a constant distance apart. What narrow types hold may be less than the value that was stored, and is loaded again.
public record ForwardStores() implements Pass.OnKernel {

  @Override
  public String name() {
    return "forward-stores";
  }

  @Override
  public Kernel apply(Kernel kernel, Consumer<Diagnostic> remarks) {
    return kernel.withBody(forwarded(kernel.body()));
  }

  /// `statement` with what its straight lines store forwarded.
  static Stmt forwarded(Stmt statement) {
    Optional<StraightLine> line = StraightLine.of(statement);
    if (line.isPresent()) {
      return new Line(line.get().steps()).forwarded().map(StraightLine::statement).orElse(statement);
    }
    return statement instanceof Stmt.Block(List<Stmt> statements) ? inRuns(statements)
        : statement.mapChildren(ForwardStores::forwarded, expr -> expr);
  }

  /// The block of `statements`, each straight part of which is one line.
  private static Stmt inRuns(List<Stmt> statements) {
    List<Stmt> result = new ArrayList<>();
    for (int start = 0; start < statements.size(); ) {
      int end = start;
      while (end < statements.size() && StraightLine.of(statements.get(end)).isPresent()) {
        end++;
      }
      end = Math.max(end, start + 1);
      List<Stmt> run = statements.subList(start, end);
      Stmt whole = forwarded(Stmt.block(run));
      result.addAll(whole.equals(Stmt.block(run)) ? run : List.of(whole));
      start = end;
    }
    return Stmt.block(result);
  }

  /// The steps of a straight line, in which values are forwarded.
  private record Line(List<StraightLine.Step> steps) {

    /// Empty if nothing is stored that is loaded again.
    Optional<StraightLine> forwarded() {
      Map<Element, Expr> stored = new LinkedHashMap<>();
      List<StraightLine.Step> result = new ArrayList<>();
      boolean same = true;
      for (int i = 0; i < steps.size(); i++) {
        StraightLine.Step step = steps.get(i).map(expr -> replaced(expr, stored));
        if (!(step instanceof StraightLine.Write write)) {
          result.add(step);
          continue;
        }
        Element element = Element.of(write.store());
        stored.keySet().removeIf(other -> !other.isApartFrom(element));
        if (isLoadedAfter(i)) {
          same = false;
          result.add(bound(write.store(), element, stored, result));
        } else {
          result.add(write);
        }
      }
      return same ? Optional.empty() : Optional.of(new StraightLine(new Line(result).withoutOverwritten()));
    }

    /// `store` of a variable, which is bound in `before`, and is known as what `element` holds from now on.
    private static StraightLine.Step bound(Stmt.Store store, Element element, Map<Element, Expr> stored, List<StraightLine.Step> before) {
      if (!(store.value() instanceof Expr.Ref || store.value() instanceof Expr.FloatLiteral)) {
        Var var = new Var(store.buffer().name().toLowerCase(Locale.ROOT), store.value().type());
        before.add(new StraightLine.Bind(var, store.value()));
        stored.put(element, new Expr.Ref(var));
        return new StraightLine.Write(new Stmt.Store(store.buffer(), store.indices(), new Expr.Ref(var)));
      }
      stored.put(element, store.value());
      return new StraightLine.Write(store);
    }

    /// Whether a later step loads what the store at `index` writes, and no store between changes.
    private boolean isLoadedAfter(int index) {
      Stmt.Store store = ((StraightLine.Write) steps.get(index)).store();
      Element element = Element.of(store);
      for (int i = index + 1; i < steps.size() && isForwardable(store); i++) {
        StraightLine.Step step = steps.get(i);
        if (step.loads().anyMatch(load -> Element.of(load).equals(element))) {
          return true;
        }
        if (step instanceof StraightLine.Write(Stmt.Store other) && !Element.of(other).isApartFrom(element)) {
          return false;
        }
      }
      return false;
    }

    /// Whether `store` is to memory that holds a value as it is, at a place that depends on no memory.
    private static boolean isForwardable(Stmt.Store store) {
      ElementType type = store.buffer().type();
      return (type == ElementType.F32 || type == ElementType.F64 || type == ElementType.I32 || type == ElementType.I64)
          && store.buffer().space() != Buffer.Space.REGISTER
          && store.indices().stream().flatMap(Expr::nodes).noneMatch(Expr.Load.class::isInstance);
    }

    private static Expr replaced(Expr expr, Map<Element, Expr> stored) {
      return stored.isEmpty() ? expr
          : expr instanceof Expr.Load load && stored.containsKey(Element.of(load)) ? stored.get(Element.of(load))
          : expr.mapChildren(child -> replaced(child, stored));
    }

    /// The steps without stores to elements that a later one stores to before anything may load them.
    private List<StraightLine.Step> withoutOverwritten() {
      List<StraightLine.Step> result = new ArrayList<>();
      for (int i = 0; i < steps.size(); i++) {
        if (!(steps.get(i) instanceof StraightLine.Write(Stmt.Store store)) || !isOverwritten(store, steps.subList(i + 1, steps.size()))) {
          result.add(steps.get(i));
        }
      }
      return result;
    }

    private static boolean isOverwritten(Stmt.Store store, List<StraightLine.Step> rest) {
      Element element = Element.of(store);
      for (StraightLine.Step step : rest) {
        if (!isForwardable(store) || step.loads().anyMatch(load -> !Element.of(load).isApartFrom(element))) {
          return false;
        }
        if (step instanceof StraightLine.Write(Stmt.Store other) && Element.of(other).equals(element)) {
          return true;
        }
      }
      return false;
    }
  }
}
