package dev.einfall.passes.loop;

import dev.einfall.ir.BinaryOp;
import dev.einfall.ir.Span;
import dev.einfall.ir.loop.Buffer;
import dev.einfall.ir.loop.Expr;
import dev.einfall.ir.loop.Stmt;
import dev.einfall.ir.loop.Stmt.For.Kind;
import dev.einfall.ir.loop.Var;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/// Builds the loops that compute a product in square tiles, one a block: see [TileProducts].
final class ProductTiles {
  /// Steps of the reduction that a block has at hand at a time.
  private static final int DEPTH = 16;
  /// A block has so many rows of so many threads; the elements of a thread are as far apart, so that neighbours of a row are those of neighbours in a
  /// warp, which store them together and load from different banks.
  private static final int SIDE = 16;
  private static final int THREADS = SIDE * SIDE;

  private final Contraction product;
  private final int tile;
  private final long rows;
  private final long columns;
  private final long steps;
  private final Var rowTile = Var.counter("m1");
  private final Var columnTile = Var.counter("n1");
  private final Buffer sum;
  /// What is shared, by the expression that it holds: the elements of a row or column next to each other, for each step.
  private final Map<Expr, Buffer> staged = new LinkedHashMap<>();
  /// The same again, to be filled while that is used.
  private final Map<Expr, Buffer> next = new LinkedHashMap<>();

  ProductTiles(Contraction product, int tile) {
    this.product = product;
    this.tile = tile;
    this.rows = Contraction.iterations(product.rows());
    this.columns = Contraction.iterations(product.columns());
    this.steps = Contraction.iterations(product.steps());
    this.sum = new Buffer(product.sum().name(), product.sum().type(), List.of(THREADS, tile / SIDE, tile / SIDE), Buffer.Space.LOCAL);
    stage(product.step());
  }

  static long over(long count, long size) {
    return (count + size - 1) / size;
  }

  private void stage(Expr expr) {
    if (product.isOfRow(expr) || product.isOfColumn(expr)) {
      staged.computeIfAbsent(expr, _ -> new Buffer(product.isOfRow(expr) ? "left" : "right", expr.type().element(),
          List.of(DEPTH, tile + 1), Buffer.Space.SHARED));
    } else if (!product.isSum(expr)) {
      expr.children().forEach(this::stage);
    }
  }

  Stmt body(Span span) {
    List<Stmt> statements = new ArrayList<>();
    statements.add(ofThreads((sum, _, _) -> store(sum, product.start())));
    long full = steps / DEPTH;
    if (full >= 2) {
      statements.add(overlapped(full));
    } else if (full == 1) {
      statements.add(someSteps(Expr.index(0), DEPTH));
    }
    if (steps % DEPTH > 0) {
      statements.add(someSteps(Expr.index(full * DEPTH), (int) (steps % DEPTH)));
    }
    statements.add(ofThreads(this::finished));
    Stmt body = Stmt.block(statements);
    for (Buffer buffer : staged.values()) {
      body = new Stmt.Alloc(buffer, body);
    }
    for (Buffer buffer : next.values()) {
      body = new Stmt.Alloc(buffer, body);
    }
    return tasks(new Stmt.Alloc(sum, Barriers.place(body)), span);
  }

  private Stmt tasks(Stmt body, Span span) {
    Var task = Var.counter("task");
    Expr number = new Expr.Ref(task);
    long across = over(columns, tile);
    long down = over(rows, tile);
    long batch = Contraction.iterations(product.batch());
    Stmt inBatch = CollapseLoops.coordinates(product.batch(), over(number, across * down), body);
    return new Stmt.For(task, Expr.index(batch * across * down), Kind.BLOCK,
        new Stmt.Let(columnTile, rest(number, across), new Stmt.Let(rowTile, rest(over(number, across), down), inBatch)), span);
  }

  /// Takes steps `DEPTH` at a time, `full` times, and loads those that come next meanwhile. Nobody fills what others still use: a barrier stands
  /// between each two.
  private Stmt overlapped(long full) {
    staged.forEach((expr, buffer) -> next.put(expr, new Buffer(buffer.name(), buffer.type(), buffer.extents(), buffer.space())));
    Var pair = Var.counter("k2");
    Expr first = times(new Expr.Ref(pair), 2);
    Expr third = plus(first, Expr.index(2));
    Stmt loaded = loaded(staged, times(third, DEPTH), DEPTH);
    Stmt body = Stmt.block(
        loaded(next, times(plus(first, Expr.index(1)), DEPTH), DEPTH), taken(staged, DEPTH), new Stmt.Barrier(),
        full % 2 == 1 ? loaded : new Stmt.If(new Expr.Binary(BinaryOp.LT, third, Expr.index(full)), loaded, Stmt.NOTHING),
        taken(next, DEPTH), new Stmt.Barrier());
    Stmt pairs = new Stmt.For(pair, Expr.index(full / 2), Kind.SERIAL, body, product.steps().getFirst().span());
    return Stmt.block(loaded(staged, Expr.index(0), DEPTH), new Stmt.Barrier(), pairs, full % 2 == 1 ? taken(staged, DEPTH) : Stmt.NOTHING);
  }

  /// Loads `count` steps from `first` on, and takes them.
  private Stmt someSteps(Expr first, int count) {
    return Stmt.block(loaded(staged, first, count), taken(staged, count));
  }

  private Stmt loaded(Map<Expr, Buffer> buffers, Expr first, int count) {
    return Stmt.block(buffers.entrySet().stream().map(entry -> loaded(entry.getKey(), entry.getValue(), first, count)).toList());
  }

