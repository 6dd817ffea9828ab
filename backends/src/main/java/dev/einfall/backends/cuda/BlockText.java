package dev.einfall.backends.cuda;

import dev.einfall.backends.c.CNames;
import dev.einfall.backends.c.CTypes;
import dev.einfall.backends.c.ExprText;
import dev.einfall.backends.c.SourceLines;
import dev.einfall.backends.c.Vocabulary;
import dev.einfall.backends.kernel.Cell;
import dev.einfall.backends.kernel.FreeNames;
import dev.einfall.backends.kernel.Multiples;
import dev.einfall.ir.BinaryOp;
import dev.einfall.ir.ElementType;
import dev.einfall.ir.InternalException;
import dev.einfall.ir.Lines;
import dev.einfall.ir.loop.Buffer;
import dev.einfall.ir.loop.Expr;
import dev.einfall.ir.loop.Interval;
import dev.einfall.ir.loop.Ranges;
import dev.einfall.ir.loop.Stmt.For.Kind;
import dev.einfall.ir.loop.Stmt;
import dev.einfall.ir.loop.Var;
import java.util.List;
import java.util.function.ToIntFunction;

/// Writes what the threads of a block do.
final class BlockText {
  private static final long MOST_UNROLLED = 16;

  private final Lines lines;
  private final Vocabulary vocabulary;
  private final CNames names;
  private final ExprText exprs;
  private final SharedLayout layout;
  private final SourceLines source;
  private final int threads;
  private final AsyncCopies copies = new AsyncCopies();
  private final BulkCopies bulkCopies;
  private boolean isBulk;
  private boolean copying;
  /// How many buffers that groups of warps multiply are there.
  private int multiplied;
  private boolean isInThread;
  private final ThreadMemory memory;
  private final BlockReductions reductions;
  private final ToIntFunction<Stmt.Require> requirements;
  private final TileInstructions tiles;
  private final Fragments fragments;
  private final WarpgroupTiles warpgroups;
  private final Multiples multiples = new Multiples();
  private final LaneCopies laneCopies;
  /// What is known about integers where the next line stands.
  private Ranges ranges;

  /// @param threads those of a block
  /// @param ranges what is known where the block begins
  /// @param requirements gives the number of a requirement, from 1 on
  BlockText(Lines lines, Vocabulary vocabulary, CNames names, SharedLayout layout, SourceLines source, int threads,
      Ranges ranges, ThreadMemory memory, BlockReductions reductions, TileInstructions tiles,
      ToIntFunction<Stmt.Require> requirements) {
    this.memory = memory;
    this.reductions = reductions;
    this.lines = lines;
    this.vocabulary = vocabulary;
    this.names = names;
    this.exprs = new ExprText(vocabulary, names, this::isPlain);
    this.ranges = ranges;
    this.layout = layout;
    this.source = source;
    this.threads = threads;
    this.requirements = requirements;
    this.tiles = tiles;
    this.fragments = new Fragments(memory.body(), lines, names, exprs, tiles);
    this.warpgroups = new WarpgroupTiles(memory.body(), lines, names, exprs, tiles);
    this.laneCopies = new LaneCopies(lines, exprs, multiples);
    this.bulkCopies = new BulkCopies(lines, exprs, multiples);
  }

  /// Writes the body of a block.
  void writeAll(Stmt body) {
    if (BulkCopies.areIn(body)) {
      tiles.useBulkCopies();
      bulkCopies.start("einfall_shared + " + layout.bulkAt());
    }
    write(body);
  }

