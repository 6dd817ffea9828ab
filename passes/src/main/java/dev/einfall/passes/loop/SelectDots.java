package dev.einfall.passes.loop;

import dev.einfall.ir.Diagnostic;
import dev.einfall.ir.loop.DotShape;
import dev.einfall.ir.loop.Expr;
import dev.einfall.ir.loop.Kernel;
import dev.einfall.ir.loop.Stmt;
import dev.einfall.passes.Numerics;
import dev.einfall.passes.Pass;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Consumer;

/// Computes by one dot what is accumulated in a register from several products of narrow numbers, where the machine has an instruction for it.
///
/// ```
/// s[r] = fma(broadcast(f32(X[k * 2]), 16), f32(W[k, ramp(0, 2, 16)]), s[r])
/// s[r] = fma(broadcast(f32(X[k * 2 + 1]), 16), f32(W[k, ramp(1, 2, 16)]), s[r])
///       =>
/// s[r] = dot(s[r], X[broadcast(k * 2, 32) + ramp(0, 1, 32) % broadcast(2, 32)], W[k, ramp(0, 1, 32)])
/// ```
///
/// Fields of bytes are cut from all lanes at once: `i32(W[k, ramp(0, 4, 16)]) && 15` and its neighbours become `W[k, ramp(0, 1, 64)] && 15`.
///
/// Bytes are widened where the machine has a dot for numbers of 16 bits alone: `dot(s[r], X[..], i16(W[k, ramp(0, 1, 32)]))`.
///
/// One factor of each product is the same in all lanes, and those of the products are neighbours in memory; the lanes of the other are as far apart as
/// there are products to a dot, and those of the products fill the places between. The statements of a run may come in any order, and one may add
/// several products. They store to registers only, so that nothing that is loaded changes.
///
/// @param dots what the machine has instructions for
public record SelectDots(List<DotShape> dots) implements Pass.OnKernel {

  public SelectDots {
    dots = List.copyOf(dots);
  }

  @Override
  public String name() {
    return "select-dots";
  }

  @Override
  public Numerics needs() {
    return Numerics.REASSOCIATE;
  }

  @Override
  public Kernel apply(Kernel kernel, Consumer<Diagnostic> remarks) {
    return dots.isEmpty() ? kernel : kernel.withBody(Rewrites.statements(kernel.body(), statement -> switch (statement) {
      case Stmt.Block(List<Stmt> statements) -> selected(statements);
      case Stmt.Store store -> selected(List.of(store));
      case Stmt.For _, Stmt.Alloc _, Stmt.If _, Stmt.Let _, Stmt.Require _, Stmt.Barrier _ -> statement;
    }));
  }

  private Stmt selected(List<Stmt> statements) {
    List<Stmt> result = new ArrayList<>();
    for (int i = 0; i < statements.size(); ) {
      List<ProductSum> run = run(statements, i);
      if (run.isEmpty()) {
        result.add(statements.get(i++));
      } else {
        result.addAll(selectedRun(run));
        i += run.size();
      }
    }
    return Stmt.block(result);
  }

  /// The accumulations of products from statement `start` on.
  private static List<ProductSum> run(List<Stmt> statements, int start) {
    List<ProductSum> run = new ArrayList<>();
    for (int i = start; i < statements.size(); i++) {
      Optional<ProductSum> sum = ProductSum.of(statements.get(i));
      if (sum.isEmpty()) {
        break;
      }
      run.add(sum.get());
    }
    return run;
  }

  /// The statements of a run, with one for each register whose products are dots, in the place of its first.
  private List<Stmt> selectedRun(List<ProductSum> run) {
    Map<Expr.Load, List<ProductSum.Product>> products = new LinkedHashMap<>();
    run.forEach(sum -> products.computeIfAbsent(sum.register(), _ -> new ArrayList<>()).addAll(sum.products()));
    Map<Expr.Load, Stmt> dots = new LinkedHashMap<>();
    products.forEach((register, factors) -> dots(register, factors).ifPresent(dot -> dots.put(register, dot)));
    List<Stmt> result = new ArrayList<>();
    Set<Expr.Load> done = new HashSet<>();
    for (ProductSum sum : run) {
      if (!dots.containsKey(sum.register())) {
        result.add(sum.store());
      } else if (done.add(sum.register())) {
        result.add(dots.get(sum.register()));
      }
    }
    return result;
  }

  /// What stores to `register` itself and all of `products`; empty unless all are parts of dots.
  private Optional<Stmt> dots(Expr.Load register, List<ProductSum.Product> products) {
    return dots.stream().filter(shape -> shape.sum() == register.buffer().type() && shape.lanes() == register.type().lanes()
            && products.size() % shape.terms() == 0)
        .flatMap(shape -> sum(register, products, shape).stream()).findFirst()
        .map(value -> new Stmt.Store(register.buffer(), register.indices(), value));
  }

  private static Optional<Expr> sum(Expr.Load register, List<ProductSum.Product> products, DotShape shape) {
    List<ProductSum.Product> rest = new ArrayList<>(products);
    Expr sum = register;
    while (!rest.isEmpty()) {
      Optional<List<ProductSum.Product>> terms = rest.stream().flatMap(first -> terms(first, rest, shape.terms()).stream()).findFirst();
      Expr before = sum;
      Optional<Expr> dot = terms.flatMap(found -> found.getFirst().dot(before, shape));
      if (dot.isEmpty()) {
        return Optional.empty();
      }
      sum = dot.get();
      terms.get().forEach(rest::remove);
    }
    return Optional.of(sum);
  }

  /// `first` and those of `products` that read what follows what it reads.
  private static Optional<List<ProductSum.Product>> terms(ProductSum.Product first, List<ProductSum.Product> products, int count) {
    List<ProductSum.Product> terms = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      int distance = i;
      Optional<ProductSum.Product> next = products.stream().filter(product -> product.isBehind(first, distance)).findFirst();
      if (next.isEmpty()) {
        return Optional.empty();
      }
      terms.add(next.get());
    }
    return Optional.of(terms);
  }
}
