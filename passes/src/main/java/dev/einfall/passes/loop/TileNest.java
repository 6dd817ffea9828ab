package dev.einfall.passes.loop;

import dev.einfall.ir.BinaryOp;
import dev.einfall.ir.loop.Buffer;
import dev.einfall.ir.loop.Expr;
import dev.einfall.ir.loop.Stmt;
import dev.einfall.ir.loop.TileShape;
import dev.einfall.ir.loop.Var;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;

/// A loop nest that adds products of two factors to the elements of a buffer, and can do so by products of tiles.
///
/// @param outer the loops over whole steps of a tile, from the outside in
/// @param places the loops over tiles inside of these
/// @param row the counter of the rows of a tile; empty where it has one
/// @param column the counter of its columns; empty where it has one
/// @param step the counter of groups of steps
/// @param packed the counter of the steps of a group
record TileNest(Buffer sum, List<Expr> indices, Expr.Load left, Expr.Load right, TileShape shape, List<Stmt.For> outer, List<Stmt.For> places,
    Optional<Var> row, Optional<Var> column, Var step, Var packed) {

  /// What `statement` is, if it adds to `sum` so.
  static Optional<TileNest> of(Stmt statement, Buffer sum, List<TileShape> tiles) {
    List<Stmt.For> loops = new ArrayList<>();
    Stmt inner = statement;
    while (inner instanceof Stmt.For loop && loop.kind() == Stmt.For.Kind.SERIAL && Rewrites.constant(loop.extent()).isPresent()) {
      loops.add(loop);
      inner = loop.body();
    }
    if (loops.size() < 3 || !(inner instanceof Stmt.Store(Buffer buffer, List<Expr> indices, Expr value)) || buffer != sum
        || !(value instanceof Expr.Binary(BinaryOp op, Expr one, Expr other)) || op != BinaryOp.ADD) {
      return Optional.empty();
    }
    Expr before = new Expr.Load(sum, indices);
    Optional<Expr> product = one.equals(before) ? Optional.of(other) : other.equals(before) ? Optional.of(one) : Optional.empty();
    return product.flatMap(factors -> factors instanceof Expr.Binary(BinaryOp times, Expr.Cast(_, Expr.Load left), Expr.Cast(_, Expr.Load right))
        && times == BinaryOp.MUL ? of(loops, sum, indices, left, right, tiles).or(() -> of(loops, sum, indices, right, left, tiles)) : Optional.empty());
  }

  private static Optional<TileNest> of(List<Stmt.For> loops, Buffer sum, List<Expr> indices, Expr.Load left, Expr.Load right, List<TileShape> tiles) {
    int count = loops.size();
    Stmt.For packed = loops.get(count - 1);
    Stmt.For step = loops.get(count - 2);
    List<Stmt.For> around = loops.subList(0, count - 2);
    int first = firstPlace(around, indices);
    List<Stmt.For> places = around.subList(first, around.size());
    if (Stream.concat(around.subList(0, first).stream(), Stream.of(step, packed)).anyMatch(loop -> uses(indices, loop))
        || places.stream().anyMatch(loop -> uses(left.indices(), loop) == uses(right.indices(), loop))) {
      return Optional.empty();
    }
    Optional<Stmt.For> row = places.reversed().stream().filter(loop -> uses(left.indices(), loop)).findFirst();
    Optional<Stmt.For> column = places.reversed().stream().filter(loop -> uses(right.indices(), loop)).findFirst();
    List<Stmt.For> others = places.stream().filter(loop -> row.filter(loop::equals).isEmpty() && column.filter(loop::equals).isEmpty()).toList();
    return shape(sum, left, right, row, column, step, packed, tiles)
        .map(shape -> new TileNest(sum, indices, left, right, shape, around.subList(0, first), others, row.map(Stmt.For::var), column.map(Stmt.For::var),
            step.var(), packed.var()))
        .filter(TileNest::isOfTiles);
  }

  private static int firstPlace(List<Stmt.For> loops, List<Expr> indices) {
    int first = loops.size();
    while (first > 0 && uses(indices, loops.get(first - 1))) {
      first--;
    }
    return first;
  }

  private static Optional<TileShape> shape(Buffer sum, Expr.Load left, Expr.Load right, Optional<Stmt.For> row, Optional<Stmt.For> column,
      Stmt.For step, Stmt.For packed, List<TileShape> tiles) {
    int rows = row.map(TileNest::extent).orElse(1);
    int columns = column.map(TileNest::extent).orElse(1);
    int steps = extent(step) * extent(packed);
    return rows * columns < 2 ? Optional.empty() : tiles.stream()
        .filter(tile -> tile.sum() == sum.type() && tile.left() == left.buffer().type() && tile.right() == right.buffer().type()
            && tile.steps() == steps && tile.packed() == extent(packed) && tile.rows() >= rows && tile.columns() >= columns).findFirst()
        .map(tile -> new TileShape(tile.sum(), tile.left(), tile.right(), rows, columns, steps, tile.packed()));
  }

  private static int extent(Stmt.For loop) {
    return Math.toIntExact(Rewrites.constant(loop.extent()).orElseThrow());
  }

  private static boolean uses(List<Expr> indices, Stmt.For loop) {
    return indices.stream().anyMatch(index -> Rewrites.uses(index, loop.var()));
  }

  /// Whether neighbours in rows of the tiles are neighbours in memory, and rows are as far apart everywhere.
  private boolean isOfTiles() {
    return Stream.of(lefts(), rights(), sums()).allMatch(tile -> tile.isPlain() && tile.columnStride() == 1);
  }

  private MemoryTile lefts() {
    return new MemoryTile(left.buffer(), left.indices(), row, List.of(new MemoryTile.Digit(step, shape.packed()), new MemoryTile.Digit(packed, 1)), shape.rows(), shape.steps());
  }

  private MemoryTile rights() {
    List<MemoryTile.Digit> columns = new ArrayList<>(List.of(new MemoryTile.Digit(packed, 1)));
    column.ifPresent(var -> columns.add(new MemoryTile.Digit(var, shape.packed())));
    return new MemoryTile(right.buffer(), right.indices(), Optional.of(step), columns, shape.steps() / shape.packed(), shape.columns() * shape.packed());
  }

  private MemoryTile sums() {
    return new MemoryTile(sum, indices, row, column.map(var -> new MemoryTile.Digit(var, 1)).stream().toList(), shape.rows(), shape.columns());
  }

  /// How many registers hold tiles: of the sums, and of both factors for as many rows and columns of tiles.
  int registers() {
    int rows = places.stream().filter(loop -> uses(left.indices(), loop)).mapToInt(TileNest::extent).reduce(1, (a, b) -> a * b);
    int columns = places.stream().filter(loop -> uses(right.indices(), loop)).mapToInt(TileNest::extent).reduce(1, (a, b) -> a * b);
    return rows * columns + rows + columns;
  }

  /// The statements that do the same by tiles, and then store them to the buffer.
  ///
  /// @param isFromZero whether the sums start as 0, not as what the buffer holds
  Stmt inTiles(boolean isFromZero) {
    List<Map<Var, Expr>> all = List.of(Map.of());
    for (Stmt.For loop : places) {
      all = all.stream().flatMap(place -> Stream.iterate(0, i -> i < extent(loop), i -> i + 1).map(i -> with(place, loop.var(), i))).toList();
    }
    Buffer tile = new Buffer("tile", sum.type(), List.of(all.size(), shape.sums().lanes()), Buffer.Space.REGISTER);
    List<Stmt> starts = new ArrayList<>();
    List<Stmt> ends = new ArrayList<>();
    for (int i = 0; i < all.size(); i++) {
      MemoryTile sums = sums().at(all.get(i));
      Expr start = isFromZero ? new Expr.Broadcast(Expr.literal(sum.type(), 0), shape.sums().lanes()) : sums.load();
      starts.add(new Stmt.Store(tile, register(i), start));
      ends.add(new Stmt.Store(sum, sums.lanes(), new Expr.Load(tile, register(i))));
    }
    Stmt steps = products(all, tile);
    for (Stmt.For loop : outer.reversed()) {
      steps = new Stmt.For(loop.var(), loop.extent(), loop.kind(), steps, loop.span());
    }
    return new Stmt.Alloc(tile, Stmt.block(Stmt.block(starts), steps, Stmt.block(ends)));
  }

  private List<Expr> register(int number) {
    return List.of(Expr.index(number), new Expr.Ramp(Expr.index(0), 1, shape.sums().lanes()));
  }

  /// The products of a step, each of which stands behind the first load of what it multiplies.
  private Stmt products(List<Map<Var, Expr>> all, Buffer tile) {
    Map<MemoryTile, Var> loaded = new LinkedHashMap<>();
    List<List<MemoryTile>> first = new ArrayList<>();
    List<Stmt> products = new ArrayList<>();
    for (int i = 0; i < all.size(); i++) {
      List<MemoryTile> factors = List.of(lefts().at(all.get(i)), rights().at(all.get(i)));
      first.add(factors.stream().filter(factor -> !loaded.containsKey(factor)).toList());
      factors.forEach(factor -> loaded.computeIfAbsent(factor, key -> new Var(key.buffer().name().toLowerCase(Locale.ROOT), key.load().type())));
      products.add(new Stmt.Store(tile, register(i), new Expr.TileProduct(new Expr.Load(tile, register(i)),
          new Expr.Ref(loaded.get(factors.getFirst())), new Expr.Ref(loaded.get(factors.getLast())), shape)));
    }
    Stmt result = Stmt.NOTHING;
    for (int i = all.size() - 1; i >= 0; i--) {
      result = Stmt.block(products.get(i), result);
      for (MemoryTile factor : first.get(i).reversed()) {
        result = new Stmt.Let(loaded.get(factor), factor.load(), result);
      }
    }
    return result;
  }

  private static Map<Var, Expr> with(Map<Var, Expr> place, Var var, int value) {
    Map<Var, Expr> result = new LinkedHashMap<>(place);
    result.put(var, Expr.index(value));
    return result;
  }
}
