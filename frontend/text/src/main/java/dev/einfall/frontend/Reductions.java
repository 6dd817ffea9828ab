package dev.einfall.frontend;

import dev.einfall.frontend.Syntax.Subscript;
import dev.einfall.ir.BinaryOp;
import dev.einfall.ir.ElementType;
import dev.einfall.ir.Span;
import dev.einfall.ir.cascade.Combination;
import dev.einfall.ir.cascade.Combiner;
import dev.einfall.ir.cascade.Expr;
import dev.einfall.ir.cascade.Reduction;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.BiFunction;

/// Reads reductions, such as `sum[k in 1..N where X[k] > 0](X[k])`. Where elements do not take part, the identity does.
final class Reductions {
  private final Elaboration elaboration;
  private final Diagnostics diagnostics;
  private final Frame frame;
  private final Ranges ranges;
  private final Scalars scalars;
  private final Arithmetic arithmetic;

  Reductions(Elaboration elaboration, Frame frame, Scalars scalars) {
    this.elaboration = elaboration;
    this.diagnostics = elaboration.diagnostics();
    this.frame = frame;
    this.ranges = new Ranges(elaboration, frame);
    this.scalars = scalars;
    this.arithmetic = scalars.arithmetic();
  }

  /// A reduction that is wrong is read on with its indices unknown.
  Value value(Syntax.Expr.Reduction reduction, Scope scope) {
    Optional<Bound> bound = diagnostics.attempt(() -> {
      checkCounts(reduction, combination(reduction.name()));
      return ranges.bind(reduction, scope);
    });
    if (bound.isEmpty()) {
      Scope unknown = scope.unknown(Ranges.names(reduction.indices())).guard();
      reduction.filter().ifPresent(condition -> scalars.value(condition, unknown));
      reduction.bodies().forEach(body -> scalars.value(body, unknown));
      throw diagnostics.reject();
    }
    return value(reduction, bound.get(), scope);
  }

  private Value value(Syntax.Expr.Reduction reduction, Bound bound, Scope scope) {
    Scope inner = scope.inner(bound.named(), bound.rest());
    Optional<Optional<Expr>> filter = diagnostics.attempt(() -> filter(reduction, bound, scope, inner));
    boolean isFiltered = filter.isEmpty() || filter.get().isPresent();
    Scope around = isFiltered ? inner.guard() : inner;
    List<Value> bodies = reduction.bodies().stream().map(body -> scalars.value(body, around)).toList();
    if (bodies.stream().noneMatch(Value.Unknown.class::isInstance)) {
      ranges.requireKnown(bound);
    }
    Optional<Expr> condition = filter.orElseThrow(diagnostics::reject);
    return switch (combination(reduction.name())) {
      case Reduction operation when operation.isPosition() && condition.isPresent() -> {
        Value place = reduce(operation, bound, condition, bodies.getFirst(), reduction.span());
        yield amongThoseThatTakePart(operation, reduction, scope, place);
      }
      case Reduction operation -> reduce(operation, bound, condition, bodies.getFirst(), reduction.span());
      case Combiner combiner -> fold(combiner, reduction, bound, condition, bodies);
    };
  }

  private Value reduce(Reduction operation, Bound bound, Optional<Expr> filter, Value body, Span span) {
    if (operation.isPosition() && bound.order().size() != 1) {
      throw diagnostics.reject(span, "`" + operation.text() + "` finds a position along one index, not "
          + bound.order().size());
    }
    if (bound.order().isEmpty()) {
      return body;
    }
    Value result = arithmetic.reduce(operation, bound.order(), filter, body, span);
    return operation.isPosition() ? position(result, bound, span) : result;
  }

