package dev.einfall.passes.cascade;

import dev.einfall.ir.Diagnostic;
import dev.einfall.ir.cascade.Cascade;
import dev.einfall.ir.cascade.Einsum;
import dev.einfall.ir.cascade.Expr;
import dev.einfall.ir.cascade.Mapping;
import dev.einfall.ir.cascade.Rank;
import dev.einfall.ir.cascade.Tensor;
import dev.einfall.passes.Decisions;
import dev.einfall.passes.Numerics;
import dev.einfall.passes.Pass;
import dev.einfall.passes.Target;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Consumer;
import java.util.stream.LongStream;
import java.util.stream.Stream;

/// Chooses the loops of every Einsum that has no mapping yet: the vector rank and the register tile with the fewest
/// cycles by the [CostModel], the loop order with the least memory traffic, and parallel loops at the outside.
///
/// ```
/// Y[m, n] = sum[k](X[m, k] * W[k, n])     =>     map Y {
///                                                  split m 8
///                                                  split n 32 16
///                                                  order n2 m1 k m0 n1 n0
///                                                  parallel n2 m1
///                                                  unroll m0 n1
///                                                  vectorize n0
///                                                }
/// ```
///
/// Under the `strict` contract no rank is a vector rank over which floats are summed or multiplied.
public record ChooseMappings(Target target, Numerics numerics, Decisions decisions) implements Pass.OnCascade {
  /// Work below this many cycles is not worth sharing among threads.
  private static final double PARALLEL_CYCLES = 20_000;
  /// Tasks for each thread, so that an uneven machine stays busy.
  private static final int TASKS_PER_THREAD = 4;
  /// Loops over no more vectors than this stand around longer ones.
  private static final int FEW_VECTORS = 8;
  /// Tasks of fewer cycles are put together: the call of one would be a tenth of it.
  private static final double SHORT_TASK = 200;
  /// Tasks that are put together take no longer than this, so that no thread waits long for another.
  private static final double LONGEST_TASK = 1_000_000;

  /// With choices by cost alone.
  public ChooseMappings(Target target, Numerics numerics) {
    this(target, numerics, Decisions.byCost());
  }

  @Override
  public String name() {
    return "choose-mappings";
  }

  @Override
  public Numerics needs() {
    return numerics;
  }

  @Override
  public Cascade apply(Cascade cascade, Consumer<Diagnostic> remarks) {
    Set<Tensor> constant = Constants.of(cascade);
    Map<Tensor, String> subjects = subjects(cascade);
    List<Mapping.Nest> nests = new ArrayList<>(cascade.mapping().nests());
    Set<Tensor> inside = Exprs.identitySet();
    for (Mapping.Group group : cascade.mapping().groups()) {
      KernelView view = new KernelView(cascade, group);
      if (view.isNeeded()) {
        inside.addAll(group.members());
        nests.addAll(nests(view, cascade.mapping(), constant, subjects));
      }
    }
    for (Einsum einsum : cascade.einsums()) {
      if (cascade.mapping().nest(einsum.tensor()).isEmpty() && !inside.contains(einsum.tensor())) {
        Optional<Mapping.Group> group = cascade.mapping().group(einsum.tensor());
        List<Tensor> fused = group.map(Mapping.Group::members).orElse(List.of());
        nests.add(new Choice(einsum.tensor(), subjects.get(einsum.tensor()), einsum, new CostModel(target, einsum, constant, fused), group, group.isEmpty()).nest());
      }
    }
    // A scalar has no loops, and a map without a directive says nothing.
    nests.removeIf(nest -> nest.splits().isEmpty() && nest.order().isEmpty() && nest.bindings().isEmpty());
    return cascade.withMapping(cascade.mapping().withNests(nests));
  }

  /// What the decisions are about. Of tensors of one name, the second is `NAME_1`.
  private Map<Tensor, String> subjects(Cascade cascade) {
    Map<Tensor, String> subjects = new IdentityHashMap<>();
    Map<String, Integer> count = new HashMap<>();
    for (Tensor tensor : cascade.definitions().stream().flatMap(definition -> definition.tensors().stream()).toList()) {
      int before = count.merge(tensor.name(), 1, Integer::sum) - 1;
      subjects.put(tensor, name() + " " + tensor.name() + (before == 0 ? "" : "_" + before));
    }
    return subjects;
  }

