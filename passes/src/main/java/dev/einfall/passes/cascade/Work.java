package dev.einfall.passes.cascade;

import dev.einfall.ir.CompileException;
import dev.einfall.ir.Diagnostic;
import dev.einfall.ir.Size;
import dev.einfall.ir.cascade.Combination;
import dev.einfall.ir.cascade.Combiner;
import dev.einfall.ir.cascade.Definition;
import dev.einfall.ir.cascade.Einsum;
import dev.einfall.ir.cascade.Expr;
import dev.einfall.ir.cascade.Rank;
import dev.einfall.ir.cascade.Recurrence;
import dev.einfall.ir.cascade.Reduction;
import dev.einfall.ir.cascade.Tensor;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SequencedMap;
import java.util.SequencedSet;

/// What a definition computes and moves, counted in the definition and not on a machine; polynomials as long as sizes have
/// names.
///
/// An operation is an addition, a comparison, a function of one value and the like, each counted once, outside of index
/// expressions and casts; combining one value in a reduction is one. A reduction is done once for each point of the ranks
/// that it depends on. The bytes are those of the elements that are read, each once, and written; what a recurrence reads
/// of its own states is at hand:
///
/// ```
/// Y[m, n] = sum[k](A[m, k] * B[k, n])      2 * K * M * N operations, 4 * K * M + 4 * K * N + 4 * M * N bytes
/// ```
///
/// @param points the points of the largest iteration space, that of the output or of a reduction
/// @param operations the arithmetic operations
/// @param reads the bytes of the elements that are read of each tensor
/// @param bytesWritten the bytes of the elements that are written
public record Work(Size points, Size operations, SequencedMap<Tensor, Size> reads, Size bytesWritten) {
  public static final Work NONE = new Work(Size.of(0), Size.of(0), new LinkedHashMap<>(), Size.of(0));

  public Work {
    reads = Collections.unmodifiableSequencedMap(new LinkedHashMap<>(reads));
  }

  /// A value that is computed for each point of `ranks`, and `more` operations with it.
  private record Part(List<Rank> ranks, Expr value, long more) {}

  /// The work of `definition`; of a recurrence, if no condition ends it early.
  ///
  /// @throws CompileException if there are more operations than can be counted
  public static Work of(Definition definition) {
    try {
      Work work = parts(definition).stream().map(Work::of).reduce(NONE, Work::plus);
      return new Work(work.points, work.operations, reads(definition), bytesWritten(definition));
    } catch (ArithmeticException _) {
      throw new CompileException(Diagnostic.error(definition.span(), "the sizes here are too large to count the operations"));
    }
  }

  private static List<Part> parts(Definition definition) {
    return switch (definition) {
      case Einsum einsum -> List.of(new Part(einsum.ranks(), einsum.value(), 0));
      case Recurrence recurrence -> {
        List<Part> parts = new ArrayList<>();
        for (Recurrence.Update update : recurrence.updates()) {
          List<Rank> ranks = new ArrayList<>(recurrence.steps());
          ranks.addAll(update.ranks());
          parts.add(new Part(ranks, update.value(), update.combination().map(Work::operations).orElse(0L)));
        }
        recurrence.condition().ifPresent(condition -> parts.add(new Part(recurrence.steps(), condition, 0)));
        yield parts;
      }
    };
  }

  private static Work of(Part part) {
    Size elements = volume(part.ranks);
    Size points = elements;
    Size operations = elements.times(Size.of(ownOperations(part.value) + part.more));
    for (Expr reduction : reductions(part.value)) {
      SequencedSet<Rank> ranks = new LinkedHashSet<>(Exprs.freeRanks(reduction));
      ranks.addAll(reduction.bound());
      Size space = volume(ranks);
      points = larger(points, space);
      operations = operations.plus(space.times(Size.of(
          reduction.children().mapToLong(Work::ownOperations).sum() + combining(reduction))));
    }
    return new Work(points, operations, NONE.reads, Size.of(0));
  }

  /// The reductions in `value`, each once; folds that differ in the component alone are one.
  private static List<Expr> reductions(Expr value) {
    return value.nodes().filter(node -> !node.bound().isEmpty())
        .map(Expr::computation).distinct().toList();
  }

  private static long combining(Expr reduction) {
    return reduction instanceof Expr.Fold fold ? operations(fold.combiner()) : 1;
  }

