package dev.einfall.passes.loop;

import dev.einfall.ir.loop.Buffer;
import dev.einfall.ir.loop.Expr;
import dev.einfall.ir.loop.Kernel;
import dev.einfall.ir.loop.Stmt;
import dev.einfall.ir.loop.Var;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;

/// Where the elements of a tensor become elements of an output, in the last loops that use it:
///
/// ```
/// for i in 0..8 {
///   for n in 0..128 {
///     Y[m * 8 + i, n] = E[i, n] * r[i]           E[i, n] has the place Y[m * 8 + i, n]
///   }
/// }
/// ```
///
/// @param store the store to the output
/// @param counters the counters of these loops, one for each dimension of the tensor
record OutputPlace(Stmt.Store store, List<Var> counters) {

  Buffer output() {
    return store.buffer();
  }

  /// The indices of the output for the element of the tensor at `indices`.
  List<Expr> indices(List<Expr> indices) {
    return store.indices().stream().map(index -> {
      Expr place = index;
      for (int i = 0; i < counters.size(); i++) {
        place = Rewrites.substitute(place, counters.get(i), indices.get(i));
      }
      return place;
    }).toList();
  }

  /// The place of what `alloc` holds, if these things are so:
  ///
  /// - all of its elements are used once in the last loops, each for the element of the output that is in its place, of the same type;
  /// - these are whole rows of the output, in the same order, which no other iteration of a parallel loop stores to;
  /// - nothing else uses the output while the tensor lives, and the kernel never reads it;
  /// - no element is stored as a function of itself.
  ///
  /// @param around the loops in which `alloc` stands
  static Optional<OutputPlace> of(Stmt.Alloc alloc, List<Stmt.For> around, Kernel kernel) {
    return last(alloc.body(), alloc.buffer()).flatMap(nest -> ofNest(nest, alloc.buffer()))
        .filter(place -> place.isAlone(alloc, kernel) && place.isWhole(alloc.buffer()) && place.isFixed(alloc.body())
            && around.stream().filter(loop -> loop.kind() == Stmt.For.Kind.PARALLEL).allMatch(loop -> place.isApart(loop.var(), alloc.buffer())));
  }

  /// The last statement in `body` that uses `buffer`.
  private static Optional<Stmt.For> last(Stmt body, Buffer buffer) {
    return switch (body) {
      case Stmt.Alloc(_, Stmt inner) -> last(inner, buffer);
      case Stmt.Let(_, _, Stmt inner) -> last(inner, buffer);
      case Stmt.Block(List<Stmt> statements) -> statements.reversed().stream().filter(statement -> Rewrites.accesses(statement, buffer)).findFirst()
          .flatMap(statement -> last(statement, buffer));
      case Stmt.For loop -> Optional.of(loop);
      case Stmt.Store _, Stmt.If _, Stmt.Require _, Stmt.Barrier _ -> Optional.empty();
    };
  }

  /// The place of `buffer` by loops that do nothing but store to an output, at each element of `buffer` once.
  private static Optional<OutputPlace> ofNest(Stmt.For outermost, Buffer buffer) {
    List<Stmt.For> loops = new ArrayList<>();
    Stmt inner = outermost;
    while (inner instanceof Stmt.For loop) {
      loops.add(loop);
      inner = loop.body();
    }
    if (!(inner instanceof Stmt.Store store) || store.buffer().space() != Buffer.Space.GLOBAL || store.buffer().type() != buffer.type()) {
      return Optional.empty();
    }
    Set<List<Expr>> read = new HashSet<>();
    loads(store, buffer).forEach(load -> read.add(load.indices()));
    if (read.size() != 1 || loops.size() != buffer.extents().size()) {
      return Optional.empty();
    }
    List<Var> counters = new ArrayList<>();
    for (int i = 0; i < loops.size(); i++) {
      Expr index = read.iterator().next().get(i);
      Expr extent = Expr.index(buffer.extents().get(i));
      loops.stream().filter(loop -> index.equals(new Expr.Ref(loop.var())) && loop.extent().equals(extent)).findFirst()
          .ifPresent(loop -> counters.add(loop.var()));
    }
    return Set.copyOf(counters).size() == loops.size() ? Optional.of(new OutputPlace(store, List.copyOf(counters))) : Optional.empty();
  }

  /// Whether nothing else uses the output while the tensor of `alloc` lives, which is not accumulated, and the kernel never reads the output.
  private boolean isAlone(Stmt.Alloc alloc, Kernel kernel) {
    long stores = stores(alloc.body(), output()).count();
    return stores == 1 && kernel.body().nodes().allMatch(node -> loads(node, output()).findAny().isEmpty())
        && stores(alloc.body(), alloc.buffer()).allMatch(store -> loads(store, alloc.buffer()).findAny().isEmpty());
  }

  /// Whether the elements of `buffer` are whole rows of the output, in the same order.
  private boolean isWhole(Buffer buffer) {
    int first = store.indices().size() - counters.size();
    for (int i = 0; i < store.indices().size(); i++) {
      IndexSum index = IndexSum.of(store.indices().get(i));
      int dimension = i - first;
      boolean fits = counters.stream().allMatch(counter -> factor(index, counter) == (dimension >= 0 && counter == counters.get(dimension) ? 1 : 0));
      boolean full = dimension <= 0 || buffer.extents().get(dimension).equals(output().extents().get(i));
      if (!fits || !full) {
        return false;
      }
    }
    return first >= 0;
  }

  /// Whether the place is the same for all that `body`, in which the tensor lives, does.
  private boolean isFixed(Stmt body) {
    Set<Var> inside = Rewrites.bound(body);
    inside.removeAll(counters);
    return store.indices().stream().flatMap(Expr::nodes).noneMatch(node ->
        node instanceof Expr.Load || node instanceof Expr.Ref(Var var) && inside.contains(var));
  }

  /// Whether the iterations of the loop of `counter` have places of their own: some index is a multiple of it that is no less than what the
  /// tensor takes there.
  private boolean isApart(Var counter, Buffer buffer) {
    int first = store.indices().size() - counters.size();
    for (int i = 0; i < store.indices().size(); i++) {
      IndexSum index = IndexSum.of(store.indices().get(i));
      long taken = i < first ? 1 : buffer.extents().get(i - first);
      boolean others = index.terms().keySet().stream().anyMatch(term ->
          !(term instanceof Expr.Ref(Var var) && (var == counter || counters.contains(var))));
      if (!others && Math.abs(factor(index, counter)) >= taken) {
        return true;
      }
    }
    return false;
  }

  private static long factor(IndexSum index, Var counter) {
    return index.terms().getOrDefault(new Expr.Ref(counter), 0L);
  }

  private static Stream<Stmt.Store> stores(Stmt statement, Buffer buffer) {
    return statement.nodes().filter(node -> node instanceof Stmt.Store store && store.buffer() == buffer).map(Stmt.Store.class::cast);
  }

  private static Stream<Expr.Load> loads(Stmt statement, Buffer buffer) {
    return statement.exprs().flatMap(Expr::nodes)
        .filter(node -> node instanceof Expr.Load load && load.buffer() == buffer).map(Expr.Load.class::cast);
  }
}
