package dev.einfall.frontend;

import dev.einfall.frontend.Syntax.Subscript;
import dev.einfall.ir.BinaryOp;
import dev.einfall.ir.ElementType;
import dev.einfall.ir.Span;
import dev.einfall.ir.cascade.Expr;
import dev.einfall.ir.cascade.Rank;
import dev.einfall.ir.cascade.Reduction;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;

/// Reads reductions, such as `sum[k in 1..N where X[k] > 0](X[k])`. Where elements do not take part, the identity does.
final class Reductions {
  private final Diagnostics diagnostics;
  private final Ranges ranges;
  private final Scalars scalars;
  private final Arithmetic arithmetic;

  Reductions(Elaboration elaboration, Frame frame, Scalars scalars) {
    this.diagnostics = elaboration.diagnostics();
    this.ranges = new Ranges(elaboration, frame);
    this.scalars = scalars;
    this.arithmetic = scalars.arithmetic();
  }

  /// A reduction that is wrong is read on with its indices unknown.
  Value value(Syntax.Expr.Reduction reduction, Scope scope) {
    Optional<Bound> bound = diagnostics.attempt(() -> bound(reduction, scope));
    if (bound.isEmpty()) {
      Scope unknown = scope.unknown(Ranges.names(reduction.indices())).guard();
      reduction.filter().ifPresent(condition -> scalars.value(condition, unknown));
      reduction.bodies().forEach(body -> scalars.value(body, unknown));
      throw diagnostics.reject();
    }
    return value(reduction, bound.get(), scope);
  }

  private Bound bound(Syntax.Expr.Reduction reduction, Scope scope) {
    Reduction operation = Reduction.named(reduction.name().text()).orElseThrow(() -> unknown(reduction.name()));
    if (reduction.indices().isEmpty()) {
      throw diagnostics.reject(reduction.span(), "`" + operation.text() + "` needs an index to reduce, as in `"
          + operation.text() + "[k](...)`");
    }
    if (reduction.bodies().size() != 1) {
      throw diagnostics.reject(reduction.span(), "`" + operation.text() + "` combines one value at each point, not "
          + reduction.bodies().size());
    }
    Bound bound = ranges.bind(reduction, scope);
    if (operation.isPosition() && bound.order().size() != 1) {
      throw diagnostics.reject(reduction.span(), "`" + operation.text() + "` finds a position along one index, not "
          + bound.order().size());
    }
    return bound;
  }

  private Value value(Syntax.Expr.Reduction reduction, Bound bound, Scope scope) {
    Reduction operation = Reduction.named(reduction.name().text()).orElseThrow();
    Scope inner = scope.inner(bound.named(), bound.rest());
    Optional<Optional<Expr>> filter = diagnostics.attempt(() -> filter(reduction, bound, scope, inner));
    boolean isFiltered = filter.isEmpty() || filter.get().isPresent();
    Value body = scalars.value(reduction.bodies().getFirst(), isFiltered ? inner.guard() : inner);
    if (!(body instanceof Value.Unknown)) {
      ranges.requireKnown(bound);
    }
    if (bound.order().isEmpty()) {
      return body;
    }
    Value result = arithmetic.reduce(operation, bound.order(), filter.orElseThrow(diagnostics::reject), body, reduction.span());
    return operation.isPosition() ? position(result, bound, reduction.span()) : result;
  }

  /// The position in the index's own range, of which the rank counts from 0.
  private Value position(Value place, Bound bound, Span span) {
    return bound.named().values().stream().findFirst()
        .filter(index -> index instanceof Expr.Binary)
        .map(index -> ((Expr.Binary) index).right())
        .map(from -> arithmetic.infix(BinaryOp.ADD, place, new Value.Whole(from, false, span), span))
        .orElse(place);
  }

  /// The condition under which an element takes part: what stands after `where`, and the bounds that depend on data.
  private Optional<Expr> filter(Syntax.Expr.Reduction reduction, Bound bound, Scope outer, Scope inner) {
    List<Expr> conditions = new ArrayList<>();
    for (Subscript.Ranged ranged : bound.byData()) {
      Value index = new Value.Whole(bound.named().get(ranged.name().text()), false, ranged.name().span());
      if (!(ranged.from() instanceof Syntax.Expr.Whole from && from.value() == 0)) {
        conditions.add(compare(BinaryOp.GE, index, scalars.value(ranged.from(), outer)));
      }
      conditions.add(compare(BinaryOp.LT, index, scalars.value(ranged.to(), outer)));
    }
    reduction.filter().ifPresent(condition ->
        conditions.add(arithmetic.as(scalars.value(condition, inner), ElementType.BOOL)));
    return conditions.stream().reduce((left, right) -> new Expr.Binary(BinaryOp.AND, left, right));
  }

  private Expr compare(BinaryOp op, Value index, Value limit) {
    Value whole = limit instanceof Value.Typed ? new Value.Typed(arithmetic.index(limit), limit.span()) : limit;
    return arithmetic.alone(arithmetic.infix(op, index, whole, limit.span()));
  }

  private Diagnostics.Rejection unknown(Syntax.Name name) {
    List<String> known = Stream.of(Reduction.values()).map(Reduction::text).toList();
    String suggestion = Spelling.suggestion(name.text(), known);
    return diagnostics.reject(name.span(), "no reduction is called `" + name.text() + "`"
        + (suggestion.isEmpty() ? "; the reductions are " + String.join(", ", known) : suggestion));
  }
}
