package dev.einfall.passes.lower;

import static dev.einfall.ir.ElementType.BOOL;

import dev.einfall.ir.BinaryOp;
import dev.einfall.ir.Span;
import dev.einfall.ir.cascade.Definition;
import dev.einfall.ir.cascade.Einsum;
import dev.einfall.ir.cascade.Rank;
import dev.einfall.ir.cascade.Recurrence;
import dev.einfall.ir.cascade.Tensor;
import dev.einfall.ir.cascade.Window;
import dev.einfall.ir.loop.Buffer;
import dev.einfall.ir.loop.Expr;
import dev.einfall.ir.loop.Stmt;
import dev.einfall.ir.loop.Var;
import dev.einfall.passes.loop.Rewrites;
import java.util.ArrayList;
import java.util.IdentityHashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.BiFunction;
import java.util.stream.Stream;

/// Builds what a kernel does at one point of the shared ranks, or for one tile of the last of them.
final class TileBuilder {
  private final KernelBuilder kernel;
  private final List<Var> outer;
  private final TileRun tiles;
  private final LocalTensors locals;
  private final Map<Rank, Var> steps = new IdentityHashMap<>();
  private final Buffer running = new Buffer("running", BOOL, List.of(), Buffer.Space.LOCAL);

  /// @param outer the counters of the loops around
  /// @param tiles those that this is for
  TileBuilder(KernelBuilder kernel, List<Var> outer, TileRun tiles) {
    this.kernel = kernel;
    this.outer = outer;
    this.tiles = tiles;
    this.locals = new LocalTensors(kernel, tiles.width());
  }

  Stmt build() {
    List<Stmt> statements = new ArrayList<>();
    for (Definition member : kernel.members()) {
      statements.add(switch (member) {
        case Einsum einsum -> einsum(einsum);
        case Recurrence recurrence -> recurrence(recurrence);
      });
    }
    return locals.around(Stmt.block(statements));
  }

  private Stmt einsum(Einsum einsum) {
    return new Nest(einsum.tensor(), einsum.ranks(), kernel.sharedRanks().of(einsum), einsum.exprs(), einsum.span()).of(einsum);
  }

  private Stmt recurrence(Recurrence recurrence) {
    List<Stmt> statements = new ArrayList<>();
    for (Recurrence.State state : recurrence.states()) {
      if (kernel.startsHere(state) && !new FirstWrites(kernel.sharedRanks()).overwrite(recurrence, state)) {
        statements.add(start(state, recurrence.span()));
      }
    }
    recurrence.steps().forEach(step -> steps.put(step, kernel.names().counter(step)));
    Stmt body = recurrence.condition().isPresent() ? whileTrue(recurrence) : updates(recurrence, Nest::of);
    for (Rank step : recurrence.steps().reversed()) {
      body = KernelBuilder.loop(steps.get(step), step.size().value(), body, recurrence.span());
    }
    if (recurrence.condition().isPresent()) {
      body = new Stmt.Alloc(running, Stmt.block(new Stmt.Store(running, List.of(), new Expr.IntLiteral(BOOL, 1)), body));
    }
    statements.add(body);
    return Stmt.block(statements);
  }

  /// The loops that give a state what it starts as. No mapping speaks of them: one number for all goes in vectors, which the JIT would
  /// not make of them by itself.
  private Stmt start(Recurrence.State state, Span span) {
    Einsum copy = LowerEinsums.start(state, span);
    List<Rank> around = kernel.sharedRanks().dimensions(state.tensor()).stream().map(copy.ranks()::get).toList();
    Nest nest = new Nest(null, copy.ranks(), around, copy.exprs(), span);
    boolean isOneNumber = copy.value() instanceof dev.einfall.ir.cascade.Expr.FloatLiteral;
    if (isOneNumber && kernel.schedule().mapping().layout(state.tensor()).isEmpty()) {
      nest.vectorize();
    }
    return nest.of(copy);
  }

  private Stmt updates(Recurrence recurrence, BiFunction<Nest, Recurrence.Update, Stmt> point) {
    return Stmt.block(recurrence.updates().stream().map(update -> point.apply(new Nest(
        update.tensor(), update.ranks(), kernel.sharedRanks().of(update), update.exprs(), update.span()), update)).toList());
  }

  private Stmt whileTrue(Recurrence recurrence) {
    dev.einfall.ir.cascade.Expr condition = recurrence.condition().orElseThrow();
    Expr runs = new Expr.Load(running, List.of());
    Nest nest = new Nest(null, List.of(), List.of(), Stream.of(condition), recurrence.span());
    Stmt check = nest.values().condition(condition, new ValueBuilder.Place(running, List.of()));
    Rank step = recurrence.steps().getFirst();
    return Stmt.block(
        new Stmt.If(runs, check, Stmt.NOTHING),
        new Stmt.If(runs, updates(recurrence, Nest::of), updates(recurrence, (inner, update) -> inner.repeat(update, step))));
  }

