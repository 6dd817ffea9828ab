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
final class KernelBuilder {
  /// A kernel, the tensors that stand for its parameters, and its schedule.
  record Result(Kernel kernel, List<Tensor> tensors, Schedule schedule) {}

  private final List<Definition> members;
  private final SharedRanks sharedRanks;
  private final List<Rank> shared;
  private final int tile;
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
    this.isLocal = isLocal;
    this.startsHere = startsHere;
    this.schedule = new ScheduleBuilder(mapping);
  }

  /// @param mapped whether a mapping says which of the loops around all are parallel; else all are
  Result build(boolean mapped) {
    List<Var> outer = shared.stream().map(names::counter).toList();
    outer.forEach(mapped ? schedule::outer : schedule::parallel);
    Stmt body = tile == 1 ? point(outer) : tiles(outer);
    for (int i = outer.size() - 1; i >= 0; i--) {
      int extent = extent(shared.get(i));
      boolean isTiled = tile > 1 && i == outer.size() - 1;
      body = loop(outer.get(i), isTiled ? Math.ceilDiv(extent, tile) : extent, body, members.getFirst().span());
    }
    List<Tensor> tensors = ordered();
    Tensor last = members.getLast().tensors().getLast();
    Kernel kernel = new Kernel(last.name(), tensors.stream().map(parameters::get).toList(), body, members.getLast().span());
    return new Result(kernel, tensors, schedule.schedule());
  }

  static Stmt loop(Var counter, int extent, Stmt body, Span span) {
    return new Stmt.For(counter, Expr.index(extent), Stmt.For.Kind.SERIAL, body, span);
  }

  private static int extent(Rank rank) {
    return rank.size().value();
  }

  private Stmt point(List<Var> outer) {
    return new TileBuilder(this, outer, 1, Expr.index(0)).build();
  }

  /// Whole tiles, and what is left after them: one loop, so that it can be parallel.
  private Stmt tiles(List<Var> outer) {
    Var counter = outer.getLast();
    int whole = extent(shared.getLast()) / tile;
    int rest = extent(shared.getLast()) % tile;
    LoopNames.Mark mark = names.mark();
    Expr start = new Expr.Binary(BinaryOp.MUL, new Expr.Ref(counter), Expr.index(tile));
    Stmt body = whole == 0 ? Stmt.NOTHING : new TileBuilder(this, outer, tile, start).build();
    if (rest == 0) {
      return body;
    }
    names.reset(mark);
    Stmt last = new TileBuilder(this, outer, rest, Expr.index((long) whole * tile)).build();
    Expr isWhole = new Expr.Binary(BinaryOp.LT, new Expr.Ref(counter), Expr.index(whole));
    return whole == 0 ? last : new Stmt.If(isWhole, body, last);
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
    return tile > 1;
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
