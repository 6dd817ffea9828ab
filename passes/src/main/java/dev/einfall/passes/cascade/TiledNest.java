package dev.einfall.passes.cascade;

import dev.einfall.ir.cascade.Einsum;
import dev.einfall.ir.cascade.Expr;
import dev.einfall.ir.cascade.Mapping;
import dev.einfall.ir.cascade.Rank;
import dev.einfall.ir.cascade.Tensor;
import dev.einfall.passes.Target;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.LongStream;
import java.util.stream.Stream;

/// The loops around the tiles of an Einsum: their order, the blocks that caches hold, and which are parallel. Ranks that the
/// Einsum shares with a group keep their loops at the outside.
///
/// ```
/// Y[m, n] = sum[k](X[m, k] * W[k, n]), n 2 x 16, m 8     =>     order n2 m1 k m0 n1 n0   parallel n2 m1
/// ```
final class TiledNest {
  /// Work below this many cycles is not worth sharing among threads.
  static final double PARALLEL_CYCLES = 20_000;
  /// Tasks for each thread, so that an uneven machine stays busy.
  static final int TASKS_PER_THREAD = 4;
  /// Loops over no more vectors than this stand around longer ones.
  private static final int FEW_VECTORS = 8;
  /// Tasks of fewer cycles are put together: the call of one would be a tenth of it.
  private static final double SHORT_TASK = 200;
  /// Tasks that are put together take no longer than this, so that no thread waits long for another.
  private static final double LONGEST_TASK = 1_000_000;

  private final Target target;
  private final Tensor tensor;
  private final Flattening view;
  private final Einsum einsum;
  private final int shared;
  private final List<Rank> free;
  private final List<Rank> reduced;
  private final Tiling tiling;
  private final double cycles;
  private final boolean isAlongRows;
  private final Optional<Transposition> transposition;

  /// @param tensor under whose name the loops are known
  /// @param view the Einsum, with the ranks that loops go over
  /// @param shared how many of its first ranks a group shares
  /// @param cycles the estimate for `tiling`
  /// @param isAlongRows whether the tiles of a row follow each other inside of each step of the reduction
  TiledNest(Target target, Tensor tensor, Flattening view, int shared, Tiling tiling, double cycles, boolean isAlongRows) {
    this.target = target;
    this.tensor = tensor;
    this.view = view;
    this.einsum = view.einsum();
    this.shared = shared;
    this.free = einsum.ranks().subList(shared, einsum.ranks().size());
    this.reduced = Exprs.reduced(einsum.value());
    this.tiling = tiling;
    this.cycles = cycles;
    this.isAlongRows = isAlongRows;
    this.transposition = Transposition.of(einsum, free).filter(blocks -> blocks.takes(tiling));
  }

  Mapping.Nest nest() {
    if (isAlongRows) {
      return alongRows();
    }
    Optional<Integer> block = shared > 0 || transposition.isPresent() ? Optional.empty() : new RowBlocks(target, einsum).of(tiling);
    if (block.isPresent()) {
      return inBlocks(new TileLoops(tiling, reduced).withPieces(tiling.row().orElseThrow(), block.get()));
    }
    boolean isWhole = shared > 0 || cycles() < PARALLEL_CYCLES || transposition.isPresent();
    TileLoops loops = isWhole ? loops() : pieces(loops());
    return nest(loops, outer(), parallel(shared > 0 ? einsum.ranks().subList(0, shared) : outer(), loops));
  }

