package dev.einfall.passes.analysis;

import dev.einfall.ir.cascade.Cascade;
import dev.einfall.ir.cascade.Definition;
import dev.einfall.ir.cascade.Rank;
import dev.einfall.ir.cascade.Tensor;
import dev.einfall.passes.analysis.FiberWalks.Use;
import dev.einfall.passes.analysis.Operand.Read;
import dev.einfall.passes.analysis.Unit.Write;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.IdentityHashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SequencedMap;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/// How many passes a cascade forces over the fibers of each tensor along each of its dimensions, under any mapping.
///
/// A pass is a traversal of every element of a fiber. Where an Einsum needs a value that depends on the whole fiber (through
/// a reduction along it, or an access that data choose), and reads the fiber, or what is computed of it element by element,
/// it reads in a later pass than the one that ends with that value. Einsums of one pass can share the loop along the fiber;
/// those of different passes cannot (Nayak et al., "FuseMax", 2024).
///
/// ```
/// R[p] = max[m](S[p, m])                1st pass over S along m
/// A[p, m] = exp(S[p, m] - R[p])         2nd pass: R needs all m
/// D[p] = sum[m](A[p, m])                2nd pass: A is computed of S element by element
/// Z[p, m] = A[p, m] / D[p]              3rd pass over S, and 2nd over A
/// ```
///
/// What is counted:
/// - Two ranks that run along one fiber in one Einsum, as `p` and `m` in `X[p, e] * X[m, e]`, are two walks. A value at a
///   place of one walk, such as `R[p]`, is no barrier for that walk, whatever it depends on through the other: there, all of
///   the other is nested in one step. For the other walk it is one.
/// - Windows (`X[p + r - 1]` with an `r` smaller than the dimension) and tiles (`X[64 * m1 + m0]`) move along with the rank of the
///   largest stride. A reduction over `m0` alone does not need the whole fiber; one over `m1` does, though `m0` is left. Who
///   reads again what tiles were reduced to, such as `L[m1]`, does not read the fiber again.
/// - The steps of a recurrence are one traversal. What a step hands on to the next is no barrier; what has been whole before
///   the first one is. Fibers that every step reads anew as a whole are read in [Count#repeated] steps.
/// - One element of a fiber, such as `X[0]` or `X[n, label[n]]`, is no traversal; a fiber of which nothing else is read has 0 passes.
/// - Masks (`where(m <= p, ..)`) are not looked into: a sum over the elements up to `p` needs them all.
public final class PassCount {

  /// The passes over the fibers of `tensor` along `dimension`.
  ///
  /// @param barriers the proof: one for each pass but the first
  /// @param repeated the step ranks of recurrences in which all of the fiber is read again in each step
  /// @param isCrossed whether some definition walks along it by two ranks at once, or picks elements of it
  /// @param walks who walks along it in which pass, in order
  public record Count(Tensor tensor, int dimension, int passes, List<Barrier> barriers, List<Rank> repeated,
      boolean isCrossed, List<Traversal> walks) {}

  /// The definition of `by` walks with `rank` along a fiber, in pass `pass`.
  ///
  /// @param isDirect whether it reads the tensor itself, and not only what is computed of it
  public record Traversal(Tensor by, Rank rank, Walk walk, boolean isDirect) {
    public int pass() {
      return walk.pass();
    }

    /// The barriers before it, in order.
    public List<Barrier> barriers() {
      return Barrier.before(walk);
    }
  }

  private final List<Tensor> tensors = new ArrayList<>();
  private final List<Unit> units;
  private final Map<Tensor, Integer> definedBy = new IdentityHashMap<>();
  private final Map<Tensor, List<Integer>> readers = new IdentityHashMap<>();
  private final Map<Tensor, List<Count>> counts = new IdentityHashMap<>();

  private PassCount(Cascade cascade) {
    units = cascade.definitions().stream().map(Unit::of).toList();
    tensors.addAll(cascade.inputs());
    cascade.weights().forEach(weight -> tensors.add(weight.tensor()));
    for (int i = 0; i < units.size(); i++) {
      int index = i;
      Definition definition = units.get(i).definition();
      tensors.addAll(definition.tensors());
      definition.tensors().forEach(tensor -> definedBy.put(tensor, index));
      Stream.concat(definition.reads(), definition.tensors().stream())
          .forEach(tensor -> readers.computeIfAbsent(tensor, _ -> new ArrayList<>()).add(index));
    }
  }

