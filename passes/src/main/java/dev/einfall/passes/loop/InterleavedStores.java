package dev.einfall.passes.loop;

import dev.einfall.ir.ElementType;
import dev.einfall.ir.loop.Buffer;
import dev.einfall.ir.loop.Expr;
import dev.einfall.ir.loop.Stmt;
import dev.einfall.ir.loop.Var;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// Stores of vectors whose lanes are as far apart as there are stores, so that together they fill all places: the lanes of all, one after the other.
///
/// ```
///                                                  let t: f32x4 = zip_low(A[..], B[..])
/// Y[ramp(0, 2, 4)] = A[ramp(0, 1, 4)]       =>     let t_1: f32x4 = zip_high(A[..], B[..])
/// Y[ramp(1, 2, 4)] = B[ramp(0, 1, 4)]              Y[ramp(0, 1, 4)] = t
///                                                  Y[ramp(4, 1, 4)] = t_1
/// ```
record InterleavedStores(List<Stmt.Store> stores) {

  /// Those that begin with statement `start`, if some do.
  static Optional<InterleavedStores> at(List<Stmt> statements, int start) {
    if (!(statements.get(start) instanceof Stmt.Store first) || first.buffer().space() == Buffer.Space.REGISTER
        || first.buffer().type() == ElementType.BOOL || first.indices().isEmpty() || !(first.indices().getLast() instanceof Expr.Ramp lanes)) {
      return Optional.empty();
    }
    int count = lanes.stride();
    if (count < 2 || Integer.bitCount(count) != 1 || start + count > statements.size()) {
      return Optional.empty();
    }
    List<Stmt.Store> stores = new ArrayList<>();
    for (Stmt statement : statements.subList(start, start + count)) {
      if (statement instanceof Stmt.Store store && isNext(first, store, stores.size())) {
        stores.add(store);
      }
    }
    return stores.size() == count ? Optional.of(new InterleavedStores(stores)) : Optional.empty();
  }

  /// Whether `store` is to the places `distance` behind those of `first`, and nothing that is stored is read.
  private static boolean isNext(Stmt.Store first, Stmt.Store store, int distance) {
    int last = first.indices().size() - 1;
    return store.buffer() == first.buffer() && store.value().type().equals(first.value().type())
        && store.indices().subList(0, last).equals(first.indices().subList(0, last)) && Expr.lanes(first.indices().subList(0, last)) == 1
        && store.indices().stream().flatMap(Expr::nodes).noneMatch(Expr.Load.class::isInstance)
        && store.value().nodes().noneMatch(expr -> expr instanceof Expr.Load load && load.buffer() == first.buffer())
        && store.indices().getLast() instanceof Expr.Ramp other && other.stride() == ramp(first).stride()
        && IndexSum.of(other.base()).equals(IndexSum.of(ramp(first).base()).plus(new IndexSum(Map.of(), distance)));
  }

  private static Expr.Ramp ramp(Stmt.Store store) {
    return (Expr.Ramp) store.indices().getLast();
  }

  /// How many there are.
  int count() {
    return stores.size();
  }

  /// The same by vectors of neighbours.
  Stmt zipped() {
    List<Stmt.Let> lets = new ArrayList<>();
    List<Expr> vectors = stores.stream().map(store -> bound("r", store.value(), lets)).toList();
    for (int done = 1; done < count(); done *= 2) {
      vectors = zipped(vectors, lets);
    }
    List<Stmt> rows = new ArrayList<>();
    for (int i = 0; i < count(); i++) {
      rows.add(new Stmt.Store(stores.getFirst().buffer(), indices(i), vectors.get(i)));
    }
    Stmt result = Stmt.block(rows);
    for (Stmt.Let let : lets.reversed()) {
      result = new Stmt.Let(let.var(), let.value(), result);
    }
    return result;
  }

  /// The lanes of each vector of the first half between those of one of the second.
  static List<Expr> zipped(List<Expr> vectors, List<Stmt.Let> lets) {
    int half = vectors.size() / 2;
    List<Expr> result = new ArrayList<>();
    for (int i = 0; i < half; i++) {
      result.add(bound("t", new Expr.Zip(vectors.get(i), vectors.get(half + i), false), lets));
      result.add(bound("t", new Expr.Zip(vectors.get(i), vectors.get(half + i), true), lets));
    }
    return result;
  }

  static Expr bound(String name, Expr value, List<Stmt.Let> lets) {
    Var var = new Var(name, value.type());
    lets.add(new Stmt.Let(var, value, Stmt.NOTHING));
    return new Expr.Ref(var);
  }

  private List<Expr> indices(int vector) {
    Expr.Ramp first = ramp(stores.getFirst());
    List<Expr> indices = new ArrayList<>(stores.getFirst().indices());
    Expr base = IndexSum.of(first.base()).plus(new IndexSum(Map.of(), (long) vector * first.lanes())).expr();
    indices.set(indices.size() - 1, new Expr.Ramp(base, 1, first.lanes()));
    return indices;
  }
}
