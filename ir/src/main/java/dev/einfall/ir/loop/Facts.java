package dev.einfall.ir.loop;

import java.util.ArrayList;
import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/// What [Ranges] has learned at one place of a kernel.
///
/// @param constants the buffers that the kernel only reads
/// @param atoms the values that atoms can have
/// @param definitions what variables were bound to by a [Stmt.Let]
/// @param facts what is known about sums of several atoms
/// @param impossible whether the place can never be reached
record Facts(
    Set<Buffer> constants, Map<Expr, Interval> atoms, Map<Var, Expr> definitions, List<Fact> facts, boolean impossible) {
  /// With so many facts, a new one about a minimum or maximum is not followed to those about its operands: one condition implies
  /// as many as it has ways through its operands, and each makes every question longer.
  static final int ENOUGH = 8;

  static final Facts NONE = new Facts(Set.of(), Map.of(), Map.of(), List.of(), false);

  /// `low <= sum <= high` for a sum of two or more atoms, without its constant.
  record Fact(Linear sum, Interval range) {
    /// That `sum`, which may have a constant, is in `range`.
    static Fact of(Linear sum, Interval range) {
      return new Fact(sum.withoutConstant(), range.plus(-sum.constant()));
    }
  }

  /// Knows which buffers `kernel` only reads.
  static Facts of(Kernel kernel) {
    Set<Buffer> constants = Collections.newSetFromMap(new IdentityHashMap<>());
    constants.addAll(kernel.parameters());
    kernel.body().nodes().forEach(statement -> {
      if (statement instanceof Stmt.Store store) {
        constants.remove(store.buffer());
      }
    });
    return new Facts(constants, Map.of(), Map.of(), List.of(), false);
  }

  Facts contradiction() {
    return new Facts(constants, atoms, definitions, facts, true);
  }

  /// Whether `fact`, or more about the same sum, is known.
  boolean says(Fact fact) {
    return facts.stream().anyMatch(other -> fact.range().contains(other.range()) && other.sum().equals(fact.sum()));
  }

  Facts with(Fact fact) {
    List<Fact> more = new ArrayList<>(facts);
    more.add(fact);
    return new Facts(constants, atoms, definitions, more, impossible);
  }

  Facts with(Expr atom, Interval range) {
    Map<Expr, Interval> changed = new LinkedHashMap<>(atoms);
    changed.put(atom, range);
    return new Facts(constants, changed, definitions, facts, impossible);
  }

  Facts define(Var var, Expr value) {
    Map<Var, Expr> changed = new IdentityHashMap<>(definitions);
    changed.put(var, value);
    return new Facts(constants, atoms, changed, facts, impossible);
  }

  /// Without the facts about sums with `atom`.
  Facts without(Expr atom) {
    List<Fact> others = facts.stream().filter(fact -> !fact.sum().terms().containsKey(atom)).toList();
    return others.size() == facts.size() ? this : new Facts(constants, atoms, definitions, others, impossible);
  }

  /// Whether every evaluation of `expr` within its variables' scopes gives the same value: what it loads is never stored to.
  boolean isStable(Expr expr) {
    return expr.nodes().allMatch(node -> !(node instanceof Expr.Load load) || constants.contains(load.buffer()));
  }
}