  /// The passes that `cascade` forces, each counted when it is asked for.
  public static PassCount of(Cascade cascade) {
    return new PassCount(cascade);
  }

  /// Of every tensor and dimension: inputs and weights first, then in the order of the definitions.
  public List<Count> all() {
    return tensors.stream().flatMap(tensor -> counts(tensor).stream()).toList();
  }

  /// The passes over the fibers of `tensor` along `dimension`.
  public Count count(Tensor tensor, int dimension) {
    return counts(tensor).get(dimension);
  }

  /// The passes over `tensor` along each of its dimensions.
  public List<Count> counts(Tensor tensor) {
    return counts.computeIfAbsent(tensor, _ -> IntStream.range(0, tensor.shape().size())
        .mapToObj(dimension -> count(tensor, dimension, definedBy.getOrDefault(tensor, -1))).toList());
  }

  private Count count(Tensor tensor, int dimension, int definition) {
    FiberWalks walks = new FiberWalks(tensor, dimension);
    List<Rank> repeated = new ArrayList<>();
    BitSet pending = new BitSet();
    readers.getOrDefault(tensor, List.of()).forEach(pending::set);
    if (definition >= 0 && !units.get(definition).isRecurrence()) {
      pending.clear(definition);
    }
    for (int i = pending.nextSetBit(0); i >= 0; i = pending.nextSetBit(i + 1)) {
      List<Tensor> reached = walks.follow(units.get(i));
      if (walks.isWhole(units.get(i)) && !units.get(i).definition().tensors().contains(tensor)) {
        repeated.addAll(repeated(units.get(i), tensor));
      }
      for (Tensor written : reached) {
        for (int reader : readers.get(written)) {
          if (reader > i) {
            pending.set(reader);
          }
        }
      }
    }
    record Key(Tensor by, Rank rank, int pass, boolean isDirect) {}
    SequencedMap<Key, Traversal> found = new LinkedHashMap<>();
    walks.uses().forEach(use -> found.putIfAbsent(new Key(use.by(), use.rank(), use.walk().pass(), use.isDirect()),
        new Traversal(use.by(), use.rank(), use.walk(), use.isDirect())));
    Optional<Walk> last = walks.uses().stream().map(Use::walk).reduce(FiberState::later);
    return new Count(tensor, dimension, last.map(Walk::pass).orElse(0), last.map(Barrier::before).orElse(List.of()),
        List.copyOf(repeated), isCrossed(tensor, dimension), List.copyOf(found.values()));
  }

  /// The steps of `unit` that read the same elements of `tensor` as the step before.
  private static List<Rank> repeated(Unit unit, Tensor tensor) {
    List<Read> reads = unit.writes().stream().flatMap(write -> reads(write.scope(), tensor)).toList();
    return unit.steps().stream().filter(step -> reads.stream().anyMatch(read -> !moves(read, step))).toList();
  }

  private static boolean moves(Read read, Rank rank) {
    return read.indices().stream().anyMatch(index -> index.terms().stream().anyMatch(term -> term.rank() == rank)
        || index.picked().filter(ranks -> ranks.contains(rank)).isPresent());
  }

  private boolean isCrossed(Tensor tensor, int dimension) {
    return readers.getOrDefault(tensor, List.of()).stream().flatMap(reader -> units.get(reader).writes().stream())
        .anyMatch(write -> isCrossed(write.scope(), tensor, dimension));
  }

  private static boolean isCrossed(Scope scope, Tensor tensor, int dimension) {
    List<Index> indices = scope.operands().stream()
        .flatMap(operand -> operand instanceof Read read && read.tensor() == tensor ? Stream.of(read.indices().get(dimension)) : Stream.empty())
        .toList();
    long walkers = indices.stream().flatMap(index -> Digits.ALL.walkers(index, tensor.shape().get(dimension)).stream())
        .map(Digits.OfRank::rank).distinct().count();
    return walkers > 1 || indices.stream().anyMatch(index -> index.picked().isPresent())
        || scope.operands().stream().anyMatch(operand -> operand instanceof Scope inner && isCrossed(inner, tensor, dimension));
  }

  private static Stream<Read> reads(Scope scope, Tensor tensor) {
    return scope.operands().stream().flatMap(operand -> switch (operand) {
      case Read read -> Stream.of(read).filter(candidate -> candidate.tensor() == tensor);
      case Scope inner -> reads(inner, tensor);
    });
  }
}