  /// The nests of a group's members inside their kernel. If the work is worth sharing, those of the first say that the loops around are
  /// parallel; where there is but one point of these, such as for a recurrence whose steps connect all, threads share the loops inside.
  private List<Mapping.Nest> nests(KernelView view, Mapping mapping, Set<Tensor> constant, Map<Tensor, String> subjects) {
    List<Mapping.Nest> nests = new ArrayList<>();
    double cycles = 0;
    boolean isOneTask = view.tasks() == 1;
    for (KernelView.Writer writer : view.writers()) {
      boolean isMapped = mapping.nest(writer.tensor()).isPresent() || nests.stream().anyMatch(nest -> nest.tensor() == writer.tensor());
      if (!isMapped) {
        Choice choice = writer.inside().map(inside -> inKernel(view, writer, inside, constant, subjects)).orElse(null);
        nests.add(choice == null ? new Mapping.Nest(writer.tensor(), List.of(), List.of(), List.of())
            : choice.nestInKernel(isOneTask && target.threads() > 1 && writer.times() * choice.cycles() >= PARALLEL_CYCLES, isNear(view, writer)));
        cycles += writer.times() * (choice == null ? PARALLEL_CYCLES : choice.cycles());
      }
    }
    if (!nests.isEmpty() && !isOneTask && cycles >= PARALLEL_CYCLES) {
      Mapping.Nest first = nests.getFirst();
      List<Mapping.Bound> bindings = new ArrayList<>(first.bindings());
      view.shared(first.tensor()).forEach(rank -> bindings.add(new Mapping.Bound(rank.name(), Mapping.Binding.PARALLEL)));
      nests.set(0, new Mapping.Nest(first.tensor(), first.splits(), first.order(), bindings));
    }
    return nests;
  }

  /// Whether all that `writer` reads and writes lives in the kernel.
  private static boolean isNear(KernelView view, KernelView.Writer writer) {
    return view.isLocal(writer.tensor()) && writer.inside().stream().flatMap(inside -> Exprs.accesses(inside.value()))
        .allMatch(access -> view.isInside(access.tensor()));
  }

  /// The choice for what writes a tensor in a kernel, where only what is the same in all runs can be copied before.
  private Choice inKernel(
      KernelView view, KernelView.Writer writer, Einsum inside, Set<Tensor> constant, Map<Tensor, String> subjects) {
    CostModel costs = new CostModel(target, inside, constant, access -> view.isSteady(writer, access), writer.times());
    return new Choice(writer.tensor(), subjects.get(writer.tensor()), inside, costs, Optional.empty(), false);
  }

  /// The choice for one Einsum. Ranks that it shares with a group keep their loops at the outside.
  private final class Choice {
    private final Tensor tensor;
    private final Einsum einsum;
    private final int shared;
    private final List<Rank> free;
    private final List<Rank> reduced;
    private final Tiling best;
    private final double cycles;
    private final Optional<Transposition> transposition;

    /// @param tensor under whose name the loops are known
    /// @param subject of the decision
    /// @param isKernel whether the Einsum is all of its kernel
    Choice(Tensor tensor, String subject, Einsum einsum, CostModel costs, Optional<Mapping.Group> group, boolean isKernel) {
      this.tensor = tensor;
      this.einsum = einsum;
      this.shared = group.map(fused -> fused.shared().size()).orElse(0);
      this.free = einsum.ranks().subList(shared, einsum.ranks().size());
      this.reduced = Exprs.reduced(einsum.value());
      Streams streams = new Streams(target, numerics, einsum, reduced, isKernel);
      Tiling cheapest = decisions.choose(subject, new Tilings(target, numerics, einsum, free, reduced).all().stream()
          .flatMap(tiling -> Stream.concat(Stream.of(tiling), streams.of(tiling))).toList(),
          tiling -> costs.cycles(tiling) + streams.reading(tiling));
      // Lanes that are gathered are as good in any order.
      this.transposition = cheapest.vector().isPresent() ? Optional.empty() : Transposition.of(einsum, free);
      // Inside of a larger kernel the tiles are long code that the JIT compiles badly: attention over 512 keys takes 1.4 times as long.
      this.best = transposition.filter(_ -> isKernel).flatMap(blocks -> blocks.tile(einsum, target, numerics)).orElse(cheapest);
      this.cycles = costs.cycles(cheapest);
    }