  /// The loops with whole rows inside of each step of the reduction, or a piece of each row for each thread: shorter pieces come slower.
  private Mapping.Nest alongRows() {
    Rank vector = tiling.vector().orElseThrow();
    TileLoops whole = new TileLoops(tiling, reduced);
    boolean isShared = target.threads() > 1 && cycles() >= PARALLEL_CYCLES && whole.tiles(vector) >= target.threads();
    int piece = tiling.width() * Math.toIntExact(Math.ceilDiv(whole.tiles(vector), target.threads()));
    TileLoops loops = isShared ? whole.withPieces(vector, piece) : whole;
    List<String> order = new ArrayList<>();
    free.stream().filter(rank -> rank != vector).forEach(rank -> order.addAll(loops.outer(rank)));
    List<Mapping.Bound> parallel = new ArrayList<>();
    if (isShared) {
      order.add(loops.outer(vector).getFirst());
      parallel.add(new Mapping.Bound(order.getLast(), Mapping.Binding.PARALLEL));
    }
    reduced.forEach(rank -> order.addAll(loops.outer(rank)));
    order.add(loops.outer(vector).getLast());
    return withTiles(loops, order, parallel);
  }

  /// The loops with blocks of rows, which are pieces, outside of the panels, and the tiles of a block inside.
  private Mapping.Nest inBlocks(TileLoops loops) {
    Rank row = tiling.row().orElseThrow();
    Sides sides = sides(tiling);
    List<Rank> outside = new ArrayList<>(sides.batch);
    sides.rows.stream().filter(rank -> rank != row).forEach(outside::add);
    outside.add(row);
    List<String> order = new ArrayList<>();
    outside.forEach(rank -> order.add(loops.outer(rank).getFirst()));
    sides.vectors.forEach(rank -> order.addAll(loops.outer(rank)));
    order.add(loops.outer(row).getLast());
    return nestInOrder(loops, order, parallel(outside, loops));
  }

  /// The outermost loops of `ranks`, from the outside in, until there are enough tasks.
  private List<Mapping.Bound> parallel(List<Rank> ranks, TileLoops loops) {
    List<Mapping.Bound> parallel = new ArrayList<>();
    if (cycles() >= PARALLEL_CYCLES) {
      shared(ranks, loops).forEach(rank -> parallel.add(new Mapping.Bound(loops.outer(rank).getFirst(), Mapping.Binding.PARALLEL)));
    }
    return parallel;
  }

  /// The loops inside a kernel, around which others are. They are shared if that saves more than the threads then wait.
  ///
  /// @param isNear whether memory may be gone through in any order
  Mapping.Nest nestInKernel(boolean mayShare, boolean isNear) {
    TileLoops loops = loops();
    List<Mapping.Bound> parallel = new ArrayList<>();
    if (mayShare && cycles() >= target.speeds().meeting()) {
      outer().stream().filter(rank -> loops.tiles(rank) >= target.threads()).findFirst()
          .ifPresent(rank -> parallel.add(new Mapping.Bound(loops.outer(rank).getFirst(), Mapping.Binding.PARALLEL)));
    }
    return nest(loops, isNear && parallel.isEmpty() ? longestInside(outer(), loops) : outer(), parallel);
  }

  /// `outer` with the loop over vectors around the one before it, where there are but a few: entering a loop costs as much as a
  /// vector.
  private List<Rank> longestInside(List<Rank> outer, TileLoops loops) {
    int last = outer.size() - 1;
    boolean isShort = last > 0 && reduced.isEmpty() && tiling.vector().filter(outer.getLast()::equals).isPresent()
        && loops.tiles(outer.getLast()) <= FEW_VECTORS && outer.get(last - 1).size().value() > FEW_VECTORS;
    if (!isShort) {
      return outer;
    }
    List<Rank> order = new ArrayList<>(outer);
    order.add(last - 1, order.removeLast());
    return order;
  }

  double cycles() {
    return cycles;
  }

  private TileLoops loops() {
    TileLoops whole = new TileLoops(tiling, reduced);
    return transposition.filter(blocks -> blocks.hasTiles(tiling)).map(blocks -> whole.withPieces(blocks.written(), blocks.block())).orElse(whole);
  }

  private List<Rank> outer() {
    return transposition.map(blocks -> blocks.outer(free)).orElseGet(() -> outer(tiling));
  }

  private boolean isInBlocks(Rank rank) {
    return transposition.filter(blocks -> blocks.written() == rank && blocks.hasTiles(tiling)).isPresent();
  }

