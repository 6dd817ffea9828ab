package dev.einfall.passes.loop;

import static dev.einfall.passes.loop.Indices.below;
import static dev.einfall.passes.loop.Indices.over;
import static dev.einfall.passes.loop.Indices.parts;
import static dev.einfall.passes.loop.Indices.plus;
import static dev.einfall.passes.loop.Indices.rest;
import static dev.einfall.passes.loop.Indices.times;

import dev.einfall.ir.BinaryOp;
import dev.einfall.ir.Span;
import dev.einfall.ir.loop.Buffer;
import dev.einfall.ir.loop.Expr;
import dev.einfall.ir.loop.Stmt.For.Kind;
import dev.einfall.ir.loop.Stmt;
import dev.einfall.ir.loop.TileShape;
import dev.einfall.ir.loop.ValueType;
import dev.einfall.ir.loop.Var;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/// Builds the loops that compute a product in square tiles, one a block, whose warps multiply smaller ones by an instruction: see [TileProducts].
///
/// Each warp has some tiles of sums in its registers. What they are made of is shared in the order in which the instruction's operands lie, with a few
/// elements between rows, so that these are in different banks. At the end the warps hand on their sums through shared memory, some rows at a time.
final class WarpTiles implements StagedSteps.Part {
  /// So many bytes of each row or column are at hand at a time.
  private static final int DEPTH_BYTES = 64;
  /// What the hardware copies at once.
  private static final int COPY_BYTES = 16;
  /// Warps stand in so many rows.
  private static final int WARP_ROWS = 2;

  private final Contraction product;
  private final TileFactors factors;
  private final TileShape shape;
  private final int tile;
  private final TileGrid grid;
  private final int warps;
  /// How many tiles of sums a warp has below each other, and side by side.
  private final int down;
  private final int across;
  private final Buffer sum;

  /// @param tile the rows and columns of a block, a multiple of those of two warps
  WarpTiles(Contraction product, TileFactors factors, TileShape shape, int tile) {
    this.product = product;
    this.factors = factors;
    this.shape = shape;
    this.tile = tile;
    this.grid = new TileGrid(product, tile);
    this.warps = tile >= 128 ? 8 : 4;
    this.down = tile / (WARP_ROWS * shape.rows());
    this.across = tile / (warps / WARP_ROWS * shape.columns());
    this.sum = new Buffer(product.sum().name(), shape.sum(), List.of(warps, down, across, shape.rows() * shape.columns()), Buffer.Space.LOCAL);
  }

  /// Whether tiles of `tile` rows and columns can be shared by warps that have tiles of `shape`.
  static boolean fits(TileShape shape, int tile) {
    return shape.packed() == 1 && tile % (WARP_ROWS * shape.rows()) == 0 && tile % ((tile >= 128 ? 4 : 2) * shape.columns()) == 0
        && DEPTH_BYTES / shape.left().bytes() % shape.steps() == 0;
  }

  Stmt body(Span span) {
    Map<Expr, Buffer> staged = new LinkedHashMap<>();
    staged.put(factors.left(), side(true).buffer("left", shape.left(), tile, depth()));
    staged.put(factors.right(), side(false).buffer("right", shape.right(), tile, depth()));
    Stmt steps = new StagedSteps(staged, product.stepCount(), depth(), this).body(product.steps().getFirst().span());
    return grid.tasks(new Stmt.Alloc(sum, Barriers.place(Stmt.block(started(), steps, finished()))), span);
  }

  private int depth() {
    return DEPTH_BYTES / shape.left().bytes();
  }

  private StagedTiles side(boolean isLeft) {
    Expr factor = isLeft ? factors.left() : factors.right();
    return new StagedTiles(isLeft ? shape.rows() : shape.columns(), shape.steps(), product.runsAlongSteps(factor), COPY_BYTES / factor.type().element().bytes());
  }

  private Stmt started() {
    Var row = Var.counter("i");
    Var column = Var.counter("j");
    return ofWarps(warp -> new Stmt.For(row, Expr.index(down), Kind.SERIAL, new Stmt.For(column, Expr.index(across), Kind.SERIAL,
        new Stmt.Store(sum, sums(warp, new Expr.Ref(row), new Expr.Ref(column)), new Expr.Broadcast(product.start(), shape.sums().lanes())), Span.NONE), Span.NONE));
  }

  @Override
  public Stmt loaded(Map<Expr, Buffer> buffers, Expr first, int count) {
    return Stmt.block(buffers.entrySet().stream().map(entry -> loaded(entry.getKey(), entry.getValue(), first, count)).toList());
  }