  private static long operations(Combination combination) {
    return switch (combination) {
      case Reduction _ -> 1;
      case Combiner combiner -> combiner.combined().stream().mapToLong(Work::ownOperations).sum();
    };
  }

  /// The sum of two works; of points, the larger.
  public Work plus(Work other) {
    SequencedMap<Tensor, Size> sum = new LinkedHashMap<>(reads);
    other.reads.forEach((tensor, bytes) -> sum.merge(tensor, bytes, Size::plus));
    return new Work(larger(points, other.points), operations.plus(other.operations), sum, bytesWritten.plus(other.bytesWritten));
  }

  public Size bytesRead() {
    return reads.values().stream().reduce(Size.of(0), Size::plus);
  }

  public Size bytes() {
    return bytesRead().plus(bytesWritten);
  }

  /// The operations for each byte, if the sizes are numbers.
  public Optional<Double> intensity() {
    return operations.constant().flatMap(count -> bytes().constant().filter(bytes -> bytes > 0)
        .map(bytes -> (double) count / bytes));
  }

  /// The operations of one evaluation of `expr` outside of its reductions and indices.
  private static long ownOperations(Expr expr) {
    return switch (expr) {
      case Expr.FloatLiteral _, Expr.IntLiteral _, Expr.Coordinate _, Expr.Extent _, Expr.Ref _, Expr.Access _,
          Expr.Reduce _, Expr.Fold _ -> 0;
      case Expr.Cast cast -> ownOperations(cast.operand());
      case Expr.Bitcast bitcast -> ownOperations(bitcast.operand());
      case Expr.Unary _, Expr.Binary _, Expr.Select _ -> 1 + expr.children().mapToLong(Work::ownOperations).sum();
    };
  }

  private static SequencedMap<Tensor, Size> reads(Definition definition) {
    Map<Tensor, SequencedSet<Expr.Access>> accesses = new LinkedHashMap<>();
    definition.exprs().flatMap(Exprs::accesses).filter(access -> !definition.tensors().contains(access.tensor())).forEach(
        access -> accesses.computeIfAbsent(access.tensor(), _ -> new LinkedHashSet<>()).add(access));
    SequencedMap<Tensor, Size> reads = new LinkedHashMap<>();
    accesses.forEach((tensor, all) -> reads.put(tensor, bytes(tensor, elementsRead(tensor, all))));
    if (definition instanceof Recurrence recurrence) {
      recurrence.states().stream().flatMap(state -> state.base().stream())
          .forEach(base -> reads.put(base, bytes(base, elements(base))));
    }
    return reads;
  }

  private static Size bytesWritten(Definition definition) {
    return definition.tensors().stream().map(tensor -> bytes(tensor, elements(tensor))).reduce(Size.of(0), Size::plus);
  }

  private static Size elements(Tensor tensor) {
    return tensor.shape().stream().reduce(Size.of(1), Size::times);
  }

  /// At most the elements of the tensor; of a gather, one for each point. While sizes have names, other accesses count as
  /// reading all.
  private static Size elementsRead(Tensor tensor, Collection<Expr.Access> accesses) {
    Size all = elements(tensor);
    Size points = Size.of(0);
    boolean isGather = false;
    for (Expr.Access access : accesses) {
      points = points.plus(volume(Exprs.freeRanks(access)));
      isGather |= access.indices().stream().anyMatch(index -> Exprs.accesses(index).findAny().isPresent());
    }
    if (all.constant().isPresent() && points.constant().isPresent()) {
      return all.constant().get() < points.constant().get() ? all : points;
    }
    return isGather ? points : all;
  }

  private static Size bytes(Tensor tensor, Size elements) {
    return elements.times(Size.of(tensor.type().bytes()));
  }

  private static Size volume(Collection<Rank> ranks) {
    return ranks.stream().map(Rank::size).reduce(Size.of(1), Size::times);
  }

  /// The larger of two sizes; of those that cannot be compared, the one of higher degree.
  private static Size larger(Size a, Size b) {
    if (a.constant().isPresent() && b.constant().isPresent()) {
      return a.constant().get() >= b.constant().get() ? a : b;
    }
    return degree(a) >= degree(b) ? a : b;
  }

  private static int degree(Size size) {
    return size.terms().keySet().stream().mapToInt(product -> product.factors().size()).max().orElse(0);
  }
}