  /// `place`, where a value that takes part is beyond the identity that stands for all others; else the first that takes
  /// part, since none beats it.
  private Value amongThoseThatTakePart(Reduction operation, Syntax.Expr.Reduction reduction, Scope scope, Value place) {
    boolean isLargest = operation == Reduction.ARGMAX;
    Reduction extreme = isLargest ? Reduction.MAX : Reduction.MIN;
    Span span = reduction.span();
    Expr best = arithmetic.alone(again(reduction, scope, (bound, inner) -> reduce(extreme, bound,
        filter(reduction, bound, scope, inner), scalars.value(reduction.bodies().getFirst(), inner.guard()), span)));
    Value first = again(reduction, scope, (bound, inner) -> reduce(Reduction.ARGMAX, bound, Optional.empty(),
        takesPart(filter(reduction, bound, scope, inner).orElseThrow(), span), span));
    Expr beats = new Expr.Binary(isLargest ? BinaryOp.GT : BinaryOp.LT, best, extreme.identity(best.type()));
    return arithmetic.select(new Value.Typed(beats, span), place, first, span);
  }

  private static Value takesPart(Expr condition, Span span) {
    return new Value.Typed(new Expr.Cast(ElementType.I32, condition), span);
  }

  /// What `read` makes of a reduction whose indices are bound once more, to ranks of their own.
  private Value again(Syntax.Expr.Reduction reduction, Scope scope, BiFunction<Bound, Scope, Value> read) {
    Bound bound = ranges.bind(reduction, scope);
    return read.apply(bound, scope.inner(bound.named(), bound.rest()));
  }

  private Value fold(
      Combiner combiner, Syntax.Expr.Reduction reduction, Bound bound, Optional<Expr> filter, List<Value> bodies) {
    List<Expr> values = new ArrayList<>();
    for (Value body : bodies) {
      Expr identity = combiner.identity().get(values.size());
      Expr value = arithmetic.as(body, identity.type());
      values.add(filter.filter(_ -> !value.equals(identity)).<Expr>map(holds -> new Expr.Select(holds, value, identity))
          .orElse(value));
    }
    int component = reduction.component().orElse(0L).intValue();
    return new Value.Typed(bound.order().isEmpty() ? values.get(component)
        : new Expr.Fold(combiner, bound.order(), values, component), reduction.span());
  }

  private void checkCounts(Syntax.Expr.Reduction reduction, Combination combination) {
    String name = reduction.name().text();
    if (reduction.indices().isEmpty()) {
      throw diagnostics.reject(reduction.span(), "`" + name + "` needs an index to reduce, as in `" + name + "[k](...)`");
    }
    int count = components(combination);
    if (reduction.bodies().size() != count) {
      throw diagnostics.reject(reduction.span(), "`" + name + "` combines " + (count == 1 ? "one value" : count + " values")
          + " at each point, not " + reduction.bodies().size());
    }
    if (count > 1 && reduction.component().isEmpty()) {
      throw diagnostics.reject(reduction.span(), "`" + name + "` makes " + count
          + " values; take them apart: `A[i], B[i] = " + name + "[k](...)`");
    }
    if (reduction.component().filter(component -> count == 1 || component >= count).isPresent()) {
      throw diagnostics.reject(reduction.span(), "`" + name + "` has no component " + reduction.component().get()
          + (count == 1 ? ": it makes one value" : "; they are counted from 0 to " + (count - 1)));
    }
  }

  private static int components(Combination combination) {
    return switch (combination) {
      case Reduction _ -> 1;
      case Combiner combiner -> combiner.types().size();
    };
  }

  /// The reduction of a scatter into a tensor of `type`.
  Combination combination(Syntax.Expr.Reduction reduction, ElementType type) {
    Combination combination = combination(reduction.name());
    checkCounts(reduction, combination);
    String name = reduction.name().text();
    boolean fits = switch (combination) {
      case Reduction operation -> operation.accepts(type) && !operation.isPosition();
      case Combiner combiner -> combiner.types().equals(List.of(type));
    };
    if (!fits) {
      throw diagnostics.reject(reduction.name().span(), "`" + name + "` cannot combine what lands on an element that is "
          + Arithmetic.article(type));
    }
    return combination;
  }

  private Combination combination(Syntax.Name name) {
    return Reduction.named(name.text()).<Combination>map(operation -> operation)
        .or(() -> elaboration.combiner(name, frame.file()))
        .orElseThrow(() -> unknown(name));
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
  Optional<Expr> filter(Syntax.Expr.Reduction reduction, Bound bound, Scope outer, Scope inner) {
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
    return new UnknownFunctions(diagnostics, frame).reduction(name);
  }
}