  private void write(Stmt stmt) {
    switch (stmt) {
      case Stmt.Block(List<Stmt> statements) -> statements.forEach(this::write);
      case Stmt.For loop when BulkCopies.isOne(loop) -> {
        source.at(loop.span(), lines);
        copies.begin(((Stmt.Store) loop.body()).buffer());
        isBulk = true;
        bulkCopies.copy(loop);
      }
      case Stmt.For loop when loop.kind() == Kind.THREAD -> {
        source.at(loop.span(), lines);
        boolean isCopy = copies.isCopy(loop, layout);
        if (!isCopy) {
          finishCopies(loop);
        }
        copying = isCopy;
        isInThread = true;
        counting(loop, "(int32_t) threadIdx.x", threads);
        isInThread = false;
        copying = false;
      }
      case Stmt.For loop when loop.kind() == Kind.WARP -> {
        source.at(loop.span(), lines);
        finishCopies(loop);
        isInThread = true;
        counting(loop, "(int32_t) threadIdx.x / " + CudaKernel.WARP, threads / CudaKernel.WARP);
        isInThread = false;
      }
      case Stmt.For loop when loop.kind() == Kind.WARPGROUP -> {
        source.at(loop.span(), lines);
        finishCopies(loop);
        isInThread = true;
        ofWarpgroup(loop);
        isInThread = false;
      }
      case Stmt.For loop when loop.kind() == Kind.SERIAL -> {
        source.at(loop.span(), lines);
        if (isUnrolled(loop)) {
          lines.add("#pragma unroll");
        }
        counting(loop, "0", 1);
      }
      case Stmt.For loop -> throw new InternalException("a " + loop.kind() + " loop in a block");
      case Stmt.Store(Buffer buffer, List<Expr> indices, Expr.Load load) when copying && AsyncCopies.isOne(buffer, load)
          && laneCopies.isOne(buffer, indices, load) -> {
        copies.begin(buffer);
        lines.add("__pipeline_memcpy_async(" + exprs.accesses().address(buffer, LaneCopies.first(indices)) + ", "
            + exprs.accesses().address(load.buffer(), LaneCopies.first(load.indices())) + ", " + buffer.type().bytes() * load.type().lanes() + ");");
      }
      case Stmt.Store(Buffer buffer, List<Expr> indices, Expr value) when warpgroups.holds(buffer) || value instanceof Expr.Load load
          && warpgroups.holds(load.buffer()) -> warpgroups.store(buffer, indices, value);
      case Stmt.Store(Buffer buffer, List<Expr> indices, Expr.TileProduct product) -> fragments.store(buffer, indices, product);
      case Stmt.Store(Buffer buffer, List<Expr> indices, Expr value) when fragments.holds(buffer) || value instanceof Expr.Load load
          && fragments.holds(load.buffer()) -> fragments.store(buffer, indices, value);
      case Stmt.Store store when store.value().type().isVector() -> laneCopies.store(store);
      case Stmt.Store(Buffer buffer, List<Expr> indices, Expr value) -> lines.add(exprs.accesses().store(buffer, indices, value));
      case Stmt.Alloc alloc -> alloc(alloc);
      case Stmt.If branch -> branch(branch);
      case Stmt.Let(Var var, Expr.ReduceLanes(BinaryOp op, Expr.Load load), Stmt body) when memory.part(load.buffer()) != null -> {
        Expr own = new Expr.Load(memory.part(load.buffer()), List.of());
        lines.add("const " + vocabulary.type(var.type()) + " " + names.of(var) + " = " + reductions.function(op, var.type().element()) + "("
            + exprs.text(own) + ", einfall_shared + " + layout.combiningAt() + ");");
        write(body);
      }
      case Stmt.Let(Var var, Expr value, Stmt body) when warpgroups.isOperand(var) -> {
        warpgroups.let(var, value);
        write(body);
      }
      case Stmt.Let(Var var, Expr value, Stmt body) when var.type().isVector() -> {
        fragments.let(var, value);
        write(body);
      }
      case Stmt.Let(Var var, Expr value, Stmt body) -> {
        multiples.let(var, value);
        if (FreeNames.of(body).variables().contains(var)) {
          lines.add("const " + exprs.type(value) + " " + names.of(var) + " = " + exprs.text(value) + ";");
        }
        knowing(ranges.let(var, value), body);
      }
      case Stmt.Require check -> require(check);
      case Stmt.Barrier _ -> {
        finishCopies();
        if (multiplied > 0) {
          lines.add("wgmma_see_stores();");
        }
        lines.add("__syncthreads();");
      }
    }
  }

  /// What each group of warps does once, all of its threads together.
  private void ofWarpgroup(Stmt.For loop) {
    if (!loop.extent().equals(Expr.index(threads / WarpgroupTiles.THREADS))) {
      throw new InternalException("a group of warps has not one iteration of the loop " + loop.var());
    }
    lines.add("{");
    lines.inside(() -> {
      if (FreeNames.of(loop.body()).variables().contains(loop.var())) {
        // The compiler shall see that it is the same for all of a warp.
        lines.add("const int32_t " + names.of(loop.var()) + " = __shfl_sync(0xffffffff, (int32_t) threadIdx.x / " + WarpgroupTiles.THREADS + ", 0);");
      }
      warpgroups.begin(loop);
      knowing(ranges.loop(loop.var(), loop.extent()), loop.body());
      warpgroups.finish(loop);
    });
    lines.add("}");
  }

  /// Whether its counter chooses among a thread's own variables, which are registers only where it is a number.
  private static boolean isUnrolled(Stmt.For loop) {
    return loop.extent() instanceof Expr.IntLiteral extent && extent.value() <= MOST_UNROLLED && loop.body().nodes().anyMatch(node ->
        node instanceof Stmt.Store store && isChosen(store.buffer(), store.indices(), loop.var())
            || node.exprs().flatMap(Expr::nodes).anyMatch(expr -> expr instanceof Expr.Load load && isChosen(load.buffer(), load.indices(), loop.var())));
  }

