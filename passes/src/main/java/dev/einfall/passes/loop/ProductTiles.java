package dev.einfall.passes.loop;

import static dev.einfall.passes.loop.Indices.over;
import static dev.einfall.passes.loop.Indices.plus;
import static dev.einfall.passes.loop.Indices.rest;
import static dev.einfall.passes.loop.Indices.times;

import dev.einfall.ir.Span;
import dev.einfall.ir.loop.Buffer;
import dev.einfall.ir.loop.Expr;
import dev.einfall.ir.loop.Stmt.For.Kind;
import dev.einfall.ir.loop.Stmt;
import dev.einfall.ir.loop.Var;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/// Builds the loops that compute a product in square tiles, one a block: see [TileProducts].
final class ProductTiles implements StagedSteps.Part {
  /// Steps of the reduction that a block has at hand at a time.
  private static final int DEPTH = 16;
  /// A block has so many rows of so many threads; the elements of a thread are as far apart, so that neighbours of a row are those of neighbours in a
  /// warp, which store them together and load from different banks.
  private static final int SIDE = 16;
  private static final int THREADS = SIDE * SIDE;

  private final Contraction product;
  private final int tile;
  private final TileGrid grid;
  private final Buffer sum;
  /// What is shared, by the expression that it holds: the elements of a row or column next to each other, for each step.
  private final Map<Expr, Buffer> staged = new LinkedHashMap<>();

  ProductTiles(Contraction product, int tile) {
    this.product = product;
    this.tile = tile;
    this.grid = new TileGrid(product, tile);
    this.sum = new Buffer(product.sum().name(), product.sum().type(), List.of(THREADS, tile / SIDE, tile / SIDE), Buffer.Space.LOCAL);
    stage(product.step());
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
    Stmt steps = new StagedSteps(staged, product.stepCount(), DEPTH, this).body(product.steps().getFirst().span());
    Stmt body = Stmt.block(ofThreads((sum, _, _) -> store(sum, product.start())), steps,
        ofThreads((sum, row, column) -> grid.finished(row, column, _ -> new Expr.Load(this.sum, sum))));
    return grid.tasks(new Stmt.Alloc(sum, Barriers.place(body)), span);
  }

  @Override
  public Stmt loaded(Map<Expr, Buffer> buffers, Expr first, int count) {
    return Stmt.block(buffers.entrySet().stream().map(entry -> loaded(entry.getKey(), entry.getValue(), first, count)).toList());
  }

  @Override
  public Stmt taken(Map<Expr, Buffer> buffers, int count) {
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
    Stmt kept = Rewrites.copy(CollapseLoops.coordinates(isRow ? product.rows() : product.columns(), new Expr.Ref(place),
        CollapseLoops.coordinates(product.steps(), plus(first, step), new Stmt.Store(buffer, List.of(step, line), expr))));
    Stmt none = new Stmt.Store(buffer, List.of(step, line), Expr.literal(buffer.type(), 0));
    Stmt guarded = isRow ? grid.ifRow(place, kept, none) : grid.ifColumn(place, kept, none);
    return new Stmt.For(element, Expr.index((long) tile * count), Kind.THREAD, new Stmt.Let(place, isRow ? grid.row(line) : grid.column(line), guarded), Span.NONE);
  }

  /// `expr` with what is shared in the place of what was loaded.
  private Expr taken(Expr expr, Map<Expr, Buffer> buffers, Var step, Expr row, Expr column, List<Expr> sumIndices) {
    Buffer buffer = buffers.get(expr);
    if (buffer != null) {
      return new Expr.Load(buffer, List.of(new Expr.Ref(step), product.isOfRow(expr) ? row : column));
    }
    return product.isSum(expr) ? new Expr.Load(sum, sumIndices) : expr.mapChildren(child -> taken(child, buffers, step, row, column, sumIndices));
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
}