  private Mapping.Nest nest(TileLoops loops, List<Rank> outer, List<Mapping.Bound> parallel) {
    List<String> order = new ArrayList<>();
    outer.forEach(rank -> order.addAll(isInBlocks(rank) ? loops.outer(rank).subList(0, 1) : loops.outer(rank)));
    transposition.filter(blocks -> blocks.hasTiles(tiling)).ifPresent(blocks -> order.add(loops.outer(blocks.written()).getLast()));
    return nestInOrder(loops, order, parallel);
  }

  /// @param order the loops over output ranks outside of the tiles, to which the others are added
  private Mapping.Nest nestInOrder(TileLoops loops, List<String> order, List<Mapping.Bound> parallel) {
    reduced.forEach(rank -> order.addAll(loops.outer(rank)));
    return withTiles(loops, order, parallel);
  }

  /// @param order the loops outside of the tiles, to which those of the tiles are added
  private Mapping.Nest withTiles(TileLoops loops, List<String> order, List<Mapping.Bound> parallel) {
    List<Mapping.Bound> bindings = new ArrayList<>();
    if (tiling.tile().isPresent()) {
      order.addAll(loops.matrix());
      bindings.add(new Mapping.Bound(tiling.summed().orElseThrow().name() + "0", Mapping.Binding.UNROLL));
      bindings.add(new Mapping.Bound(tiling.vector().orElseThrow().name() + "0", Mapping.Binding.VECTORIZE));
      bindings.addAll(parallel);
      return new Mapping.Nest(tensor, view.flattened(), loops.splits(), order, bindings);
    }
    CopiedSteps.of(einsum, tiling, reduced).ifPresent(steps -> bindings.add(new Mapping.Bound(steps.rank().name(), Mapping.Binding.UNROLL)));
    loops.streams().ifPresent(streams -> inner(streams, Mapping.Binding.UNROLL, order, bindings));
    loops.rows().ifPresent(rows -> inner(rows, Mapping.Binding.UNROLL, order, bindings));
    if (tiling.vectors() > 1) {
      inner(tiling.vector().orElseThrow().name() + "1", Mapping.Binding.UNROLL, order, bindings);
    }
    tiling.summed().ifPresent(rank -> inner(rank.name() + "0", Mapping.Binding.UNROLL, order, bindings));
    tiling.vector().ifPresent(vector -> inner(vector.name() + "0", Mapping.Binding.VECTORIZE, order, bindings));
    bindings.addAll(parallel);
    return new Mapping.Nest(tensor, view.flattened(), loops.splits(), order, bindings);
  }

  private static void inner(String loop, Mapping.Binding binding, List<String> order, List<Mapping.Bound> bindings) {
    order.add(loop);
    bindings.add(new Mapping.Bound(loop, binding));
  }

  /// The output ranks in the order of their outer loops: those that every operand has, then the ranks of the vector
  /// side and of the row side, whichever order moves what they read in fewer cycles. Where lanes are reduced, rows come last: what they share
  /// is near then.
  private List<Rank> outer(Tiling tiling) {
    if (tiling.row().isEmpty() || tiling.vector().isEmpty()) {
      return free;
    }
    if (reduced.contains(tiling.vector().get())) {
      return Stream.concat(free.stream().filter(rank -> rank != tiling.row().get()), tiling.row().stream()).toList();
    }
    Sides sides = sides(tiling);
    List<Expr.Access> operands = Products.of(einsum).orElseThrow().operands();
    if (sides.batch.contains(tiling.vector().get()) && !isNear(operands)) {
      return inMemoryOrder(tiling.vector().get());
    }
    List<Rank> order = new ArrayList<>(sides.batch);
    boolean vectorFirst = traffic(sides.vectors, sides.rows, operands, sides.batch)
        <= traffic(sides.rows, sides.vectors, operands, sides.batch);
    order.addAll(vectorFirst ? sides.vectors : sides.rows);
    order.addAll(vectorFirst ? sides.rows : sides.vectors);
    return order;
  }

  /// Whether the cache of a core holds all that is read and written.
  private boolean isNear(List<Expr.Access> operands) {
    return operands.stream().mapToDouble(access -> Exprs.bytes(access.tensor())).sum() + Exprs.bytes(einsum.tensor()) <= target.l2Bytes();
  }

