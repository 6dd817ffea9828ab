package dev.einfall.passes.cascade;

import dev.einfall.ir.Diagnostic;
import dev.einfall.ir.cascade.Cascade;
import dev.einfall.ir.cascade.Definition;
import dev.einfall.ir.cascade.Einsum;
import dev.einfall.ir.cascade.Expr;
import dev.einfall.ir.cascade.Rank;
import dev.einfall.ir.cascade.Recurrence;
import dev.einfall.ir.cascade.Tensor;
import dev.einfall.ir.cascade.Var;
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
    List<Definition> kept = new ArrayList<>();
    for (Definition definition : cascade.definitions()) {
      Definition redirected = redirect(definition, same);
      if (!(redirected instanceof Einsum renamed)) {
        kept.add(redirected);
        continue;
      }
      Tensor earlier = first.putIfAbsent(CanonicalEinsum.of(renamed), renamed.tensor());
      if (earlier == null || outputs.contains(renamed.tensor())) {
        kept.add(renamed);
      } else {
        same.put(renamed.tensor(), earlier);
      }
    }
    return cascade.withDefinitions(kept);
  }

  private static Definition redirect(Definition definition, Map<Tensor, Tensor> same) {
    Definition redirected = definition.mapExprs(expr -> Exprs.rewrite(expr, node -> redirect(node, same)));
    return switch (redirected) {
      case Einsum einsum -> einsum;
      case Recurrence recurrence when recurrence.states().stream().flatMap(state -> state.base().stream()).anyMatch(same::containsKey) ->
          new Recurrence(recurrence.steps(), recurrence.states().stream()
              .map(state -> state.mapTensors(tensor -> same.getOrDefault(tensor, tensor))).toList(),
              recurrence.updates(), recurrence.condition(), recurrence.span());
      case Recurrence recurrence -> recurrence;
    };
  }

  private static Expr redirect(Expr node, Map<Tensor, Tensor> same) {
    return node instanceof Expr.Access access && same.containsKey(access.tensor())
        ? new Expr.Access(same.get(access.tensor()), access.indices(), access.outside()) : node;
  }

  /// `cascade` without the definitions that no output needs.
  public static Cascade withoutDead(Cascade cascade) {
    Set<Tensor> live = Exprs.identitySet();
    cascade.outputs().forEach(output -> live.add(output.tensor()));
    List<Definition> kept = new ArrayList<>();
    for (Definition definition : cascade.definitions().reversed()) {
      if (definition.tensors().stream().anyMatch(live::contains)) {
        kept.addFirst(definition);
        definition.reads().forEach(live::add);
      }
    }
    return cascade.withDefinitions(kept);
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
      expr.bound().forEach(rank -> numbers.put(rank, numbers.size()));
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
        case Expr.Fold fold ->
            List.of(fold.combiner(), fold.ranks().stream().map(Rank::size).toList(), fold.component());
        case Expr.Ref(Var var) -> List.of(var);
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
