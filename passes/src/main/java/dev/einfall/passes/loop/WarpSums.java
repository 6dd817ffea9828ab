package dev.einfall.passes.loop;

import static dev.einfall.passes.loop.Indices.over;
import static dev.einfall.passes.loop.Indices.plus;
import static dev.einfall.passes.loop.Indices.rest;
import static dev.einfall.passes.loop.Indices.times;

import dev.einfall.ir.BinaryOp;
import dev.einfall.ir.Span;
import dev.einfall.ir.loop.Buffer;
import dev.einfall.ir.loop.Expr;
import dev.einfall.ir.loop.Stmt;
import dev.einfall.ir.loop.Stmt.For.Kind;
import dev.einfall.ir.loop.TileShape;
import dev.einfall.ir.loop.ValueType;
import dev.einfall.ir.loop.Var;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Function;

/// The results that a block computes, as tiles of sums in the registers of its warps. At the end the warps hand on their sums through shared memory,
/// some rows at a time.
///
/// @param kind whether warps do that, or groups of warps, each of which stands for a warp in what follows
/// @param warps how many there are
/// @param warpRows in how many rows they stand
/// @param down how many tiles of sums a warp has below each other
/// @param across and side by side
/// @param sum what they are kept in
record WarpSums(TileArea area, TileShape shape, Kind kind, int warps, int warpRows, int down, int across, Buffer sum) {
  /// So many columns at most are handed on at a time by groups of warps, whose tiles are wide.
  private static final int HANDED = 32;

  /// @param area whole tiles for each warp
  WarpSums(TileArea area, TileShape shape, int warps, int warpRows) {
    this(area, shape, Kind.WARP, warps, warpRows, area.height() / (warpRows * shape.rows()), area.width() / (warps / warpRows * shape.columns()));
  }

  /// Groups of warps that stand below each other, of which each has one tile.
  static WarpSums ofWarpgroups(TileArea area, TileShape shape) {
    int groups = area.height() / shape.rows();
    return new WarpSums(area, shape, Kind.WARPGROUP, groups, groups, 1, 1);
  }

  private WarpSums(TileArea area, TileShape shape, Kind kind, int warps, int warpRows, int down, int across) {
    this(area, shape, kind, warps, warpRows, down, across, new Buffer(area.product().sum().name(), shape.sum(),
        List.of(warps, down, across, shape.rows() * shape.columns()), Buffer.Space.LOCAL));
  }

  /// The tiles of a factor.
  interface Tiles {
    /// The elements of a tile.
    ///
    /// @param tileOfSteps its number among those of a line
    /// @param tileOfLines its number among those of a step
    /// @param step the step of each lane
    /// @param line the line of each lane
    Expr at(Expr tileOfSteps, Expr tileOfLines, Expr step, Expr line);
  }

  /// All warps begin.
  Stmt started() {
    Var row = Var.counter("i");
    Var column = Var.counter("j");
    return ofWarps(warp -> new Stmt.For(row, Expr.index(down), Kind.SERIAL, new Stmt.For(column, Expr.index(across), Kind.SERIAL,
        new Stmt.Store(sum, sums(warp, new Expr.Ref(row), new Expr.Ref(column)), new Expr.Broadcast(area.product().start(), shape.sums().lanes())),
        Span.NONE), Span.NONE));
  }

  /// All warps add the products of `count` tiles of steps.
  Stmt multiplied(long count, Tiles left, Tiles right) {
    Var steps = Var.counter("k0");
    return ofWarps(warp -> new Stmt.For(steps, Expr.index(count), Kind.SERIAL, multiplied(new Expr.Ref(steps), warp, left, right), Span.NONE));
  }