  /// The loops of an Einsum or an update inside the shared ones.
  private final class Nest {
    private final Tensor tensor;
    private final List<Rank> own;
    private final Span span;
    private final Map<Rank, Var> counters = new LinkedHashMap<>();
    private final Map<Rank, Var> around = new LinkedHashMap<>();
    private final Map<Rank, Var> inner = new LinkedHashMap<>();
    private final TileRun.Part part;
    /// The last shared rank, if it goes in tiles: its coordinate in the whole tensor, and the counter of its loop.
    private Var whole;
    private Var inTile;

    /// @param tensor what it writes, under which a mapping speaks of it; null if none does
    /// @param shared those of `ranks` whose loops are around already
    Nest(Tensor tensor, List<Rank> ranks, List<Rank> shared, Stream<dev.einfall.ir.cascade.Expr> exprs, Span span) {
      this.tensor = tensor;
      this.span = span;
      this.part = tensor == null ? new TileRun.Part(Window.POINT, 0, tiles.width()) : tiles.part(tensor);
      Rank tiled = kernel.isTiled() ? shared.getLast() : null;
      for (int i = 0; i < shared.size(); i++) {
        around.put(shared.get(i), outer.get(i));
      }
      this.own = ranks.stream().filter(rank -> rank == tiled || !shared.contains(rank)).toList();
      shared.stream().filter(rank -> rank != tiled).forEach(rank -> counters.put(rank, around.get(rank)));
      counters.putAll(steps);
      own.forEach(rank -> inner.put(rank, kernel.names().counter(rank)));
      exprs.flatMap(dev.einfall.ir.cascade.Expr::nodes).flatMap(node -> node.bound().stream()).distinct()
          .forEach(this::reduced);
      counters.putAll(inner);
      if (tiled != null) {
        whole = Var.counter(tiled.name());
        inTile = inner.get(tiled);
        counters.put(tiled, whole);
      }
    }

    private void reduced(Rank rank) {
      if (!inner.containsKey(rank)) {
        inner.put(rank, kernel.names().counter(rank));
        kernel.schedule().reduced(inner.get(rank));
      }
    }

    /// Makes lanes of the innermost loop.
    void vectorize() {
      own.reversed().stream().findFirst().ifPresent(rank -> kernel.schedule().vectorize(inner.get(rank)));
    }

    ValueBuilder values() {
      return new ValueBuilder(span, counters, this::place);
    }

    /// The coordinate in the whole tensor of that of the loop.
    private Expr inTensor() {
      long stride = part.window().stride() * tiles.tile();
      long first = part.window().low() + part.skipped();
      Expr here = new Expr.Ref(inTile);
      if (tiles.isSingle()) {
        long start = stride * tiles.from() + first;
        return start == 0 ? here : new Expr.Binary(BinaryOp.ADD, Expr.index(start), here);
      }
      Expr tile = new Expr.Ref(outer.getLast());
      Expr start = stride == 1 ? tile : new Expr.Binary(BinaryOp.MUL, tile, Expr.index(stride));
      return new Expr.Binary(BinaryOp.ADD, plus(start, first), here);
    }

    private static Expr plus(Expr value, long number) {
      return number == 0 ? value
          : new Expr.Binary(number < 0 ? BinaryOp.SUB : BinaryOp.ADD, value, Expr.index(Math.abs(number)));
    }

    Stmt of(Einsum einsum) {
      ValueBuilder values = values();
      List<Expr> indices = einsum.ranks().stream().<Expr>map(rank -> new Expr.Ref(counters.get(rank))).toList();
      Stmt body = values.statement(einsum.value(), place(einsum.tensor(), indices, indices));
      return Stmt.block(values.checksOutside(own, loops(body, values, true)));
    }

    private ValueBuilder.Place place(Tensor tensor, List<Expr> indices, List<Expr> unclamped) {
      return locals.place(tensor, indices, index -> inWindow(tensor, unclamped.get(index)));
    }

    /// Where in the window of `tensor` this index of it, in which `whole` stands for the coordinate here, is.
    private Expr inWindow(Tensor tensor, Expr index) {
      Window other = tiles.part(tensor).window();
      long factor = other.stride() / part.window().stride();
      Expr here = plus(new Expr.Ref(inTile), part.skipped());
      return plus(Rewrites.substitute(index, whole, here), factor * part.window().low() - other.low());
    }

    Stmt of(Recurrence.Update update) {
      return loops(values().statement(update), values(), update.isIndependent());
    }

    Stmt repeat(Recurrence.Update update, Rank step) {
      return loops(values().repeat(update, update.indicesBefore(step)), values(), false);
    }

    /// @param mayShare whether the points may run in any order
    private Stmt loops(Stmt point, ValueBuilder values, boolean mayShare) {
      Stmt body = point;
      for (Rank rank : own.reversed()) {
        Var counter = inner.get(rank);
        int extent = counter == inTile ? part.count() : rank.size().value();
        body = KernelBuilder.loop(counter, extent, Stmt.block(values.checksFor(rank, own, body)), span);
      }
      if (tensor != null) {
        kernel.schedule().add(tensor, mayShare, inner, around);
      }
      if (part.count() == 0) {
        return Stmt.NOTHING;
      }
      return whole == null ? body
          : Rewrites.substitute(body, whole, inTensor());
    }
  }
}
