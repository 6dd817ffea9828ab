package dev.einfall.passes.reduce;

import dev.einfall.ir.cascade.Cascade;
import dev.einfall.ir.cascade.Definition;
import dev.einfall.ir.cascade.Einsum;
import dev.einfall.ir.cascade.Expr;
import dev.einfall.ir.cascade.Tensor;
import dev.einfall.passes.algebra.Canonical;
import dev.einfall.passes.algebra.SignAnalysis;
import dev.einfall.passes.cascade.Exprs;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/// What the tensors of a cascade are made of, and who reads them.
final class Ancestry {
  private final Map<Tensor, Definition> definitions = new IdentityHashMap<>();
  /// The numbers of tensors, in the order in which they are met.
  private final Map<Tensor, Integer> numbers = new IdentityHashMap<>();
  private final List<Tensor> numbered = new ArrayList<>();
  /// What a tensor is computed from, by numbers: most tensors of a network come from most of those before.
  private final Map<Tensor, BitSet> ancestors = new IdentityHashMap<>();
  private final Map<Tensor, List<Definition>> readers = new IdentityHashMap<>();
  private final Set<Tensor> outputs = Exprs.identitySet();
  private final Cascade cascade;
  private final Canonical canonical;

  Ancestry(Cascade cascade) {
    this.cascade = cascade;
    for (Definition definition : cascade.definitions()) {
      BitSet from = new BitSet();
      definition.reads().forEach(tensor -> {
        from.set(number(tensor));
        from.or(ancestors.getOrDefault(tensor, new BitSet()));
        readers.computeIfAbsent(tensor, _ -> new ArrayList<>()).add(definition);
      });
      definition.tensors().forEach(tensor -> {
        definitions.put(tensor, definition);
        ancestors.put(tensor, from);
      });
    }
    cascade.outputs().forEach(output -> outputs.add(output.tensor()));
    canonical = new Canonical(SignAnalysis.remembering(this::isNonNegative));
  }

  private int number(Tensor tensor) {
    return numbers.computeIfAbsent(tensor, _ -> {
      numbered.add(tensor);
      return numbers.size();
    });
  }

  Cascade cascade() {
    return cascade;
  }

  /// Canonical forms that know the signs of the tensors of the cascade.
  Canonical canonical() {
    return canonical;
  }

  /// The Einsum that defines `tensor`, if one does.
  Optional<Einsum> einsum(Tensor tensor) {
    return definitions.get(tensor) instanceof Einsum einsum ? Optional.of(einsum) : Optional.empty();
  }

  /// The Einsum that defines `tensor` by the values of one point, without a reduction.
  Optional<Einsum> elementwise(Tensor tensor) {
    return einsum(tensor).filter(einsum -> !Exprs.hasReduction(einsum.value()));
  }

  /// The definitions that read `tensor`, in order.
  List<Definition> readers(Tensor tensor) {
    return readers.getOrDefault(tensor, List.of());
  }

  boolean isOutput(Tensor tensor) {
    return outputs.contains(tensor);
  }

  /// Whether `tensor` is computed from `other`, or is it.
  boolean dependsOn(Tensor tensor, Tensor other) {
    return tensor == other || ancestors.containsKey(tensor) && numbers.containsKey(other) && ancestors.get(tensor).get(numbers.get(other));
  }

  /// `tensor` and all that it is computed from.
  Set<Tensor> lineage(Tensor tensor) {
    Set<Tensor> lineage = Exprs.identitySet();
    lineage.add(tensor);
    ancestors.getOrDefault(tensor, new BitSet()).stream().mapToObj(numbered::get).forEach(lineage::add);
    return lineage;
  }

  /// Whether every element of what a leaf accesses is 0 or more, by its definition.
  private boolean isNonNegative(Expr leaf) {
    return leaf instanceof Expr.Access(Tensor tensor, var _, Optional<Expr> outside) && outside.isEmpty()
        && einsum(tensor).filter(einsum -> isNonNegativeValue(einsum.value())).isPresent();
  }

  private boolean isNonNegativeValue(Expr value) {
    try {
      return switch (value) {
        case Expr.Reduce reduce -> switch (reduce.reduction()) {
          case SUM, PROD, MIN -> isNonNegativeValue(reduce.body());
          case MAX -> isNonNegativeValue(reduce.body()) && reduce.ranks().stream().allMatch(rank -> !rank.size().equals(dev.einfall.ir.Size.of(0)));
          case ARGMAX, ARGMIN -> true;
          case ANY, ALL -> false;
        };
        case Expr.Fold _ -> false;
        case Expr _ -> !value.type().isBool() && canonical.signs().isNonNegative(canonical.of(value));
      };
    } catch (ArithmeticException _) {
      return false;
    }
  }
}
