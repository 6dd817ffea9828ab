package dev.einfall.passes.cascade;

import dev.einfall.ir.Diagnostic;
import dev.einfall.ir.cascade.Cascade;
import dev.einfall.ir.cascade.Definition;
import dev.einfall.ir.cascade.Einsum;
import dev.einfall.ir.cascade.Expr;
import dev.einfall.ir.cascade.Recurrence;
import dev.einfall.ir.cascade.Tensor;
import dev.einfall.passes.Numerics;
import dev.einfall.passes.Pass;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.IdentityHashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Consumer;
import java.util.stream.IntStream;

/// Keeps one of several Einsums that compute the same, and drops those that no output needs.
///
/// ```
/// A[m] = max[k](X[m, k])           A[m] = max[k](X[m, k])
/// B[n] = max[j](X[n, j])     =>    Y[m, k] = exp(X[m, k] - A[m])
/// Y[m, k] = exp(X[m, k] - A[m])    Z[m] = A[m]
/// Z[m] = B[m]
/// ```
///
/// Einsums are compared modulo the names of their ranks and the order of operands ([EinsumMatch]), and weights by their names in the
/// weights file. One that is the transpose of another is read from that where computing it again is more than copying. An output
/// takes the place of an equal Einsum that is none, or is a copy of it.
///
/// @param numerics whether sums and products of several floats are the same in another order
public record EliminateCommonEinsums(Numerics numerics) implements Pass.OnCascade {
  /// A sum or a function of so many operations costs more than reading a tensor in another order.
  private static final long EXPENSIVE = 8;

  public EliminateCommonEinsums() {
    this(Numerics.REASSOCIATE);
  }

  @Override
  public String name() {
    return "eliminate-common-einsums";
  }

  @Override
  public Numerics needs() {
    return numerics;
  }

  @Override
  public boolean needsSizes() {
    return false;
  }

  @Override
  public Cascade apply(Cascade cascade, Consumer<Diagnostic> remarks) {
    return withoutDead(new Elimination(withoutCommonWeights(cascade), numerics).withoutCommon());
  }

  /// `cascade` with one tensor for all weights of one name.
  private static Cascade withoutCommonWeights(Cascade cascade) {
    Map<List<Object>, Tensor> first = new LinkedHashMap<>();
    Map<Tensor, Same> same = new IdentityHashMap<>();
    List<Cascade.Weight> kept = new ArrayList<>();
    for (Cascade.Weight weight : cascade.weights()) {
      Tensor tensor = weight.tensor();
      Tensor earlier = first.putIfAbsent(List.of(weight.key(), tensor.type(), tensor.shape()), tensor);
      if (earlier == null) {
        kept.add(weight);
      } else {
        same.put(tensor, Same.as(earlier));
      }
    }
    return same.isEmpty() ? cascade : new Cascade(cascade.name(), cascade.inputs(), kept,
        cascade.definitions().stream().map(definition -> redirect(definition, same)).toList(), cascade.outputs(), cascade.mapping());
  }

  /// The tensor that another is, and the place of each of its ranks in the other.
  private record Same(Tensor tensor, List<Integer> places) {
    static Same as(Tensor tensor) {
      return new Same(tensor, IntStream.range(0, tensor.shape().size()).boxed().toList());
    }

    boolean isTransposed() {
      return !equals(as(tensor));
    }

    Expr.Access access(List<Expr> indices, Optional<Expr> outside) {
      return new Expr.Access(tensor, places.stream().map(indices::get).toList(), outside);
    }
  }

  /// One pass over the definitions of a cascade.
  private static final class Elimination {
    private final Cascade cascade;
    private final Numerics numerics;
    private final Set<Tensor> outputs = Exprs.identitySet();
    private final Map<Object, List<Einsum>> seen = new HashMap<>();
    private final Map<Tensor, Same> same = new IdentityHashMap<>();
    private final List<Definition> kept = new ArrayList<>();

    Elimination(Cascade cascade, Numerics numerics) {
      this.cascade = cascade;
      this.numerics = numerics;
      cascade.outputs().forEach(output -> outputs.add(output.tensor()));
    }

    Cascade withoutCommon() {
      for (Definition definition : cascade.definitions()) {
        Definition redirected = redirect(definition, same);
        if (redirected instanceof Einsum einsum) {
          add(einsum);
        } else {
          kept.add(redirected);
        }
      }
      // An output that takes the place of an Einsum before it is read by those between.
      return cascade.withDefinitions(kept.stream().map(definition -> redirect(definition, same)).toList());
    }

    private void add(Einsum einsum) {
      List<Einsum> alike = seen.computeIfAbsent(EinsumMatch.signature(einsum), _ -> new ArrayList<>());
      for (Einsum earlier : alike) {
        Optional<Same> found = EinsumMatch.of(earlier, einsum, numerics, mayTranspose(einsum)).map(places -> new Same(earlier.tensor(), places));
        if (found.isPresent() && replaced(einsum, earlier, found.get(), alike)) {
          return;
        }
      }
      alike.add(einsum);
      kept.add(einsum);
    }

    private boolean mayTranspose(Einsum einsum) {
      return isExpensive(einsum) && !cascade.mapping().speaksOf(einsum.tensor()) && !Exprs.isReadInOrder(einsum.tensor(), cascade);
    }

    private static boolean isExpensive(Einsum einsum) {
      return Exprs.hasReduction(einsum.value()) || Exprs.operations(einsum.value()) >= EXPENSIVE;
    }

    private boolean replaced(Einsum einsum, Einsum earlier, Same found, List<Einsum> alike) {
      if (!outputs.contains(einsum.tensor())) {
        same.put(einsum.tensor(), found);
        return true;
      }
      boolean free = !outputs.contains(earlier.tensor()) && !found.isTransposed() && !cascade.mapping().speaksOf(earlier.tensor())
          && !cascade.mapping().speaksOf(einsum.tensor());
      if (free) {
        Einsum output = new Einsum(einsum.tensor(), earlier.ranks(), earlier.value(), einsum.span());
        kept.replaceAll(definition -> definition == earlier ? output : definition);
        alike.replaceAll(other -> other == earlier ? output : other);
        same.replaceAll((_, target) -> target.tensor == earlier.tensor() ? new Same(einsum.tensor(), target.places) : target);
        same.put(earlier.tensor(), Same.as(einsum.tensor()));
        return true;
      }
      if (!isExpensive(einsum) || cascade.mapping().speaksOf(einsum.tensor())) {
        return false;
      }
      kept.add(einsum.withValue(found.access(Exprs.coordinates(einsum.ranks()), Optional.empty())));
      return true;
    }
  }

  private static Definition redirect(Definition definition, Map<Tensor, Same> same) {
    Definition redirected = definition.mapExprs(expr -> Exprs.rewrite(expr, node -> redirect(node, same)));
    return switch (redirected) {
      case Einsum einsum -> einsum;
      case Recurrence recurrence when recurrence.states().stream().flatMap(state -> state.base().stream()).anyMatch(same::containsKey) ->
          new Recurrence(recurrence.steps(), recurrence.states().stream()
              .map(state -> state.mapTensors(tensor -> same.containsKey(tensor) ? same.get(tensor).tensor : tensor)).toList(),
              recurrence.updates(), recurrence.condition(), recurrence.span());
      case Recurrence recurrence -> recurrence;
    };
  }

  private static Expr redirect(Expr node, Map<Tensor, Same> same) {
    return node instanceof Expr.Access access && same.containsKey(access.tensor())
        ? same.get(access.tensor()).access(access.indices(), access.outside()) : node;
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
}
