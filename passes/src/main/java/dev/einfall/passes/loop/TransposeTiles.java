package dev.einfall.passes.loop;

import dev.einfall.ir.Diagnostic;
import dev.einfall.ir.ElementType;
import dev.einfall.ir.loop.Buffer;
import dev.einfall.ir.loop.Expr;
import dev.einfall.ir.loop.Kernel;
import dev.einfall.ir.loop.Stmt;
import dev.einfall.passes.Pass;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.stream.IntStream;

/// Stores as many vectors as each has lanes, the lanes of which belong far apart and the vectors side by side, the other way round: one vector
/// has what belongs side by side.
///
/// ```
///                                                   let r: f32x2 = X[0, ramp(0, 1, 2)]
///                                                   let r_1: f32x2 = X[1, ramp(0, 1, 2)]
/// Y[ramp(0, 1, 2), 0] = X[0, ramp(0, 1, 2)]         let t: f32x2 = zip_low(r, r_1)
/// Y[ramp(0, 1, 2), 1] = X[1, ramp(0, 1, 2)]   =>    let t_1: f32x2 = zip_high(r, r_1)
///                                                   Y[0, ramp(0, 1, 2)] = t
///                                                   Y[1, ramp(0, 1, 2)] = t_1
/// ```
///
/// Of `n` vectors, each half is zipped with the other, `log2(n)` times: that turns the bits of the number of an element, which are those of its
/// vector and then those of its lane, by one place each time. Stores of lanes that fill the places between each other are zipped, too: [InterleavedStores].
public record TransposeTiles() implements Pass.OnKernel {

  @Override
  public String name() {
    return "transpose-tiles";
  }

  @Override
  public Machines machines() {
    return Machines.PROCESSORS;
  }

  @Override
  public Kernel apply(Kernel kernel, Consumer<Diagnostic> remarks) {
    return kernel.withBody(Rewrites.statements(kernel.body(), statement ->
        statement instanceof Stmt.Block(List<Stmt> statements) ? transposed(statements) : statement));
  }

  private static Stmt transposed(List<Stmt> statements) {
    List<Stmt> result = new ArrayList<>();
    boolean isChanged = false;
    for (int i = 0; i < statements.size(); ) {
      Optional<Tile> tile = Tile.at(statements, i);
      Optional<InterleavedStores> lanes = InterleavedStores.at(statements, i);
      result.add(tile.map(Tile::transposed).or(() -> lanes.map(InterleavedStores::zipped)).orElse(statements.get(i)));
      isChanged |= tile.isPresent() || lanes.isPresent();
      i += tile.map(Tile::lanes).or(() -> lanes.map(InterleavedStores::count)).orElse(1);
    }
    return Stmt.block(isChanged ? result : statements);
  }

  /// The stores of a tile.
  ///
  /// @param along the dimension along which the lanes of each lie
  /// @param across the one along which the stores lie
  private record Tile(List<Stmt.Store> stores, int along, int across) {

    /// The tile that begins with statement `start`, if one does.
    static Optional<Tile> at(List<Stmt> statements, int start) {
      if (!(statements.get(start) instanceof Stmt.Store first) || !first.value().type().isVector()) {
        return Optional.empty();
      }
      int lanes = first.value().type().lanes();
      int last = first.indices().size() - 1;
      int along = IntStream.range(0, last).filter(i -> isRow(first.indices().get(i))).findFirst().orElse(last);
      if (along == last || start + lanes > statements.size() || !isPlain(first, along)) {
        return Optional.empty();
      }
      List<Stmt.Store> stores = new ArrayList<>();
      for (Stmt statement : statements.subList(start, start + lanes)) {
        if (statement instanceof Stmt.Store store && isNext(first, store, last, stores.size())) {
          stores.add(store);
        }
      }
      return stores.size() == lanes ? Optional.of(new Tile(stores, along, last)) : Optional.empty();
    }

    private static boolean isRow(Expr index) {
      return index instanceof Expr.Ramp ramp && ramp.stride() == 1;
    }

    /// Whether `store` is one of vectors to memory whose other indices are scalars.
    private static boolean isPlain(Stmt.Store store, int along) {
      return store.buffer().space() != Buffer.Space.REGISTER && store.value().type().element() != ElementType.BOOL
          && IntStream.range(0, store.indices().size()).allMatch(i -> i == along || !store.indices().get(i).type().isVector())
          && store.indices().stream().flatMap(Expr::nodes).noneMatch(Expr.Load.class::isInstance);
    }

    /// Whether `store` is to what lies `distance` from what `first` stores to, along dimension `across`, and nothing that is stored is read.
    private static boolean isNext(Stmt.Store first, Stmt.Store store, int across, int distance) {
      return store.buffer() == first.buffer() && store.value().type().equals(first.value().type())
          && store.value().nodes().noneMatch(expr -> expr instanceof Expr.Load load && load.buffer() == first.buffer())
          && IntStream.range(0, store.indices().size()).allMatch(i -> i == across
              ? IndexSum.of(store.indices().get(i)).equals(plus(first.indices().get(i), distance))
              : store.indices().get(i).equals(first.indices().get(i)));
    }

    int lanes() {
      return stores.size();
    }

    Stmt transposed() {
      List<Stmt.Let> lets = new ArrayList<>();
      List<Expr> vectors = stores.stream().map(store -> InterleavedStores.bound("r", store.value(), lets)).toList();
      for (int done = 1; done < lanes(); done *= 2) {
        vectors = InterleavedStores.zipped(vectors, lets);
      }
      List<Stmt> rows = new ArrayList<>();
      for (int i = 0; i < lanes(); i++) {
        rows.add(new Stmt.Store(stores.getFirst().buffer(), indices(i), vectors.get(i)));
      }
      Stmt result = Stmt.block(rows);
      for (Stmt.Let let : lets.reversed()) {
        result = new Stmt.Let(let.var(), let.value(), result);
      }
      return result;
    }

    /// Where the lanes `lane` of all vectors belong.
    private List<Expr> indices(int lane) {
      List<Expr> indices = new ArrayList<>(stores.getFirst().indices());
      Expr base = ((Expr.Ramp) indices.get(along)).base();
      indices.set(across, new Expr.Ramp(indices.get(across), 1, lanes()));
      indices.set(along, plus(base, lane).expr());
      return indices;
    }
  }

  private static IndexSum plus(Expr index, long distance) {
    return IndexSum.of(index).plus(new IndexSum(Map.of(), distance));
  }
}
