package dev.einfall.runtime.quantize;

import dev.einfall.ir.BinaryOp;
import dev.einfall.ir.ElementType;
import dev.einfall.ir.UnaryOp;
import dev.einfall.ir.cascade.Cascade;
import dev.einfall.ir.cascade.Definition;
import dev.einfall.ir.cascade.Einsum;
import dev.einfall.ir.cascade.Expr;
import dev.einfall.ir.cascade.Rank;
import dev.einfall.ir.cascade.Recurrence;
import dev.einfall.ir.cascade.Reduction;
import dev.einfall.ir.cascade.Tensor;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/// Finds the weights by which the columns of a tensor can be multiplied with numbers, so that the program need not do it: those of a norm, or of a product before.
///
/// ```
/// N[m, k] = C[m, k] * gamma[k] + beta[k]
/// N_scaled[m, k] = N[m, k] * factor[k]         =>    N[m, k] = C[m, k] * (gamma[k] * factor[k]) + beta[k] * factor[k]
/// Y[m, n] = sum[k](N_scaled[m, k] * W[n, k])         Y[m, n] = sum[k](N[m, k] * W[n, k])
/// ```
///
/// The factors go through whatever is the same function of what it reads after both are multiplied with positive numbers: into both operands of a sum, a maximum and
/// a choice, into one of a product, through sums over other ranks and through indices that read each element with one factor, as those of views do. All that reads a
/// tensor on the way has to be on the way itself, and no output may be.
final class ScaleFolding {
  private final Cascade cascade;
  private final Map<Tensor, Integer> accesses = new LinkedHashMap<>();
  private final Map<Tensor, Integer> defined = new LinkedHashMap<>();
  private final Set<Tensor> outputs = new LinkedHashSet<>();
  private final Set<Tensor> weights;

  /// What is to be multiplied with what, and how many accesses to it are on the way.
  private record Way(Map<Tensor, ColumnFactors> factors, Map<Tensor, Integer> reads) {

    static Way none() {
      return new Way(Map.of(), Map.of());
    }

    /// With `count` more accesses to `tensor`, if these agree with those before.
    Optional<Way> with(Tensor tensor, ColumnFactors more, int count) {
      Optional<ColumnFactors> all = factors.containsKey(tensor) ? factors.get(tensor).and(more) : Optional.of(more);
      return all.map(merged -> {
        Map<Tensor, ColumnFactors> newFactors = new LinkedHashMap<>(factors);
        Map<Tensor, Integer> newReads = new LinkedHashMap<>(reads);
        newFactors.put(tensor, merged);
        newReads.merge(tensor, count, Integer::sum);
        return new Way(newFactors, newReads);
      });
    }

    Way without(Tensor tensor) {
      Map<Tensor, ColumnFactors> rest = new LinkedHashMap<>(factors);
      rest.remove(tensor);
      return new Way(rest, reads);
    }
  }

  /// @param ranks those of the value by whose coordinates it is multiplied
  private record Scaling(List<Rank> ranks, double[] values) {}

  ScaleFolding(Cascade cascade) {
    this.cascade = cascade;
    weights = cascade.weights().stream().map(Cascade.Weight::tensor).collect(Collectors.toSet());
    cascade.outputs().forEach(output -> outputs.add(output.tensor()));
    for (int i = 0; i < cascade.definitions().size(); i++) {
      Definition definition = cascade.definitions().get(i);
      int place = i;
      definition.tensors().forEach(tensor -> defined.put(tensor, place));
      definition.exprs().flatMap(Expr::nodes).forEach(node -> {
        if (node instanceof Expr.Access access) {
          accesses.merge(access.tensor(), 1, Integer::sum);
        }
      });
      if (definition instanceof Recurrence recurrence) {
        recurrence.states().forEach(state -> state.base().ifPresent(base -> accesses.merge(base, 1, Integer::sum)));
      }
    }
  }

  /// By what weights have to be multiplied for the last rank of an activation to be multiplied with `factors`.
  ///
  /// @param products how many there are that read it and are to have it so
  Optional<Map<Tensor, ColumnFactors>> of(Activation activation, int products, double[] factors) {
    if (Arrays.stream(factors).anyMatch(factor -> !(factor > 0 && Double.isFinite(factor)))) {
      return Optional.empty();
    }
    Stream<Way> starts = activation.definition()
        .map(einsum -> through(einsum.value(), new Scaling(List.of(einsum.ranks().getLast()), factors), Way.none()))
        .orElseGet(() -> {
          ColumnFactors columns = new ColumnFactors(List.of(activation.tensor().shape().size() - 1), factors);
          return Way.none().with(activation.tensor(), columns, products).stream();
        });
    return found(starts);
  }