  private Stmt taken(Map<Expr, Buffer> buffers, int count) {
    return ofThreads((sum, row, column) -> {
      Var step = Var.counter("k0");
      return new Stmt.For(step, Expr.index(count), Kind.SERIAL, store(sum, taken(product.step(), buffers, step, row, column, sum)), Span.NONE);
    });
  }

  /// Neighbours in memory are loaded by neighbours among threads.
  private Stmt loaded(Expr expr, Buffer buffer, Expr first, int count) {
    Var element = Var.counter("e");
    Expr number = new Expr.Ref(element);
    boolean along = product.runsAlongSteps(expr);
    Expr step = along ? rest(number, count) : over(number, tile);
    Expr line = along ? over(number, count) : rest(number, tile);
    boolean isRow = product.isOfRow(expr);
    Var place = Var.counter(isRow ? "row" : "column");
    Expr whole = plus(times(new Expr.Ref(isRow ? rowTile : columnTile), tile), line);
    Stmt kept = Rewrites.copy(CollapseLoops.coordinates(isRow ? product.rows() : product.columns(), new Expr.Ref(place),
        CollapseLoops.coordinates(product.steps(), plus(first, step), new Stmt.Store(buffer, List.of(step, line), expr))));
    Stmt none = new Stmt.Store(buffer, List.of(step, line), Expr.literal(buffer.type(), 0));
    long lines = isRow ? rows : columns;
    Stmt guarded = lines % tile == 0 ? kept
        : new Stmt.If(new Expr.Binary(BinaryOp.LT, new Expr.Ref(place), Expr.index(lines)), kept, none);
    return new Stmt.For(element, Expr.index((long) tile * count), Kind.THREAD, new Stmt.Let(place, whole, guarded), Span.NONE);
  }

  /// `expr` with what is shared in the place of what was loaded.
  private Expr taken(Expr expr, Map<Expr, Buffer> buffers, Var step, Expr row, Expr column, List<Expr> sumIndices) {
    Buffer buffer = buffers.get(expr);
    if (buffer != null) {
      return new Expr.Load(buffer, List.of(new Expr.Ref(step), product.isOfRow(expr) ? row : column));
    }
    return product.isSum(expr) ? new Expr.Load(sum, sumIndices) : expr.mapChildren(child -> taken(child, buffers, step, row, column, sumIndices));
  }

  private Stmt finished(List<Expr> sumIndices, Expr row, Expr column) {
    Var wholeRow = Var.counter("row");
    Var wholeColumn = Var.counter("column");
    Stmt rest = Rewrites.exprs(product.rest(), node -> product.isSum(node) ? new Expr.Load(sum, sumIndices) : node);
    Stmt placed = Rewrites.copy(CollapseLoops.coordinates(product.rows(), new Expr.Ref(wholeRow),
        CollapseLoops.coordinates(product.columns(), new Expr.Ref(wholeColumn), rest)));
    Stmt guarded = below(wholeRow, rows, below(wholeColumn, columns, placed));
    return new Stmt.Let(wholeRow, plus(times(new Expr.Ref(rowTile), tile), row),
        new Stmt.Let(wholeColumn, plus(times(new Expr.Ref(columnTile), tile), column), guarded));
  }

  private Stmt below(Var place, long limit, Stmt body) {
    return limit % tile == 0 ? body : new Stmt.If(new Expr.Binary(BinaryOp.LT, new Expr.Ref(place), Expr.index(limit)), body, Stmt.NOTHING);
  }

  /// What a thread does for one of its elements.
  private interface Element {
    /// @param sum the indices of its sum
    /// @param row its place in the tile
    Stmt of(List<Expr> sum, Expr row, Expr column);
  }

  /// The loops of a reduction go around the elements of a thread.
  private Stmt ofThreads(Element element) {
    Var thread = Var.counter("t");
    Var i = Var.counter("i");
    Var j = Var.counter("j");
    Expr row = plus(times(new Expr.Ref(i), SIDE), over(new Expr.Ref(thread), SIDE));
    Expr column = plus(times(new Expr.Ref(j), SIDE), rest(new Expr.Ref(thread), SIDE));
    Stmt one = element.of(List.of(new Expr.Ref(thread), new Expr.Ref(i), new Expr.Ref(j)), row, column);
    Stmt all = one instanceof Stmt.For loop ? loop.withBody(elements(i, j, loop.body())) : elements(i, j, one);
    return new Stmt.For(thread, Expr.index(THREADS), Kind.THREAD, all, Span.NONE);
  }

  private Stmt elements(Var i, Var j, Stmt body) {
    Expr count = Expr.index(tile / SIDE);
    return new Stmt.For(i, count, Kind.SERIAL, new Stmt.For(j, count, Kind.SERIAL, body, Span.NONE), Span.NONE);
  }

  private Stmt store(List<Expr> sumIndices, Expr value) {
    return new Stmt.Store(sum, sumIndices, value);
  }

  private static Expr plus(Expr left, Expr right) {
    return new Expr.Binary(BinaryOp.ADD, left, right);
  }

  private static Expr times(Expr expr, long factor) {
    return new Expr.Binary(BinaryOp.MUL, expr, Expr.index(factor));
  }

  private static Expr over(Expr expr, long divisor) {
    return divisor == 1 ? expr : new Expr.Binary(BinaryOp.DIV, expr, Expr.index(divisor));
  }

  private static Expr rest(Expr expr, long divisor) {
    return divisor == 1 ? Expr.index(0) : new Expr.Binary(BinaryOp.MOD, expr, Expr.index(divisor));
  }
}
