package dev.einfall.frontend;

import dev.einfall.ir.BinaryOp;
import dev.einfall.ir.cascade.Expr;
import dev.einfall.ir.cascade.Rank;
import dev.einfall.ir.cascade.Reduction;
import dev.einfall.ir.cascade.Tensor;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;

/// Reads `Y[m, n] = value` into an Einsum.
final class Definitions {
  private final Elaboration elaboration;
  private final Diagnostics diagnostics;
  private final Frame frame;
  private final Scalars scalars;
  private final Ranges ranges;

  Definitions(Elaboration elaboration, Frame frame) {
    this.elaboration = elaboration;
    this.diagnostics = elaboration.diagnostics();
    this.frame = frame;
    this.scalars = new Scalars(elaboration, frame);
    this.ranges = new Ranges(elaboration, frame);
  }

  Tensor define(Syntax.Statement.Definition definition) {
    Optional<Bound> known =
        diagnostics.attempt(() -> ranges.bind(withRanges(definition), definition.value()));
    if (known.isEmpty()) {
      right(definition.value(), Scope.EMPTY.unknown(Ranges.names(definition.indices())));
    }
    Bound bound = known.orElseThrow(diagnostics::reject);
    Scope scope = Scope.EMPTY.inner(bound.named(), bound.rest());
    Expr value = scalars.arithmetic().alone(right(definition.value(), scope));
    ranges.requireKnown(bound);
    return elaboration.define(definition.name(), bound.order(), value, definition.span());
  }

  /// The error for `where` behind a definition of all elements.
  static Diagnostics.Rejection misplaced(Syntax.Expr where, Diagnostics diagnostics) {
    return diagnostics.reject(where.span(), "`where` chooses elements to change, in an `update` block or behind `:=`; "
        + "to choose between values write `where(condition, a, b)`");
  }

  /// The indices, with the ranges that stand behind the statement.
  private List<Syntax.Subscript> withRanges(Syntax.Statement.Definition definition) {
    List<Syntax.Subscript> indices = new ArrayList<>(definition.indices());
    for (Syntax.Step range : definition.ranges()) {
      indices.replaceAll(index -> index instanceof Syntax.Subscript.Index && isNamed(index, range)
          ? new Syntax.Subscript.Ranged(range.name(), range.from(), range.to(), range.span()) : index);
      if (indices.stream().noneMatch(index -> isNamed(index, range))) {
        throw diagnostics.reject(range.name().span(), "`" + range.name().text() + "` is no index on the left side");
      }
    }
    return indices;
  }

  private static boolean isNamed(Syntax.Subscript index, Syntax.Step range) {
    return Ranges.name(index).filter(name -> name.text().equals(range.name().text())).isPresent();
  }

  /// The right side. In a product, the indices that stand only there are summed over.
  Value right(Syntax.Expr value, Scope scope) {
    Collection<Syntax.Name> free = FreeIndices.of(value, name -> isKnown(name, scope));
    if (free.isEmpty()) {
      return scalars.value(value, scope);
    }
    if (!(value instanceof Syntax.Expr.Infix product && product.op() == BinaryOp.MUL)) {
      free.forEach(name -> unbound(name, scope));
      scalars.value(value, scope.unknown(free.stream().map(Syntax.Name::text).collect(Collectors.toSet())));
      throw diagnostics.reject();
    }
    List<Rank> order = new ArrayList<>();
    Map<String, Expr> named = new LinkedHashMap<>();
    Set<String> unknown = new LinkedHashSet<>();
    for (Syntax.Name name : free) {
      diagnostics.attempt(() -> ranges.implicit(name, value)).ifPresentOrElse(rank -> {
        order.add(rank);
        named.put(name.text(), new Expr.Coordinate(rank));
      }, () -> unknown.add(name.text()));
    }
    if (!unknown.isEmpty()) {
      scalars.value(value, scope.inner(named, Optional.empty()).unknown(unknown));
      throw diagnostics.reject();
    }
    Value body = scalars.value(value, scope.inner(named, Optional.empty()));
    return scalars.arithmetic().reduce(Reduction.SUM, order, Optional.empty(), body, value.span());
  }

  /// Whether `name` stands for a value: an index, a size or a tensor without dimensions.
  boolean isKnown(String name, Scope scope) {
    return scope.find(name).isPresent() || scope.isUnknown(name) || frame.known(name).isPresent()
        || frame.tensor(name).filter(tensor -> tensor.isEmpty() || tensor.get().shape().isEmpty()).isPresent();
  }

  private Diagnostics.Rejection unbound(Syntax.Name name, Scope scope) {
    String suggestion = Spelling.suggestion(name.text(), scope.names());
    return diagnostics.reject(name.span(), "the index `" + name.text() + "` is bound nowhere"
        + (suggestion.isEmpty() ? ": it stands neither on the left nor in a reduction such as `sum[" + name.text()
            + "](...)`" : suggestion));
  }
}
