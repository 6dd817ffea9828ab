package dev.einfall.passes.loop;

import dev.einfall.ir.BinaryOp;
import dev.einfall.ir.Diagnostic;
import dev.einfall.ir.Span;
import dev.einfall.ir.loop.Buffer;
import dev.einfall.ir.loop.Expr;
import dev.einfall.ir.loop.Kernel;
import dev.einfall.ir.loop.Ranges;
import dev.einfall.ir.loop.Stmt;
import dev.einfall.ir.loop.Stmt.For.Kind;
import dev.einfall.ir.loop.TileShape;
import dev.einfall.ir.loop.Var;
import dev.einfall.passes.Numerics;
import dev.einfall.passes.Pass;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;

/// Maps a kernel of scalars to the blocks and threads of a GPU.
///
/// Where the loops at the outside are independent and what they do is done in order, each of their iterations is a thread's:
///
/// ```
/// for m in 0..100 {                       block for task in 0..38 {
///   for n in 0..48 {                        thread for thread in 0..128 {
///     alloc sum: f32[] in local {             let element: i32 = task * 128 + t
///       ..                             =>     if element < 4800 {
///       Y[m, n] = sum[]                         let m: i32 = element / 48
///                                               let n: i32 = element % 48
///                                               alloc sum: f32[] in local { .. Y[m, n] = sum[] }
/// ```
///
/// Where there are wide loops inside, each is a block's, which has its local buffers in memory that its threads share:
///
/// ```
/// for m in 0..100 {                       block for m in 0..100 {
///   alloc E: f32[64] in local {             alloc E: f32[64] in shared {
///     for n in 0..64 { E[n] = .. }            thread for n in 0..64 { E[n] = .. }
///     alloc sum: f32[] in local {             barrier
///       ..  sum[] + E[k] ..            =>     thread for once in 0..1 { alloc sum: f32[] in local { .. Z[m] = sum[] } }
///       Z[m] = sum[]                          barrier
///     }
///     for n in 0..64 { .. Z[m] .. }           thread for n in 0..64 { .. Z[m] .. }
/// ```
///
/// Threads share long reductions too, and combine what they have ([ThreadReduction]); where rows are fewer than threads, some share each of them
/// ([RowReduction]). Products inside of a block they compute as tiles: by instructions that multiply tiles, where the machine has one for such factors
/// and sums may be rounded in another order ([BlockTiles]), or each thread by itself ([BlockProduct]).
///
/// Loops of steps that depend on each other stay where they are, and all threads of a block go through them together. A kernel that has none
/// but these at the outside is one block.
///
/// A kernel that is mapped already stays as it is.
///
/// @param threads the most threads of a block of independent elements
/// @param tiles what the machine has instructions for that multiply tiles
/// @param numerics whether parts of a sum may be added up apart
public record MapThreads(int threads, List<TileShape> tiles, Numerics numerics) implements Pass.OnKernel {
  /// A thread has no more memory of its own: all threads that a GPU holds at a time have some.
  private static final long PRIVATE_BYTES = 1024;
  /// Loops inside of so many iterations are worth a block for each of the iterations outside.
  private static final long WIDE = 32;
  /// The same, where those outside would not fill the GPU.
  private static final long WIDE_FOR_FEW = 4;
  private static final long FEW = 4096;
  /// Half of those of shared memory: shorter rows of a whole number of them meet in few.
  private static final int BANKS = 16;
  /// What an instruction that multiplies tiles reads of a row at a time: rows begin at a multiple of it.
  private static final int ROW_BYTES = 16;
  /// So many rows are reduced at a time, by a few threads each.
  private static final long FEWEST_ROWS = 8;

  public MapThreads {
    tiles = List.copyOf(tiles);
  }

  public MapThreads() {
    this(128, List.of(), Numerics.REASSOCIATE);
  }

  @Override
  public String name() {
    return "map-threads";
  }

  @Override
  public Machines machines() {
    return Machines.GPUS;
  }

  @Override
  public Kernel apply(Kernel kernel, Consumer<Diagnostic> remarks) {
    if (kernel.body() instanceof Stmt.For loop && loop.kind() == Kind.BLOCK) {
      return kernel;
    }
    IndependentNest nest = IndependentNest.of(kernel.body(), Ranges.of(kernel));
    return kernel.withBody(areThreads(nest) ? elements(nest, kernel) : tasks(nest, kernel));
  }

  private boolean areThreads(IndependentNest nest) {
    long width = width(nest.body(), nest.ranges());
    boolean wide = width >= WIDE || width >= WIDE_FOR_FEW && nest.iterations() < FEW;
    return nest.iterations() > 1 && !wide && privateBytes(nest.body()) <= PRIVATE_BYTES;
  }