  /// Each operand is loaded once for all tiles of a warp.
  private Stmt multiplied(Expr steps, Expr warp, Tiles left, Tiles right) {
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
      Expr number = plus(times(rest(warp, warps / warpRows), across), Expr.index(j));
      Expr lane = new Expr.Ramp(Expr.index(0), 1, shape.rights().lanes());
      result = new Stmt.Let(rights.get(j), right.at(steps, number, quotient(lane, shape.columns()), remainder(lane, shape.columns())), result);
    }
    for (int i = down - 1; i >= 0; i--) {
      Expr number = plus(times(over(warp, warps / warpRows), down), Expr.index(i));
      Expr lane = new Expr.Ramp(Expr.index(0), 1, shape.lefts().lanes());
      result = new Stmt.Let(lefts.get(i), left.at(steps, number, remainder(lane, shape.steps()), quotient(lane, shape.steps())), result);
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

  /// What is done with the sums.
  Stmt finished() {
    return kind == Kind.WARPGROUP ? finishedByColumns() : finishedByRows();
  }

  /// Some columns of all tiles after the other.
  private Stmt finishedByColumns() {
    int rows = area.height();
    int columns = Math.min(HANDED, shape.columns());
    Buffer stage = stage(rows, columns);
    Var slab = Var.counter("j");
    Expr first = times(new Expr.Ref(slab), columns);
    int lanes = shape.rows() * columns;
    Expr lane = new Expr.Ramp(Expr.index(0), 1, lanes);
    Expr row = quotient(lane, columns);
    Expr column = remainder(lane, columns);
    Expr firstOfRow = new Expr.Binary(BinaryOp.MUL, row, new Expr.Broadcast(Expr.index(shape.columns()), lanes));
    Expr ofTile = plus(firstOfRow, plus(new Expr.Broadcast(first, lanes), column));
    Stmt handed = ofWarps(warp -> new Stmt.Store(stage, List.of(plus(new Expr.Broadcast(times(warp, shape.rows()), lanes), row), column),
        new Expr.Load(sum, List.of(warp, Expr.index(0), Expr.index(0), ofTile))));
    Var element = Var.counter("e");
    Expr number = new Expr.Ref(element);
    List<Expr> place = List.of(over(number, columns), rest(number, columns));
    Stmt results = new Stmt.For(element, Expr.index((long) rows * columns), Kind.THREAD,
        area.finished(place.getFirst(), plus(first, place.getLast()), _ -> new Expr.Load(stage, place)), Span.NONE);
    return new Stmt.Alloc(stage, new Stmt.For(slab, Expr.index(shape.columns() / columns), Kind.SERIAL, Stmt.block(handed, results), Span.NONE));
  }

  /// Shared memory for what is handed on, whose rows begin in different banks.
  private Buffer stage(int rows, int columns) {
    return new Buffer(sum.name(), shape.sum(), List.of(rows, columns + StagedFactor.COPY_BYTES / shape.sum().bytes()), Buffer.Space.SHARED);
  }

  /// One row of tiles of each row of warps after the other.
  private Stmt finishedByRows() {
    int rows = warpRows * shape.rows();
    Buffer stage = stage(rows, area.width());
    Var slab = Var.counter("i");
    Stmt handed = ofWarps(warp -> handedOn(stage, new Expr.Ref(slab), warp));
    Var element = Var.counter("e");
    Expr number = new Expr.Ref(element);
    Expr row = over(number, area.width());
    Expr column = rest(number, area.width());
    Expr ofTile = plus(plus(times(over(row, shape.rows()), (long) down * shape.rows()), times(new Expr.Ref(slab), shape.rows())), rest(row, shape.rows()));
    Stmt results = new Stmt.For(element, Expr.index((long) rows * area.width()), Kind.THREAD,
        area.finished(ofTile, column, _ -> new Expr.Load(stage, List.of(row, column))), Span.NONE);
    return new Stmt.Alloc(stage, new Stmt.For(slab, Expr.index(down), Kind.SERIAL, Stmt.block(handed, results), Span.NONE));
  }

  private Stmt handedOn(Buffer stage, Expr slab, Expr warp) {
    List<Stmt> stores = new ArrayList<>();
    int lanes = shape.sums().lanes();
    Expr lane = new Expr.Ramp(Expr.index(0), 1, lanes);
    Expr firstRow = times(over(warp, warps / warpRows), shape.rows());
    for (int j = 0; j < across; j++) {
      Expr firstColumn = times(plus(times(rest(warp, warps / warpRows), across), Expr.index(j)), shape.columns());
      List<Expr> place = List.of(plus(new Expr.Broadcast(firstRow, lanes), quotient(lane, shape.columns())),
          plus(new Expr.Broadcast(firstColumn, lanes), remainder(lane, shape.columns())));
      stores.add(new Stmt.Store(stage, place, new Expr.Load(sum, sums(warp, slab, Expr.index(j)))));
    }
    return Stmt.block(stores);
  }

  private List<Expr> sums(Expr warp, Expr row, Expr column) {
    return List.of(warp, row, column, new Expr.Ramp(Expr.index(0), 1, shape.sums().lanes()));
  }

  private Stmt ofWarps(Function<Expr, Stmt> body) {
    Var warp = Var.counter("w");
    return new Stmt.For(warp, Expr.index(warps), kind, body.apply(new Expr.Ref(warp)), Span.NONE);
  }
}