  private static boolean isChosen(Buffer buffer, List<Expr> indices, Var counter) {
    Expr reference = new Expr.Ref(counter);
    return buffer.space() == Buffer.Space.LOCAL && indices.stream().flatMap(Expr::nodes).anyMatch(reference::equals);
  }

  private void counting(Stmt.For loop, String first, int step) {
    String name = names.of(loop.var());
    String next = step == 1 ? name + "++" : name + " += " + step;
    lines.block("for (int32_t " + name + " = " + first + "; " + name + " < " + exprs.text(loop.extent()) + "; " + next + ")", () -> {
      knowing(ranges.loop(loop.var(), loop.extent()), loop.body());
      if (!isInThread) {
        finishCopies();
      }
    });
  }

  private void finishCopies(Stmt.For loop) {
    if (copies.isUsed(loop)) {
      finishCopies();
    }
  }

  /// Waits for what the thread itself copies; the others wait at the next barrier.
  private void finishCopies() {
    if (copies.finish()) {
      lines.add("__pipeline_commit();");
      lines.add("__pipeline_wait_prior(0);");
      if (isBulk) {
        bulkCopies.finish();
      }
      isBulk = false;
    }
  }

  private void knowing(Ranges inside, Stmt statement) {
    Ranges outside = ranges;
    ranges = inside;
    write(statement);
    ranges = outside;
  }

  /// Compilers know less of what may wrap around or be negative.
  private boolean isPlain(Expr.Binary operation) {
    if (operation.left().type().element() != ElementType.I32) {
      return false;
    }
    return switch (operation.op()) {
      case ADD, SUB, MUL -> isExact(operation);
      case DIV, MOD -> ranges.of(operation.left()).low() >= 0 && ranges.of(operation.right()).low() > 0;
      case MIN, MAX, POW, AND, OR, XOR, SHL, SHR, EQ, NE, LT, LE, GT, GE -> false;
    };
  }

  private boolean isExact(Expr.Binary operation) {
    Interval left = ranges.of(operation.left());
    Interval right = ranges.of(operation.right());
    Interval exact = switch (operation.op()) {
      case ADD -> left.plus(right);
      case SUB -> left.plus(right.negate());
      default -> left.times(right);
    };
    return exact.low() >= Integer.MIN_VALUE && exact.high() <= Integer.MAX_VALUE;
  }

  private void alloc(Stmt.Alloc alloc) {
    Buffer buffer = alloc.buffer();
    if (!FreeNames.of(alloc.body()).buffers().contains(buffer)) {
      write(alloc.body());
      return;
    }
    String type = CTypes.memory(buffer.type());
    switch (buffer.space()) {
      case SHARED -> lines.add(type + " *const " + names.of(buffer) + " = (" + type + " *) (" + layout.place(buffer) + ");");
      case LOCAL -> {
        if (warpgroups.holds(buffer)) {
          warpgroups.declare(buffer);
        } else if (fragments.holds(buffer)) {
          fragments.declare(buffer);
        } else {
          lines.add(type + " " + names.of(buffer) + "[" + Math.max(1, buffer.elements()) + "];");
        }
      }
      case REGISTER -> Cell.in(alloc.body(), buffer).forEach(cell ->
          lines.add(vocabulary.type(cell.type()) + " " + names.of(cell) + " = 0;"));
      case GLOBAL -> throw new InternalException("alloc of global " + buffer);
    }
    multiplied += warpgroups.read(buffer) ? 1 : 0;
    write(alloc.body());
    multiplied -= warpgroups.read(buffer) ? 1 : 0;
  }

  private void branch(Stmt.If branch) {
    lines.add("if (" + exprs.text(branch.condition()) + ") {");
    lines.inside(() -> knowing(ranges.assume(branch.condition(), true), branch.whenTrue()));
    if (!branch.whenFalse().equals(Stmt.NOTHING)) {
      lines.add("} else {");
      lines.inside(() -> knowing(ranges.assume(branch.condition(), false), branch.whenFalse()));
    }
    lines.add("}");
  }

  private void require(Stmt.Require check) {
    boolean isNumber = check.value().type().element().isFloat();
    lines.block("if (!(" + exprs.text(check.condition()) + "))", () -> {
      lines.add("fail(fault, " + requirements.applyAsInt(check) + ", " + (isNumber ? "0, " : "") + exprs.text(check.value()) + (isNumber ? "" : ", 0") + ");");
      lines.add("return;");
    });
  }
}
