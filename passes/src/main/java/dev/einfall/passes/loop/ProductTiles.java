package dev.einfall.passes.loop;

import static dev.einfall.passes.loop.Indices.over;
import static dev.einfall.passes.loop.Indices.plus;
import static dev.einfall.passes.loop.Indices.rest;

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
  /// A block has so many rows of so many threads.
  private static final int SIDE = 16;

  private final Contraction product;
  private final int tile;
  private final TileGrid grid;
  private final ThreadTile threads;
  private final Buffer sum;
  /// What is shared, by the expression that it holds: the elements of a row or column next to each other, for each step.
  private final Map<Expr, Buffer> staged = new LinkedHashMap<>();

  ProductTiles(Contraction product, int tile) {
    this.product = product;
    this.tile = tile;
    this.grid = new TileGrid(product, tile);
    this.threads = new ThreadTile(SIDE, SIDE, tile / SIDE, tile / SIDE);
    this.sum = threads.memory(product.sum());
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
    Stmt body = Stmt.block(threads.each((sum, _, _) -> store(sum, product.start())), steps,
        threads.each((sum, row, column) -> grid.area().finished(row, column, _ -> new Expr.Load(this.sum, sum))));
    return grid.tasks(new Stmt.Alloc(sum, Barriers.place(body)), span);
  }

  @Override
  public Stmt loaded(Map<Expr, Buffer> buffers, Expr first, int count) {
    return Stmt.block(buffers.entrySet().stream().map(entry -> loaded(entry.getKey(), entry.getValue(), first, count)).toList());
  }

  @Override
  public Stmt taken(Map<Expr, Buffer> buffers, Expr first, int count) {
    return threads.each((sum, row, column) -> {
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
    TileArea area = grid.area();
    Var place = Var.counter(isRow ? "row" : "column");
    Stmt kept = Rewrites.copy(CollapseLoops.coordinates(isRow ? product.rows() : product.columns(), new Expr.Ref(place),
        CollapseLoops.coordinates(product.steps(), plus(first, step), new Stmt.Store(buffer, List.of(step, line), expr))));
    Stmt none = new Stmt.Store(buffer, List.of(step, line), Expr.literal(buffer.type(), 0));
    Stmt guarded = isRow ? area.ifRow(place, kept, none) : area.ifColumn(place, kept, none);
    return new Stmt.For(element, Expr.index((long) tile * count), Kind.THREAD, new Stmt.Let(place, isRow ? area.row(line) : area.column(line), guarded), Span.NONE);
  }

  /// `expr` with what is shared in the place of what was loaded.
  private Expr taken(Expr expr, Map<Expr, Buffer> buffers, Var step, Expr row, Expr column, List<Expr> sumIndices) {
    Buffer buffer = buffers.get(expr);
    if (buffer != null) {
      return new Expr.Load(buffer, List.of(new Expr.Ref(step), product.isOfRow(expr) ? row : column));
    }
    return product.isSum(expr) ? new Expr.Load(sum, sumIndices) : expr.mapChildren(child -> taken(child, buffers, step, row, column, sumIndices));
  }

  private Stmt store(List<Expr> sumIndices, Expr value) {
    return new Stmt.Store(sum, sumIndices, value);
  }
}