  /// A thread for each iteration.
  private Stmt elements(IndependentNest nest, Kernel kernel) {
    long iterations = nest.iterations();
    Var task = Var.counter("task");
    if (iterations <= threads) {
      return new Stmt.For(task, Expr.index(1), Kind.BLOCK, thread(nest), kernel.span());
    }
    Var thread = Var.counter("t");
    Var element = Var.counter("element");
    Expr index = new Expr.Binary(BinaryOp.ADD, new Expr.Binary(BinaryOp.MUL, new Expr.Ref(task), Expr.index(threads)), new Expr.Ref(thread));
    Stmt body = nest.bodyAt(new Expr.Ref(element));
    Stmt guarded = iterations % threads == 0 ? body
        : new Stmt.If(new Expr.Binary(BinaryOp.LT, new Expr.Ref(element), Expr.index(iterations)), body, Stmt.NOTHING);
    Stmt.For inner = new Stmt.For(thread, Expr.index(threads), Kind.THREAD, new Stmt.Let(element, index, guarded), span(nest));
    return new Stmt.For(task, Expr.index((iterations + threads - 1) / threads), Kind.BLOCK, inner, span(nest));
  }

  /// A block for each iteration.
  private Stmt tasks(IndependentNest nest, Kernel kernel) {
    Stmt body = Barriers.place(uniform(nest.body(), nest.ranges()));
    return switch (nest.loops().size()) {
      case 0 -> new Stmt.For(Var.counter("task"), Expr.index(1), Kind.BLOCK, body, kernel.span());
      case 1 -> nest.loops().getFirst().withKind(Kind.BLOCK).withBody(body);
      default -> {
        Var task = Var.counter("task");
        yield new Stmt.For(task, Expr.index(nest.iterations()), Kind.BLOCK,
            CollapseLoops.coordinates(nest.loops(), new Expr.Ref(task), body), span(nest));
      }
    };
  }

  private static Span span(IndependentNest nest) {
    return nest.loops().getFirst().span();
  }

  /// `statement` as all threads of a block run it.
  private Stmt uniform(Stmt original, Ranges ranges) {
    Stmt statement = UniformGuard.outside(original);
    if (statement instanceof Stmt.Block(List<Stmt> statements)) {
      return inOrder(statements, ranges);
    }
    if (statement instanceof Stmt.Require) {
      return statement;
    }
    if (isForOne(statement, ranges)) {
      return once(statement);
    }
    return switch (statement) {
      case Stmt.For loop -> loop(loop, ranges);
      case Stmt.Alloc(Buffer buffer, Stmt body) -> {
        Buffer shared = new Buffer(buffer.name(), buffer.type(), buffer.extents(), Buffer.Space.SHARED);
        yield inBanks(shared, uniform(Rewrites.redirect(body, buffer, shared, indices -> indices), ranges));
      }
      case Stmt.If branch -> new Stmt.If(branch.condition(), uniform(branch.whenTrue(), ranges.assume(branch.condition(), true)),
          uniform(branch.whenFalse(), ranges.assume(branch.condition(), false)));
      case Stmt.Let let -> new Stmt.Let(let.var(), let.value(), uniform(let.body(), ranges.let(let.var(), let.value())));
      case Stmt.Block _, Stmt.Store _, Stmt.Require _, Stmt.Barrier _ -> once(statement);
    };
  }

  /// `buffer` in `body`, with rows that do not all begin in the same bank, which threads that each use another row would wait for.
  private static Stmt inBanks(Buffer buffer, Stmt body) {
    int gap = buffer.extents().size() < 2 ? 0 : isOfWarps(buffer, body) ? ROW_BYTES / buffer.type().bytes() : buffer.extents().getLast() % BANKS == 0 ? 1 : 0;
    if (gap == 0) {
      return new Stmt.Alloc(buffer, body);
    }
    List<Integer> extents = new ArrayList<>(buffer.extents());
    extents.set(extents.size() - 1, extents.getLast() + gap);
    Buffer wider = new Buffer(buffer.name(), buffer.type(), extents, buffer.space());
    return new Stmt.Alloc(wider, Rewrites.redirect(body, buffer, wider, indices -> indices));
  }

  private static boolean isOfWarps(Buffer buffer, Stmt body) {
    return body.nodes().anyMatch(node -> node instanceof Stmt.For loop && loop.kind() == Kind.WARP && Rewrites.accesses(loop, buffer));
  }

  /// What one thread does in the order that it stands in is one loop.
  private Stmt inOrder(List<Stmt> statements, Ranges ranges) {
    List<Stmt> result = new ArrayList<>();
    List<Stmt> ofOne = new ArrayList<>();
    Ranges after = ranges;
    for (Stmt statement : UniformGuard.shared(statements)) {
      if (!(statement instanceof Stmt.Require) && isForOne(statement, after)) {
        ofOne.add(statement);
        continue;
      }
      if (!ofOne.isEmpty()) {
        result.add(once(Stmt.block(ofOne)));
        ofOne = new ArrayList<>();
      }
      result.add(uniform(statement, after));
      after = statement instanceof Stmt.Require require ? after.assume(require.condition(), true) : after;
    }
    if (!ofOne.isEmpty()) {
      result.add(once(Stmt.block(ofOne)));
    }
    return Stmt.block(result);
  }

