package dev.einfall.passes.loop;

import static dev.einfall.passes.loop.Indices.below;
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
import dev.einfall.ir.loop.Var;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// A product inside of what a block does, all of which the block computes as one tile: operands in the device's memory are loaded into memory that
/// its threads share, some steps at a time, those that the threads share already are used where they are.
///
/// ```
/// for p in 0..64 {                              alloc sum: f32[128, 8, 4] in local { alloc right: f32[32, 65] in shared {
///   for m in 0..64 {                              thread for t in 0..128 { .. sum[t, i, j] = 0.0 .. }
///     alloc sum: f32[] in local {                 for k1 in 0..2 {
///       sum[] = 0.0                                 thread for e in 0..2048 { .. right[.., ..] = K[m0 + .., k1 * 32 + ..] }
///       for e in 0..64 {                            thread for t in 0..128 { .. sum[t, i, j] = sum[t, i, j] + Q_tile[.., ..] * right[k0, ..] }
///         sum[] = sum[] + Q_tile[p, e]    =>      }
///           * K[m0 + m, e]                        thread for t in 0..128 { .. S[i * 8 + t / 16, j * 16 + t % 16] = sum[t, i, j] }
///       }                                       } }
///       S[p, m] = sum[]
/// ```
///
/// @param product without a batch
/// @param tile what each thread has of it
/// @param depth the steps for which operands are loaded at a time
record BlockProduct(Contraction product, ThreadTile tile, int depth) {
  /// Rows and columns of the threads: as many as share a reduction.
  private static final int DOWN = 8;
  private static final int ACROSS = ThreadReduction.THREADS / DOWN;
  /// More elements of a thread would not be registers any more.
  private static final long MOST_ELEMENTS = 64;
  private static final long FEWEST_STEPS = 16;
  /// What is loaded at a time.
  private static final long STAGED_BYTES = 8 << 10;

  /// The product that `nest` is, if it is one that a block can compute as one tile.
  static Optional<BlockProduct> of(IndependentNest nest) {
    return Contraction.of(nest).filter(product -> product.batch().isEmpty()).flatMap(BlockProduct::of);
  }

  private static Optional<BlockProduct> of(Contraction product) {
    long rows = Contraction.iterations(product.rows());
    long columns = Contraction.iterations(product.columns());
    long steps = Contraction.iterations(product.steps());
    long ofThread = Indices.parts(rows, DOWN) * Indices.parts(columns, ACROSS);
    if (rows < DOWN || columns < ACROSS || steps < FEWEST_STEPS || ofThread > MOST_ELEMENTS) {
      return Optional.empty();
    }
    long depth = Math.max(DOWN, Math.min(steps, STAGED_BYTES / (Math.max(rows, columns) * product.sum().type().bytes())));
    return Optional.of(new BlockProduct(product,
        new ThreadTile(DOWN, ACROSS, (int) Indices.parts(rows, DOWN), (int) Indices.parts(columns, ACROSS)), (int) depth));
  }

  /// As all threads run it, without barriers.
  Stmt body() {
    Buffer sum = tile.memory(product.sum());
    Map<Expr, Buffer> staged = new LinkedHashMap<>();
    stage(product.step(), staged);
    long steps = Contraction.iterations(product.steps());
    long together = staged.isEmpty() ? steps : depth;
    List<Stmt> statements = new ArrayList<>();
    statements.add(tile.each((own, _, _) -> new Stmt.Store(sum, own, product.start())));
    if (steps >= 2 * together) {
      Var part = Var.counter("k1");
      Expr first = times(new Expr.Ref(part), together);
      statements.add(new Stmt.For(part, Expr.index(steps / together), Kind.SERIAL, steps(sum, staged, first, together), product.steps().getFirst().span()));
    } else {
      statements.add(steps(sum, staged, Expr.index(0), together));
    }
    if (steps % together > 0) {
      statements.add(steps(sum, staged, Expr.index(steps / together * together), steps % together));
    }
    statements.add(tile.each((own, row, column) -> finished(sum, own, row, column)));
    Stmt body = Stmt.block(statements);
    for (Buffer buffer : staged.values()) {
      body = new Stmt.Alloc(buffer, body);
    }
    return new Stmt.Alloc(sum, body);
  }

