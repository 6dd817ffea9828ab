package dev.einfall.passes.loop;

import static dev.einfall.passes.loop.Indices.below;
import static dev.einfall.passes.loop.Indices.over;
import static dev.einfall.passes.loop.Indices.parts;
import static dev.einfall.passes.loop.Indices.plus;
import static dev.einfall.passes.loop.Indices.rest;
import static dev.einfall.passes.loop.Indices.times;

import dev.einfall.ir.Span;
import dev.einfall.ir.loop.Buffer;
import dev.einfall.ir.loop.Expr;
import dev.einfall.ir.loop.Stmt;
import dev.einfall.ir.loop.Stmt.For.Kind;
import dev.einfall.ir.loop.TileShape;
import dev.einfall.ir.loop.Var;
import dev.einfall.ir.loop.WarpgroupTile;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/// A factor of a product that a block copies, some steps at a time, to memory that its threads share, in the order in which an instruction that
/// multiplies tiles reads it.
///
/// @param area what the block computes
/// @param factor in its own type
/// @param isLeft whether it is that of the rows
/// @param depth how many steps are at hand at a time
/// @param tiles how it lies there
record StagedFactor(TileArea area, TileShape shape, Expr factor, boolean isLeft, int depth, StagedLayout tiles) {
  /// So many bytes of each row or column are at hand at a time.
  private static final int DEPTH_BYTES = 64;
  /// What the hardware copies at once.
  static final int COPY_BYTES = 16;

  /// What warps multiply.
  static StagedFactor ofWarps(TileArea area, TileShape shape, Expr factor, boolean isLeft) {
    return new StagedFactor(area, shape, factor, isLeft, depth(shape), new StagedTiles(isLeft ? shape.rows() : shape.columns(), shape.steps(),
        area.product().runsAlongSteps(factor), COPY_BYTES / factor.type().element().bytes()));
  }

  /// What groups of warps multiply.
  static StagedFactor ofWarpgroups(TileArea area, WarpgroupTile tile, Expr factor, boolean isLeft) {
    TileShape shape = tile.shape();
    int depth = TileProducts.WARPGROUP_DEPTH_BYTES / shape.left().bytes();
    Optional<StagedLayout> packed = isLeft ? Optional.empty() : PackedCores.of(area.product(), factor, tile, area.width(), depth).map(layout -> layout);
    return new StagedFactor(area, shape, factor, isLeft, depth, packed.orElseGet(() -> new CoreMatrices(isLeft ? shape.rows() : shape.columns(),
        shape.steps(), !tile.turns() || area.product().runsAlongSteps(factor), COPY_BYTES / factor.type().element().bytes())));
  }

  private static int depth(TileShape shape) {
    return DEPTH_BYTES / shape.left().bytes();
  }

  /// Whether warps have a whole number of tiles of `shape` at hand.
  static boolean fits(TileShape shape) {
    return shape.packed() == 1 && depth(shape) % shape.steps() == 0;
  }

  /// The memory for the steps at hand.
  Buffer buffer() {
    return tiles.buffer(isLeft ? "left" : "right", isLeft ? shape.left() : shape.right(), isLeft ? area.height() : area.width(), depth);
  }

  /// The places in it of the elements of a tile, as [StagedLayout#places] says.
  List<Expr> places(Expr tileOfSteps, Expr tileOfLines, Expr step, Expr line) {
    return tiles.places(tileOfSteps, tileOfLines, step, line);
  }

  /// Threads fill `buffer` with `steps` steps from `first` on. What is beyond the last step of a product, or beyond its lines, is 0.
  Stmt loaded(Buffer buffer, Expr first, int steps) {
    return tiles instanceof PackedCores packed ? packed.loaded(buffer, ((Expr.Load) factor).buffer(), first, area.firstColumn(), area.width())
        : loadedByAll(buffer, first, steps);
  }

