package dev.einfall.passes.cascade;

import dev.einfall.ir.Diagnostic;
import dev.einfall.ir.cascade.Cascade;
import dev.einfall.ir.cascade.Einsum;
import dev.einfall.ir.cascade.Expr;
import dev.einfall.ir.cascade.Rank;
import dev.einfall.ir.cascade.Tensor;
import dev.einfall.passes.Pass;
import java.util.ArrayList;
import java.util.IdentityHashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Consumer;

/// Keeps one of several Einsums that compute the same, and drops those that no output needs.
///
/// ```
/// A[m] = max[k](X[m, k])           A[m] = max[k](X[m, k])
/// B[n] = max[j](X[n, j])     =>    Y[m, k] = exp(X[m, k] - A[m])
/// Y[m, k] = exp(X[m, k] - A[m])    Z[m] = A[m]
/// Z[m] = B[m]
/// ```
///
/// Einsums are compared modulo the names of their ranks and the order of commutative operands.
public record EliminateCommonEinsums() implements Pass.OnCascade {

  @Override
  public String name() {
    return "eliminate-common-einsums";
  }

  @Override
  public boolean needsSizes() {
    return false;
  }

  @Override
  public Cascade apply(Cascade cascade, Consumer<Diagnostic> remarks) {
    return withoutDead(withoutCommon(cascade));
  }

  private static Cascade withoutCommon(Cascade cascade) {
    Map<CanonicalEinsum, Tensor> first = new LinkedHashMap<>();
    Map<Tensor, Tensor> same = new IdentityHashMap<>();
    Set<Tensor> outputs = Exprs.identitySet();
    cascade.outputs().forEach(output -> outputs.add(output.tensor()));
    List<Einsum> kept = new ArrayList<>();
    for (Einsum einsum : cascade.einsums()) {
      Einsum renamed = einsum.withValue(Exprs.rewrite(einsum.value(), node -> redirect(node, same)));
      Tensor earlier = first.putIfAbsent(CanonicalEinsum.of(renamed), renamed.tensor());
      if (earlier == null || outputs.contains(renamed.tensor())) {
        kept.add(renamed);
      } else {
        same.put(renamed.tensor(), earlier);
      }
    }
    return cascade.withEinsums(kept);
  }

  private static Expr redirect(Expr node, Map<Tensor, Tensor> same) {
    return node instanceof Expr.Access access && same.containsKey(access.tensor())
        ? new Expr.Access(same.get(access.tensor()), access.indices(), access.outside()) : node;
  }

  /// `cascade` without the Einsums that no output needs.
  static Cascade withoutDead(Cascade cascade) {
    Set<Tensor> live = Exprs.identitySet();
    cascade.outputs().forEach(output -> live.add(output.tensor()));
    List<Einsum> kept = new ArrayList<>();
    for (Einsum einsum : cascade.einsums().reversed()) {
      if (live.contains(einsum.tensor())) {
        kept.addFirst(einsum);
        Exprs.accesses(einsum.value()).forEach(access -> live.add(access.tensor()));
      }
    }
    return cascade.withEinsums(kept);
  }

  /// What an Einsum computes, equal for two that compute the same: ranks are numbered in the order of their binding,
  /// commutative operands are sorted.
  private record CanonicalEinsum(List<Object> shape, Object value) {

    static CanonicalEinsum of(Einsum einsum) {
      Map<Rank, Integer> numbers = new IdentityHashMap<>();
      einsum.ranks().forEach(rank -> numbers.put(rank, numbers.size()));
      List<Object> shape = List.of(einsum.tensor().type(), einsum.tensor().shape());
      return new CanonicalEinsum(shape, key(einsum.value(), numbers));
    }

    private static Object key(Expr expr, Map<Rank, Integer> numbers) {
      if (expr instanceof Expr.Reduce reduce) {
        reduce.ranks().forEach(rank -> numbers.put(rank, numbers.size()));
      }
      List<Object> operands = new ArrayList<>(expr.children().map(child -> key(child, numbers)).toList());
      if (expr instanceof Expr.Binary binary && binary.op().isCommutative()) {
        operands.sort(java.util.Comparator.comparing(Object::toString));
      }
      return new Node(head(expr, numbers), operands);
    }

    /// What distinguishes the node itself from others with the same operands.
    private static List<Object> head(Expr expr, Map<Rank, Integer> numbers) {
      return switch (expr) {
        case Expr.FloatLiteral _, Expr.IntLiteral _, Expr.Extent _ -> List.of(expr);
        case Expr.Coordinate(Rank rank) -> List.of("coordinate", numbers.get(rank));
        case Expr.Access access -> List.of("access", new Identity(access.tensor()), access.outside().isPresent());
        case Expr.Unary unary -> List.of(unary.op());
        case Expr.Binary binary -> List.of(binary.op());
        case Expr.Select _ -> List.of("where");
        case Expr.Cast cast -> List.of("cast", cast.type());
        case Expr.Reduce reduce ->
            List.of(reduce.reduction(), reduce.ranks().stream().map(Rank::size).toList());
      };
    }
  }

  private record Node(List<Object> head, List<Object> operands) {}

  /// Equal only for the same tensor.
  private record Identity(Tensor tensor) {
    @Override
    public boolean equals(Object other) {
      return other instanceof Identity(Tensor that) && that == tensor;
    }

    @Override
    public int hashCode() {
      return tensor.name().hashCode();
    }

    @Override
    public String toString() {
      return tensor.name();
    }
  }
}
