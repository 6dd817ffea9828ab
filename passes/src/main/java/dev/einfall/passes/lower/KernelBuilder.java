package dev.einfall.passes.lower;

import dev.einfall.ir.BinaryOp;
import dev.einfall.ir.Span;
import dev.einfall.ir.cascade.Definition;
import dev.einfall.ir.cascade.Einsum;
import dev.einfall.ir.cascade.Mapping;
import dev.einfall.ir.cascade.Rank;
import dev.einfall.ir.cascade.Recurrence;
import dev.einfall.ir.cascade.SharedRanks;
import dev.einfall.ir.cascade.Tensor;
import dev.einfall.ir.loop.Buffer;
import dev.einfall.ir.loop.Expr;
import dev.einfall.ir.loop.Kernel;
import dev.einfall.ir.loop.Stmt;
import dev.einfall.ir.loop.Var;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Predicate;

/// Builds the kernel of one definition or of a fusion group, and its schedule under the names of the kernel's loops.
///
/// Loops over the shared ranks go around all; the last of these ranks goes in tiles of `tile` coordinates. Inside, the
/// definitions follow each other: an Einsum is one nest of loops, a recurrence its steps around the nests of its updates.
///
/// ```
/// for b in 0..B {
///   for p in 0..P / 64 {
///     alloc E: f32[64, M] in local {
///       for pa in 0..64 { .. E[pa, m] = .. X[b, p * 64 + pa, m] .. }
///       for pb in 0..64 { .. }
/// ```
///
/// Of what is needed at other places than those of the tile, a tile computes what it needs itself, and leaves out what lies
/// outside of the tensor: tiles at the borders have loops of their own ([TileRun]).
final class KernelBuilder {
  /// A kernel, the tensors that stand for its parameters, and its schedule.
  record Result(Kernel kernel, List<Tensor> tensors, Schedule schedule) {}

  private static final TileRun POINT = new TileRun(0, 1, 1, 1, Map.of());

  private final List<Definition> members;
  private final SharedRanks sharedRanks;
  private final List<Rank> shared;
  private final int tile;
  private final boolean hasWindows;
  private final Predicate<Tensor> isLocal;
  private final Predicate<Recurrence.State> startsHere;
  private final Map<Tensor, Buffer> parameters = new LinkedHashMap<>();
  private final LoopNames names = new LoopNames();
  private final ScheduleBuilder schedule;

  /// @param sharedRanks what the members share, whose names are `shared`
  /// @param isLocal whether a tensor lives in the kernel
  /// @param startsHere whether the kernel gives a state what it starts as
  KernelBuilder(List<Definition> members, SharedRanks sharedRanks, int tile, Predicate<Tensor> isLocal,
      Predicate<Recurrence.State> startsHere, Mapping mapping) {
    this.members = members;
    this.sharedRanks = sharedRanks;
    this.shared = switch (members.getFirst()) {
      case Einsum einsum -> sharedRanks.of(einsum);
      case Recurrence recurrence -> sharedRanks.of(recurrence.updates().getFirst());
    };
    this.tile = tile;
    this.hasWindows = sharedRanks.hasWindows();
    this.isLocal = isLocal;
    this.startsHere = startsHere;
    this.schedule = new ScheduleBuilder(mapping);
  }

  /// @param mapped whether a mapping says which of the loops around all are parallel; else all are
  Result build(boolean mapped) {
    List<Var> outer = shared.stream().map(names::counter).toList();
    outer.forEach(mapped ? schedule::outer : schedule::parallel);
    Stmt body = isTiled() ? tiles(outer) : new TileBuilder(this, outer, POINT).build();
    for (int i = outer.size() - 1; i >= 0; i--) {
      boolean isTiled = isTiled() && i == outer.size() - 1;
      int extent = isTiled ? Math.ceilDiv(sharedRanks.extent(), tile) : shared.get(i).size().value();
      body = loop(outer.get(i), extent, body, members.getFirst().span());
    }
    List<Tensor> tensors = ordered();
    Tensor last = members.getLast().tensors().getLast();
    Kernel kernel = new Kernel(last.name(), tensors.stream().map(parameters::get).toList(), body, members.getLast().span());
    return new Result(kernel, tensors, schedule.schedule());
  }

  static Stmt loop(Var counter, int extent, Stmt body, Span span) {
    return new Stmt.For(counter, Expr.index(extent), Stmt.For.Kind.SERIAL, body, span);
  }

  /// Tiles that are alike, such as those at the borders, and what is left after whole ones: all in one loop, so that it can be
  /// parallel.
  private Stmt tiles(List<Var> outer) {
    LoopNames.Mark mark = names.mark();
    List<Tensor> tensors = members.stream().flatMap(member -> member.tensors().stream()).toList();
    List<TileRun> runs = TileRun.all(sharedRanks, tensors, tile);
    List<Stmt> bodies = new ArrayList<>();
    for (TileRun run : runs) {
      names.reset(mark);
      bodies.add(new TileBuilder(this, outer, run).build());
    }
    Stmt chosen = bodies.isEmpty() ? Stmt.NOTHING : bodies.getLast();
    for (int i = runs.size() - 2; i >= 0; i--) {
      Expr isHere = new Expr.Binary(BinaryOp.LT, new Expr.Ref(outer.getLast()), Expr.index(runs.get(i).to()));
      chosen = new Stmt.If(isHere, bodies.get(i), chosen);
    }
    return chosen;
  }

  /// The tensors of the parameters: those that are read, then those that are written.
  private List<Tensor> ordered() {
    List<Tensor> written = members.stream().flatMap(member -> member.tensors().stream()).filter(parameters::containsKey).toList();
    List<Tensor> tensors = new ArrayList<>(parameters.keySet());
    tensors.removeAll(written);
    tensors.addAll(written);
    return tensors;
  }

  List<Definition> members() {
    return members;
  }

  SharedRanks sharedRanks() {
    return sharedRanks;
  }

  boolean isTiled() {
    return tile > 1 || hasWindows;
  }

  boolean isLocal(Tensor tensor) {
    return isLocal.test(tensor);
  }

  boolean startsHere(Recurrence.State state) {
    return startsHere.test(state);
  }

  LoopNames names() {
    return names;
  }

  ScheduleBuilder schedule() {
    return schedule;
  }

  Buffer parameter(Tensor tensor) {
    return parameters.computeIfAbsent(tensor, _ -> new Buffer(
        tensor.name(), tensor.type(), tensor.shape().stream().map(size -> size.value()).toList(), Buffer.Space.GLOBAL));
  }
}