  /// The ranks as they are, but for the lanes, which come last: what no tile shares with another comes from far away in long pieces.
  private List<Rank> inMemoryOrder(Rank vector) {
    return Stream.concat(free.stream().filter(rank -> rank != vector), Stream.of(vector)).toList();
  }

  /// The output ranks that every operand has, those of the operand that is read in vectors, and of the other one.
  private record Sides(List<Rank> batch, List<Rank> vectors, List<Rank> rows) {}

  private Sides sides(Tiling tiling) {
    List<Expr.Access> operands = Products.of(einsum).orElseThrow().operands();
    Sides sides = new Sides(new ArrayList<>(), new ArrayList<>(), new ArrayList<>());
    for (Rank rank : free) {
      List<Expr.Access> with = operands.stream().filter(access -> Exprs.freeRanks(access).contains(rank)).toList();
      boolean inAll = with.size() == operands.size();
      boolean onVectorSide = with.stream().anyMatch(access -> Exprs.freeRanks(access).contains(tiling.vector().get()));
      (inAll ? sides.batch : onVectorSide || rank == tiling.vector().get() ? sides.vectors : sides.rows).add(rank);
    }
    return sides;
  }

  /// The cycles of moving what operands along `inner` ranks read when the loops over `outer` ranks are outside: what does not fit
  /// into the second-level cache is read again for every tile of `outer`. Windows read an element several times, mostly from near.
  private double traffic(List<Rank> outer, List<Rank> inner, List<Expr.Access> operands, List<Rank> batch) {
    TileLoops loops = new TileLoops(tiling, reduced);
    double tiles = outer.stream().mapToDouble(loops::tiles).reduce(1, (a, b) -> a * b);
    double cycles = 0;
    for (Expr.Access access : operands) {
      Set<Rank> ranks = Exprs.freeRanks(access);
      List<Rank> own = ranks.stream().filter(rank -> !batch.contains(rank)).toList();
      double size = Math.min(Exprs.volume(own) * (double) access.tensor().type().bytes(), Exprs.bytes(access.tensor()));
      boolean again = inner.stream().anyMatch(ranks::contains) && outer.stream().noneMatch(ranks::contains);
      cycles += (again && size > target.l2Bytes() / 2.0 ? size * tiles : size) / target.level(size).bytes();
    }
    return cycles;
  }

  /// Those of `ranks`, from the outside in, whose outermost loops make enough tasks.
  private List<Rank> shared(List<Rank> ranks, TileLoops loops) {
    List<Rank> enough = new ArrayList<>();
    long tasks = 1;
    for (Rank rank : ranks) {
      if (tasks < tasks()) {
        enough.add(rank);
        tasks *= loops.tiles(rank);
      }
    }
    return enough;
  }

  private long tasks() {
    return (long) TASKS_PER_THREAD * Math.max(4, target.threads());
  }

  /// `loops` with the last rank that tasks are made of in pieces, where each of its tiles alone would be a task of few cycles.
  private TileLoops pieces(TileLoops loops) {
    List<Rank> ranks = shared(outer(), loops);
    if (ranks.isEmpty() || !loops.canPiece(ranks.getLast())) {
      return loops;
    }
    Rank last = ranks.getLast();
    long tiles = loops.tiles(last);
    long before = ranks.subList(0, ranks.size() - 1).stream().mapToLong(loops::tiles).reduce(1, (a, b) -> a * b);
    long least = Math.max(Math.ceilDiv(2 * tasks(), before), (long) Math.ceil(cycles() / before / LONGEST_TASK));
    if (2 * least > tiles || cycles() / before / tiles >= SHORT_TASK) {
      return loops;
    }
    long count = LongStream.range(least, 2 * least).filter(some -> tiles % some == 0).findFirst().orElse(least);
    return loops.withPieces(last, Math.toIntExact(loops.width(last) * Math.ceilDiv(tiles, count)));
  }
}