  /// The first of the ways that ends in weights.
  private Optional<Map<Tensor, ColumnFactors>> found(Stream<Way> ways) {
    return ways.map(this::ended).flatMap(Optional::stream).findFirst();
  }

  /// What is multiplied last is looked at first: then all that reads it has been.
  private Optional<Map<Tensor, ColumnFactors>> ended(Way way) {
    Optional<Tensor> last = way.factors.keySet().stream().filter(tensor -> !weights.contains(tensor))
        .max((left, right) -> Integer.compare(defined.getOrDefault(left, -1), defined.getOrDefault(right, -1)));
    if (last.isEmpty()) {
      return way.factors.keySet().stream().allMatch(tensor -> isOwn(tensor, way)) ? Optional.of(way.factors) : Optional.empty();
    }
    Tensor tensor = last.get();
    boolean isOpen = defined.containsKey(tensor) && isOwn(tensor, way);
    return isOpen && cascade.definitions().get(defined.get(tensor)) instanceof Einsum einsum
        ? found(through(einsum.value(), scaling(einsum, way.factors.get(tensor)), way.without(tensor))) : Optional.empty();
  }

  /// Whether nothing but what is on the way sees the elements.
  private boolean isOwn(Tensor tensor, Way way) {
    return tensor.type() == ElementType.F32 && !outputs.contains(tensor) && way.reads.get(tensor).equals(accesses.get(tensor));
  }

  private static Scaling scaling(Einsum einsum, ColumnFactors factors) {
    return new Scaling(factors.dimensions().stream().map(einsum.ranks()::get).toList(), factors.values());
  }

  /// The ways to multiply `value`.
  private Stream<Way> through(Expr value, Scaling scaling, Way way) {
    return switch (value) {
      case Expr.FloatLiteral literal -> literal.value() == 0 || Double.isInfinite(literal.value()) ? Stream.of(way) : Stream.empty();
      case Expr.Access access -> access.tensor().type() == ElementType.F32
          ? ColumnFactors.of(access, scaling.ranks, scaling.values).flatMap(factors -> way.with(access.tensor(), factors, 1)).stream() : Stream.empty();
      case Expr.Unary(UnaryOp op, Expr operand) -> op == UnaryOp.NEG || op == UnaryOp.ABS ? through(operand, scaling, way) : Stream.empty();
      case Expr.Binary(BinaryOp op, Expr left, Expr right) -> through(op, left, right, scaling, way);
      case Expr.Select(_, Expr whenTrue, Expr whenFalse) -> both(whenTrue, whenFalse, scaling, way);
      case Expr.Reduce(Reduction reduction, _, Expr body) -> switch (reduction) {
        case SUM, MAX, MIN -> through(body, scaling, way);
        case PROD, ANY, ALL, ARGMAX, ARGMIN -> Stream.empty();
      };
      case Expr.IntLiteral _, Expr.Coordinate _, Expr.Extent _, Expr.Cast _, Expr.Bitcast _, Expr.Fold _, Expr.Ref _ -> Stream.empty();
    };
  }

  private Stream<Way> through(BinaryOp op, Expr left, Expr right, Scaling scaling, Way way) {
    return switch (op) {
      case ADD, SUB, MIN, MAX -> both(left, right, scaling, way);
      case MUL -> nearest(left, right).stream().flatMap(factor -> through(factor, scaling, way));
      case DIV -> through(left, scaling, way);
      case MOD, POW, EQ, NE, LT, LE, GT, GE, AND, OR, XOR, SHL, SHR -> Stream.empty();
    };
  }

  private Stream<Way> both(Expr left, Expr right, Scaling scaling, Way way) {
    return through(left, scaling, way).flatMap(after -> through(right, scaling, after));
  }

  /// Weights first, where the way ends.
  private List<Expr> nearest(Expr left, Expr right) {
    List<Expr> factors = new ArrayList<>(List.of(left, right));
    return right instanceof Expr.Access access && weights.contains(access.tensor()) ? factors.reversed() : factors;
  }
}