  private Stmt loadedByAll(Buffer buffer, Expr first, int steps) {
    int whole = (int) parts(steps, shape.steps()) * shape.steps();
    int count = isLeft ? area.height() : area.width();
    int lanes = steps == whole && canCopyLanes() ? tiles.lanes() : 1;
    Var element = Var.counter("e");
    Expr number = new Expr.Ref(element);
    // Neighbouring threads load neighbours.
    boolean isAlongSteps = area.product().runsAlongSteps(factor);
    int inner = (isAlongSteps ? whole : count) / lanes;
    Expr fast = times(rest(number, inner), lanes);
    Expr slow = over(number, inner);
    Expr step = isAlongSteps ? fast : slow;
    Expr line = isAlongSteps ? slow : fast;
    Var place = Var.counter(isLeft ? "row" : "column");
    Stmt kept = lanes == 1 ? element(buffer, tiles.place(step, line), plus(first, step), place)
        : copy(buffer, tiles.place(step, line), plus(first, step), new Expr.Ref(place), lanes);
    Stmt none = new Stmt.Store(buffer, lanes(tiles.place(step, line), lanes), zero(buffer, lanes));
    Stmt ofStep = steps == whole ? kept : new Stmt.If(below(step, steps), kept, none);
    int together = isAlongSteps ? 1 : lanes;
    Stmt guarded = isLeft ? area.ifRows(place, together, ofStep, none) : area.ifColumns(place, together, ofStep, none);
    return new Stmt.For(element, Expr.index((long) count * whole / lanes), Kind.THREAD,
        new Stmt.Let(place, isLeft ? area.row(line) : area.column(line), guarded), Span.NONE);
  }

  private List<Stmt.For> lines() {
    return isLeft ? area.product().rows() : area.product().columns();
  }

  private Stmt element(Buffer buffer, List<Expr> to, Expr step, Var place) {
    return Rewrites.copy(CollapseLoops.coordinates(lines(), new Expr.Ref(place),
        CollapseLoops.coordinates(area.product().steps(), step, new Stmt.Store(buffer, to, factor))));
  }

  /// Whether neighbours can be copied together: they are elements of one row of a tensor whose rows begin where such a copy can, and there is one loop
  /// for steps and one for lines. All of them may be 0 together.
  private boolean canCopyLanes() {
    Contraction product = area.product();
    Expr loaded = factor instanceof Expr.Select(Expr condition, Expr load, Expr zero) && isCopied(condition, zero) ? load : factor;
    if (!(loaded instanceof Expr.Load(Buffer from, List<Expr> indices)) || from.space() != Buffer.Space.GLOBAL || lines().size() != 1 || product.steps().size() != 1) {
      return false;
    }
    Var inner = inner();
    long extent = tiles.isAlongSteps() ? product.stepCount() : Contraction.iterations(lines());
    return indices.getLast().equals(new Expr.Ref(inner)) && indices.subList(0, indices.size() - 1).stream().noneMatch(index -> Rewrites.uses(index, inner))
        && from.extents().getLast() % tiles.lanes() == 0 && extent % tiles.lanes() == 0;
  }

  /// The counter of neighbours.
  private Var inner() {
    return (tiles.isAlongSteps() ? area.product().steps() : lines()).getLast().var();
  }

  private boolean isCopied(Expr condition, Expr otherwise) {
    return otherwise.equals(Expr.literal(factor.type().element(), 0)) && !Rewrites.uses(condition, inner());
  }

  private Stmt copy(Buffer buffer, List<Expr> to, Expr step, Expr line, int lanes) {
    Var stepVar = area.product().steps().getFirst().var();
    Var lineVar = lines().getFirst().var();
    Expr placed = Rewrites.substitute(Rewrites.substitute(factor, stepVar, step), lineVar, line);
    return placed instanceof Expr.Select(Expr condition, Expr.Load load, _)
        ? new Stmt.If(condition, copy(buffer, to, load, lanes), new Stmt.Store(buffer, lanes(to, lanes), zero(buffer, lanes)))
        : copy(buffer, to, (Expr.Load) placed, lanes);
  }

  private static Stmt copy(Buffer buffer, List<Expr> to, Expr.Load load, int lanes) {
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
}