  /// Whether there is nothing in `statement` that threads could share. What a check proves would not be known after the thread that made it.
  private boolean isForOne(Stmt statement, Ranges ranges) {
    return !provesForRest(statement) && (width(statement, ranges) == 1 || widthOfThreads(statement, ranges) == 1);
  }

  /// Whether `statement` ends in a check that what comes after it may rely on.
  private static boolean provesForRest(Stmt statement) {
    return switch (statement) {
      case Stmt.Require _ -> true;
      case Stmt.Block(List<Stmt> statements) -> statements.stream().anyMatch(MapThreads::provesForRest);
      case Stmt.Alloc alloc -> provesForRest(alloc.body());
      case Stmt.Let let -> provesForRest(let.body());
      case Stmt.For _, Stmt.If _, Stmt.Store _, Stmt.Barrier _ -> false;
    };
  }

  /// The most iterations that threads would share.
  private long widthOfThreads(Stmt statement, Ranges ranges) {
    if (!(statement instanceof Stmt.For loop) || isShared(IndependentNest.of(loop, ranges))) {
      return width(statement, ranges);
    }
    long inside = width(loop.body(), ranges.loop(loop.var(), loop.extent()));
    return Math.max(inside, reduction(loop, ranges).map(ThreadReduction::iterations).orElse(1L));
  }

  private Optional<ThreadReduction> reduction(Stmt.For loop, Ranges ranges) {
    return IndependentNest.of(loop, ranges).loops().isEmpty() ? ThreadReduction.of(loop, ranges, numerics) : Optional.empty();
  }

  private Stmt loop(Stmt.For loop, Ranges ranges) {
    IndependentNest nest = IndependentNest.of(loop, ranges);
    Optional<BlockTiles> ofWarps = numerics == Numerics.REASSOCIATE ? BlockTiles.of(nest, tiles) : Optional.empty();
    Optional<Stmt> together = ofWarps.map(BlockTiles::body).or(() -> BlockProduct.of(nest).map(BlockProduct::body)).or(() -> rows(nest).map(RowReduction::body));
    if (together.isPresent()) {
      return together.get();
    }
    if (isShared(nest)) {
      return thread(nest);
    }
    Optional<ThreadReduction> reduction = reduction(loop, ranges);
    return reduction.isPresent() ? reduction.get().shared(ThreadReduction.THREADS)
        : loop.withKind(loop.kind() == Kind.PARALLEL ? Kind.SERIAL : loop.kind())
            .withBody(uniform(loop.body(), ranges.loop(loop.var(), loop.extent())));
  }

  /// Rows of which several are reduced at a time: few long ones are reduced by all threads, one after the other.
  private Optional<RowReduction> rows(IndependentNest nest) {
    return nest.iterations() < FEWEST_ROWS ? Optional.empty() : RowReduction.of(nest, numerics);
  }

  /// Whether threads share the iterations of `nest`, rather than what is inside.
  private boolean isShared(IndependentNest nest) {
    return nest.iterations() > 1 && privateBytes(nest.body()) <= PRIVATE_BYTES
        && (nest.iterations() >= WIDE || nest.iterations() >= width(nest.body(), nest.ranges()));
  }

  private static Stmt thread(IndependentNest nest) {
    if (nest.loops().size() == 1) {
      return nest.loops().getFirst().withKind(Kind.THREAD).withBody(serial(nest.body()));
    }
    Var element = Var.counter("element");
    return new Stmt.For(element, Expr.index(nest.iterations()), Kind.THREAD, serial(nest.bodyAt(new Expr.Ref(element))), span(nest));
  }

  private static Stmt once(Stmt statement) {
    return new Stmt.For(Var.counter("once"), Expr.index(1), Kind.THREAD, serial(statement), Span.NONE);
  }

  private static Stmt serial(Stmt statement) {
    return Rewrites.statements(statement, inner ->
        inner instanceof Stmt.For loop && loop.kind() == Kind.PARALLEL ? loop.withKind(Kind.SERIAL) : inner);
  }

  /// The most iterations of a nest in `statement`, or of a reduction that threads can share.
  private long width(Stmt statement, Ranges ranges) {
    return IndependentNest.width(statement, ranges, numerics);
  }

  private static long privateBytes(Stmt statement) {
    return statement.nodes().mapToLong(node -> node instanceof Stmt.Alloc alloc ? alloc.buffer().bytes() : 0).sum();
  }
}