  /// What is beyond the last step of a product is 0.
  private Stmt loaded(Expr factor, Buffer buffer, Expr first, int steps) {
    boolean isLeft = factor == factors.left();
    StagedTiles side = side(isLeft);
    int whole = (int) parts(steps, shape.steps()) * shape.steps();
    int lanes = steps == whole && canCopyLanes(factor, side, isLeft) ? side.lanes() : 1;
    Var element = Var.counter("e");
    Expr number = new Expr.Ref(element);
    int inner = (side.isAlongSteps() ? whole : tile) / lanes;
    Expr fast = times(rest(number, inner), lanes);
    Expr slow = over(number, inner);
    Expr step = side.isAlongSteps() ? fast : slow;
    Expr line = side.isAlongSteps() ? slow : fast;
    Var place = Var.counter(isLeft ? "row" : "column");
    Stmt kept = lanes == 1 ? element(factor, buffer, side.place(step, line), plus(first, step), place, isLeft)
        : copy(factor, buffer, side.place(step, line), plus(first, step), new Expr.Ref(place), lanes, isLeft);
    Stmt none = new Stmt.Store(buffer, lanes(side.place(step, line), lanes), zero(buffer, lanes));
    Stmt ofStep = steps == whole ? kept : new Stmt.If(below(step, steps), kept, none);
    int count = side.isAlongSteps() ? 1 : lanes;
    Stmt guarded = isLeft ? grid.ifRows(place, count, ofStep, none) : grid.ifColumns(place, count, ofStep, none);
    return new Stmt.For(element, Expr.index((long) tile * whole / lanes), Kind.THREAD,
        new Stmt.Let(place, isLeft ? grid.row(line) : grid.column(line), guarded), Span.NONE);
  }

  private Stmt element(Expr factor, Buffer buffer, List<Expr> to, Expr step, Var place, boolean isLeft) {
    return Rewrites.copy(CollapseLoops.coordinates(isLeft ? product.rows() : product.columns(), new Expr.Ref(place),
        CollapseLoops.coordinates(product.steps(), step, new Stmt.Store(buffer, to, factor))));
  }

  /// Whether neighbours can be copied together: they are elements of one row of a tensor whose rows begin where such a copy can, and there is one loop
  /// for steps and one for lines.
  private boolean canCopyLanes(Expr factor, StagedTiles side, boolean isLeft) {
    List<Stmt.For> lines = isLeft ? product.rows() : product.columns();
    if (!(factor instanceof Expr.Load(Buffer from, List<Expr> indices)) || from.space() != Buffer.Space.GLOBAL || lines.size() != 1 || product.steps().size() != 1) {
      return false;
    }
    Var inner = (side.isAlongSteps() ? product.steps() : lines).getFirst().var();
    long extent = side.isAlongSteps() ? product.stepCount() : Contraction.iterations(lines);
    return indices.getLast().equals(new Expr.Ref(inner)) && indices.subList(0, indices.size() - 1).stream().noneMatch(index -> Rewrites.uses(index, inner))
        && from.extents().getLast() % side.lanes() == 0 && extent % side.lanes() == 0;
  }

  private Stmt copy(Expr factor, Buffer buffer, List<Expr> to, Expr step, Expr line, int lanes, boolean isLeft) {
    Var stepVar = product.steps().getFirst().var();
    Var lineVar = (isLeft ? product.rows() : product.columns()).getFirst().var();
    Expr.Load load = (Expr.Load) Rewrites.substitute(Rewrites.substitute(factor, stepVar, step), lineVar, line);
    return new Stmt.Store(buffer, lanes(to, lanes), new Expr.Load(load.buffer(), lanes(load.indices(), lanes)));
  }

  private static List<Expr> lanes(List<Expr> indices, int lanes) {
    List<Expr> result = new ArrayList<>(indices);
    result.set(result.size() - 1, lanes == 1 ? result.getLast() : new Expr.Ramp(result.getLast(), 1, lanes));
    return result;
  }

  private static Expr zero(Buffer buffer, int lanes) {
    Expr zero = Expr.literal(buffer.type(), 0);
    return lanes == 1 ? zero : new Expr.Broadcast(zero, lanes);
  }

  @Override
  public Stmt taken(Map<Expr, Buffer> buffers, int count) {
    Var steps = Var.counter("k0");
    return ofWarps(warp -> new Stmt.For(steps, Expr.index(parts(count, shape.steps())), Kind.SERIAL,
        multiplied(buffers, new Expr.Ref(steps), warp), Span.NONE));
  }