    Mapping.Nest nest() {
      if (Streams.goAlongRows(best)) {
        return alongRows();
      }
      Optional<Integer> block = shared > 0 || transposition.isPresent() ? Optional.empty() : new RowBlocks(target, einsum).of(best);
      if (block.isPresent()) {
        return inBlocks(new TileLoops(best, reduced).withPieces(best.row().orElseThrow(), block.get()));
      }
      boolean isWhole = shared > 0 || cycles() < PARALLEL_CYCLES || transposition.isPresent();
      TileLoops loops = isWhole ? loops() : pieces(loops());
      return nest(loops, outer(), parallel(shared > 0 ? einsum.ranks().subList(0, shared) : outer(), loops));
    }

    /// The loops with whole rows inside of each step of the reduction, or a piece of each row for each thread: shorter pieces come slower.
    private Mapping.Nest alongRows() {
      Rank vector = best.vector().orElseThrow();
      TileLoops whole = new TileLoops(best, reduced);
      boolean isShared = target.threads() > 1 && cycles() >= PARALLEL_CYCLES && whole.tiles(vector) >= target.threads();
      int piece = best.width() * Math.toIntExact(Math.ceilDiv(whole.tiles(vector), target.threads()));
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
      Rank row = best.row().orElseThrow();
      Sides sides = sides(best);
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
      boolean isShort = last > 0 && reduced.isEmpty() && best.vector().filter(outer.getLast()::equals).isPresent()
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
      TileLoops whole = new TileLoops(best, reduced);
      return transposition.map(blocks -> whole.withPieces(blocks.written(), blocks.block())).orElse(whole);
    }

    private List<Rank> outer() {
      return transposition.map(blocks -> blocks.outer(free)).orElseGet(() -> outer(best));
    }

    private boolean isInBlocks(Rank rank) {
      return transposition.filter(blocks -> blocks.written() == rank).isPresent();
    }

    private Mapping.Nest nest(TileLoops loops, List<Rank> outer, List<Mapping.Bound> parallel) {
      List<String> order = new ArrayList<>();
      outer.forEach(rank -> order.addAll(isInBlocks(rank) ? loops.outer(rank).subList(0, 1) : loops.outer(rank)));
      transposition.ifPresent(blocks -> order.add(loops.outer(blocks.written()).getLast()));
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
      loops.streams().ifPresent(streams -> inner(streams, Mapping.Binding.UNROLL, order, bindings));
      loops.rows().ifPresent(rows -> inner(rows, Mapping.Binding.UNROLL, order, bindings));
      if (best.vectors() > 1) {
        inner(best.vector().orElseThrow().name() + "1", Mapping.Binding.UNROLL, order, bindings);
      }
      best.vector().ifPresent(vector -> inner(vector.name() + "0", Mapping.Binding.VECTORIZE, order, bindings));
      bindings.addAll(parallel);
      return new Mapping.Nest(tensor, loops.splits(), order, bindings);
    }

    private static void inner(String loop, Mapping.Binding binding, List<String> order, List<Mapping.Bound> bindings) {
      order.add(loop);
      bindings.add(new Mapping.Bound(loop, binding));
    }

    /// The output ranks in the order of their outer loops: those that every operand has, then the ranks of the vector
    /// side and of the row side, whichever order moves fewer bytes. Where lanes are reduced, rows come last: what they share
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
      List<Rank> order = new ArrayList<>(sides.batch);
      boolean vectorFirst = traffic(sides.vectors, sides.rows, operands, sides.batch)
          <= traffic(sides.rows, sides.vectors, operands, sides.batch);
      order.addAll(vectorFirst ? sides.vectors : sides.rows);
      order.addAll(vectorFirst ? sides.rows : sides.vectors);
      return order;
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

    /// The bytes that operands along `inner` ranks move when the loops over `outer` ranks are outside: what does not fit
    /// into the second-level cache is read again for every tile of `outer`.
    private double traffic(List<Rank> outer, List<Rank> inner, List<Expr.Access> operands, List<Rank> batch) {
      double bytes = 0;
      for (Expr.Access access : operands) {
        Set<Rank> ranks = Exprs.freeRanks(access);
        List<Rank> own = ranks.stream().filter(rank -> !batch.contains(rank)).toList();
        double size = Exprs.volume(own) * (double) access.tensor().type().bytes();
        boolean again = inner.stream().anyMatch(ranks::contains) && outer.stream().noneMatch(ranks::contains);
        bytes += again && size > target.l2Bytes() / 2.0 ? size * Exprs.volume(outer) / 16 : size;
      }
      return bytes;
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
}
