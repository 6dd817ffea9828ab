package dev.einfall.passes.codes;

import dev.einfall.ir.BinaryOp;
import dev.einfall.ir.cascade.Cascade;
import dev.einfall.ir.cascade.Einsum;
import dev.einfall.ir.cascade.Expr;
import dev.einfall.ir.cascade.Rank;
import dev.einfall.ir.cascade.Tensor;
import dev.einfall.ir.loop.Interval;
import dev.einfall.passes.cascade.Affine;
import dev.einfall.passes.cascade.Constants;
import dev.einfall.passes.cascade.Exprs;
import dev.einfall.passes.cascade.IndexForm;
import java.util.IdentityHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.IntStream;

/// Writes what weights alone determine as arithmetic on the weights.
///
/// ```
/// C[n, k] = i32(W_code[n, k]) - 8
/// W[n, k] = f32(C[n, k]) * W_scale[n, k / 64]       W[j, i]  =>  f32(i32(W_code[j, i]) - 8) * W_scale[j, i / 64]
/// ```
final class Inlining {
  /// The most nodes of an expression that takes the place of an element.
  private static final int MOST_NODES = 2000;

  private final Set<Tensor> constant;
  private final Map<Tensor, Einsum> definitions;

  Inlining(Cascade cascade) {
    this(Constants.of(cascade), Exprs.definitions(cascade.einsums()));
  }

  /// The same for other tensors than those that weights determine.
  ///
  /// @param constant these tensors
  Inlining(Set<Tensor> constant, Map<Tensor, Einsum> definitions) {
    this.constant = constant;
    this.definitions = definitions;
  }

  boolean isConstant(Tensor tensor) {
    return constant.contains(tensor);
  }

  /// What computes the elements of `tensor`, if weights determine them and it is none itself.
  Optional<Einsum> definition(Tensor tensor) {
    return Optional.ofNullable(constant.contains(tensor) ? definitions.get(tensor) : null);
  }

  /// Whether `expr` reads something, and nothing but what weights determine.
  boolean isConstant(Expr expr) {
    return Exprs.accesses(expr).findAny().isPresent() && !Exprs.hasReduction(expr)
        && Exprs.accesses(expr).allMatch(access -> constant.contains(access.tensor()));
  }

  /// `expr` with elements of constant tensors as they are computed, but for those that a reduction makes, and elements of a tensor that is read at indices that depend
  /// on data, or outside of its bounds with `or`.
  Expr inlined(Expr expr) {
    Expr result = inlined(expr, Map.of());
    return result.nodes().limit(MOST_NODES + 1).count() > MOST_NODES ? expr : result;
  }

  /// @param known what is known of coordinates where `expr` is needed
  private Expr inlined(Expr expr, Map<Rank, Interval> known) {
    return switch (expr) {
      case Expr.Access access -> element(access, known);
      case Expr.Select(Expr.Binary(BinaryOp op, Expr.Coordinate(Rank rank), Expr.IntLiteral(_, long end)), Expr below, Expr others)
          when op == BinaryOp.LT && 0 < end && end < rank.size().value() -> {
        Expr condition = expr.operands().getFirst();
        Interval range = known.getOrDefault(rank, Interval.below(rank.size().value()));
        yield range.low() >= end || range.high() < end ? expr.mapChildren(child -> inlined(child, known))
            : chosen(condition, inlined(below, with(known, rank, new Interval(range.low(), end - 1))), inlined(others, with(known, rank, new Interval(end, range.high()))));
      }
      case Expr _ -> expr.mapChildren(child -> inlined(child, known));
    };
  }

  private static Map<Rank, Interval> with(Map<Rank, Interval> known, Rank rank, Interval range) {
    Map<Rank, Interval> more = new IdentityHashMap<>(known);
    more.put(rank, range);
    return more;
  }

  /// One of two values that are computed alike, by a choice among what they are computed from: of weights of several products that are one, codes and scales, and codes of one table.
  ///
  /// ```
  /// where(n < 384, f32(C[n, k]) * S[n], f32(D[n - 384, k]) * T[n - 384])     =>     f32(where(n < 384, C[n, k], D[n - 384, k])) * where(n < 384, S[n], T[n - 384])
  /// ```
  private static Expr chosen(Expr condition, Expr whenTrue, Expr whenFalse) {
    if (whenTrue.equals(whenFalse)) {
      return whenTrue;
    }
    if (whenTrue instanceof Expr.Binary one && whenFalse instanceof Expr.Binary other && one.op() == other.op() && one.left().type() == other.left().type()) {
      return new Expr.Binary(one.op(), chosen(condition, one.left(), other.left()), chosen(condition, one.right(), other.right()));
    }
    if (whenTrue instanceof Expr.Cast one && whenFalse instanceof Expr.Cast other && one.type() == other.type() && one.operand().type() == other.operand().type()) {
      return new Expr.Cast(one.type(), chosen(condition, one.operand(), other.operand()));
    }
    if (whenTrue instanceof Expr.Access one && whenFalse instanceof Expr.Access other && one.tensor() == other.tensor() && hasData(one) && hasData(other)) {
      return new Expr.Access(one.tensor(), IntStream.range(0, one.indices().size())
          .mapToObj(i -> chosen(condition, one.indices().get(i), other.indices().get(i))).toList(), one.outside());
    }
    return new Expr.Select(condition, whenTrue, whenFalse);
  }

  /// Whether data says which element is read: an element of a table.
  private static boolean hasData(Expr.Access access) {
    return access.outside().isEmpty() && access.indices().stream().flatMap(Exprs::accesses).findAny().isPresent();
  }

  private Expr element(Expr.Access access, Map<Rank, Interval> known) {
    Einsum einsum = definition(access.tensor()).orElse(null);
    boolean isPlain = einsum != null && !Exprs.hasReduction(einsum.value()) && Exprs.accesses(einsum.value()).findAny().isPresent()
        && access.indices().stream().allMatch(index -> Exprs.accesses(index).findAny().isEmpty()) && (access.outside().isEmpty() || isInside(access, known));
    if (!isPlain) {
      return access;
    }
    Map<Rank, Expr> values = new IdentityHashMap<>();
    for (int i = 0; i < einsum.ranks().size(); i++) {
      values.put(einsum.ranks().get(i), access.indices().get(i));
    }
    return inlined(IndexForm.withSimpleIndices(Exprs.substitute(einsum.value(), values)), known);
  }

  /// Whether no index of `access` leaves the tensor.
  private static boolean isInside(Expr.Access access, Map<Rank, Interval> known) {
    for (int i = 0; i < access.indices().size(); i++) {
      Interval inside = Interval.below(access.tensor().shape().get(i).value());
      if (Affine.of(access.indices().get(i)).map(index -> range(index, known)).filter(inside::contains).isEmpty()) {
        return false;
      }
    }
    return true;
  }

  private static Interval range(Affine index, Map<Rank, Interval> known) {
    Interval sum = Interval.of(index.constant());
    for (Map.Entry<Rank, Long> term : index.coefficients().entrySet()) {
      sum = sum.plus(known.getOrDefault(term.getKey(), Interval.below(term.getKey().size().value())).times(term.getValue()));
    }
    return sum;
  }
}