  /// Each operand is loaded once for all tiles of a warp.
  private Stmt multiplied(Map<Expr, Buffer> buffers, Expr steps, Expr warp) {
    List<Var> lefts = variables("a", down, shape.lefts());
    List<Var> rights = variables("b", across, shape.rights());
    List<Stmt> products = new ArrayList<>();
    for (int i = 0; i < down; i++) {
      for (int j = 0; j < across; j++) {
        List<Expr> place = sums(warp, Expr.index(i), Expr.index(j));
        products.add(new Stmt.Store(sum, place,
            new Expr.TileProduct(new Expr.Load(sum, place), new Expr.Ref(lefts.get(i)), new Expr.Ref(rights.get(j)), shape)));
      }
    }
    Stmt result = Stmt.block(products);
    for (int j = across - 1; j >= 0; j--) {
      Expr number = plus(times(rest(warp, warps / WARP_ROWS), across), Expr.index(j));
      Expr lane = new Expr.Ramp(Expr.index(0), 1, shape.rights().lanes());
      result = new Stmt.Let(rights.get(j), new Expr.Load(buffers.get(factors.right()),
          side(false).places(steps, number, quotient(lane, shape.columns()), remainder(lane, shape.columns()))), result);
    }
    for (int i = down - 1; i >= 0; i--) {
      Expr number = plus(times(over(warp, warps / WARP_ROWS), down), Expr.index(i));
      Expr lane = new Expr.Ramp(Expr.index(0), 1, shape.lefts().lanes());
      result = new Stmt.Let(lefts.get(i), new Expr.Load(buffers.get(factors.left()),
          side(true).places(steps, number, remainder(lane, shape.steps()), quotient(lane, shape.steps()))), result);
    }
    return result;
  }

  private static List<Var> variables(String name, int count, ValueType type) {
    List<Var> result = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      result.add(new Var(name + i, type));
    }
    return result;
  }

  private static Expr quotient(Expr lane, int divisor) {
    return new Expr.Binary(BinaryOp.DIV, lane, new Expr.Broadcast(Expr.index(divisor), lane.type().lanes()));
  }

  private static Expr remainder(Expr lane, int divisor) {
    return new Expr.Binary(BinaryOp.MOD, lane, new Expr.Broadcast(Expr.index(divisor), lane.type().lanes()));
  }

  /// One row of tiles of each row of warps after the other.
  private Stmt finished() {
    int rows = WARP_ROWS * shape.rows();
    Buffer stage = new Buffer(product.sum().name(), shape.sum(), List.of(rows, tile + COPY_BYTES / shape.sum().bytes()), Buffer.Space.SHARED);
    Var slab = Var.counter("i");
    Stmt handed = ofWarps(warp -> handedOn(stage, new Expr.Ref(slab), warp));
    Var element = Var.counter("e");
    Expr number = new Expr.Ref(element);
    Expr row = over(number, tile);
    Expr column = rest(number, tile);
    Expr ofTile = plus(plus(times(over(row, shape.rows()), (long) down * shape.rows()), times(new Expr.Ref(slab), shape.rows())), rest(row, shape.rows()));
    Stmt results = new Stmt.For(element, Expr.index((long) rows * tile), Kind.THREAD,
        grid.finished(ofTile, column, _ -> new Expr.Load(stage, List.of(row, column))), Span.NONE);
    return new Stmt.Alloc(stage, new Stmt.For(slab, Expr.index(down), Kind.SERIAL, Stmt.block(handed, results), Span.NONE));
  }

  private Stmt handedOn(Buffer stage, Expr slab, Expr warp) {
    List<Stmt> stores = new ArrayList<>();
    int lanes = shape.sums().lanes();
    Expr lane = new Expr.Ramp(Expr.index(0), 1, lanes);
    Expr firstRow = times(over(warp, warps / WARP_ROWS), shape.rows());
    for (int j = 0; j < across; j++) {
      Expr firstColumn = times(plus(times(rest(warp, warps / WARP_ROWS), across), Expr.index(j)), shape.columns());
      List<Expr> place = List.of(plus(new Expr.Broadcast(firstRow, lanes), quotient(lane, shape.columns())),
          plus(new Expr.Broadcast(firstColumn, lanes), remainder(lane, shape.columns())));
      stores.add(new Stmt.Store(stage, place, new Expr.Load(sum, sums(warp, slab, Expr.index(j)))));
    }
    return Stmt.block(stores);
  }

  private List<Expr> sums(Expr warp, Expr row, Expr column) {
    return List.of(warp, row, column, new Expr.Ramp(Expr.index(0), 1, shape.sums().lanes()));
  }

  private interface OfWarp {
    Stmt of(Expr warp);
  }

  private Stmt ofWarps(OfWarp body) {
    Var warp = Var.counter("w");
    return new Stmt.For(warp, Expr.index(warps), Kind.WARP, body.of(new Expr.Ref(warp)), Span.NONE);
  }
}