  private void stage(Expr expr, Map<Expr, Buffer> staged) {
    if (product.isOfRow(expr) || product.isOfColumn(expr)) {
      boolean isThere = expr.nodes().allMatch(node -> !(node instanceof Expr.Load load) || load.buffer().space() == Buffer.Space.SHARED);
      if (!isThere) {
        staged.computeIfAbsent(expr, _ -> new Buffer(product.isOfRow(expr) ? "left" : "right", expr.type().element(),
            List.of(depth, (int) Contraction.iterations(lines(expr)) + 1), Buffer.Space.SHARED));
      }
    } else if (!product.isSum(expr)) {
      expr.children().forEach(child -> stage(child, staged));
    }
  }

  private List<Stmt.For> lines(Expr operand) {
    return product.isOfRow(operand) ? product.rows() : product.columns();
  }

  private Stmt steps(Buffer sum, Map<Expr, Buffer> staged, Expr first, long count) {
    List<Stmt> statements = new ArrayList<>();
    staged.forEach((operand, buffer) -> statements.add(loaded(operand, buffer, first, count)));
    statements.add(tile.each((own, row, column) -> {
      Var step = Var.counter("k0");
      Expr value = taken(product.step(), sum, own, staged, new Expr.Ref(step), row, column);
      Stmt store = at(product.steps(), plus(first, new Expr.Ref(step)),
          at(product.rows(), within(row, product.rows(), tile.down()), at(product.columns(), within(column, product.columns(), tile.across()), new Stmt.Store(sum, own, value))));
      return new Stmt.For(step, Expr.index(count), Kind.SERIAL, store, Span.NONE);
    }));
    return Stmt.block(statements);
  }

  /// Neighbours in memory are loaded by neighbours among threads.
  private Stmt loaded(Expr operand, Buffer buffer, Expr first, long count) {
    Var element = Var.counter("e");
    Expr number = new Expr.Ref(element);
    long lines = Contraction.iterations(lines(operand));
    boolean along = product.runsAlongSteps(operand);
    Expr step = along ? rest(number, count) : over(number, lines);
    Expr line = along ? over(number, count) : rest(number, lines);
    Stmt store = at(lines(operand), line, at(product.steps(), plus(first, step), new Stmt.Store(buffer, List.of(step, line), operand)));
    return new Stmt.For(element, Expr.index(lines * count), Kind.THREAD, store, Span.NONE);
  }

  /// `expr` with what was loaded in the place of where it was loaded from.
  private Expr taken(Expr expr, Buffer sum, List<Expr> own, Map<Expr, Buffer> staged, Expr step, Expr row, Expr column) {
    Buffer buffer = staged.get(expr);
    if (buffer != null) {
      return new Expr.Load(buffer, List.of(step, product.isOfRow(expr) ? within(row, product.rows(), tile.down()) : within(column, product.columns(), tile.across())));
    }
    return product.isSum(expr) ? new Expr.Load(sum, own) : expr.mapChildren(child -> taken(child, sum, own, staged, step, row, column));
  }

  private Stmt finished(Buffer sum, List<Expr> own, Expr row, Expr column) {
    Stmt rest = Rewrites.exprs(product.rest(), node -> product.isSum(node) ? new Expr.Load(sum, own) : node);
    Stmt placed = at(product.rows(), row, at(product.columns(), column, rest));
    return inside(row, product.rows(), DOWN, inside(column, product.columns(), ACROSS, placed));
  }

  /// Threads beyond the tile compute what those at its end do.
  private static Expr within(Expr place, List<Stmt.For> loops, int side) {
    long count = Contraction.iterations(loops);
    return count % side == 0 ? place : new Expr.Binary(BinaryOp.MIN, place, Expr.index(count - 1));
  }

  private static Stmt inside(Expr place, List<Stmt.For> loops, int side, Stmt body) {
    long count = Contraction.iterations(loops);
    return count % side == 0 ? body : new Stmt.If(below(place, count), body, Stmt.NOTHING);
  }

  /// `body` where the counters of `loops` say iteration `index`.
  private static Stmt at(List<Stmt.For> loops, Expr index, Stmt body) {
    return Rewrites.copy(CollapseLoops.coordinates(loops, index, body));
  }
}
