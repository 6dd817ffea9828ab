package dev.einfall.frontend;

import dev.einfall.frontend.Syntax.Expr;
import dev.einfall.frontend.Syntax.Subscript;
import dev.einfall.ir.Diagnostic;
import dev.einfall.ir.ElementType;
import dev.einfall.ir.Size;
import dev.einfall.ir.Span;
import dev.einfall.ir.cascade.IndexBounds;
import dev.einfall.ir.cascade.Tensor;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;

/// Reads expressions whose value is a whole tensor: names, views and calls.
final class Wholes {
  private static final int MOST_CALLS = 64;

  private final Elaboration elaboration;
  private final Diagnostics diagnostics;
  private final Frame frame;
  private final Accesses accesses;
  private final Sizes sizes;

  Wholes(Elaboration elaboration, Frame frame) {
    this.elaboration = elaboration;
    this.diagnostics = elaboration.diagnostics();
    this.frame = frame;
    this.accesses = new Accesses(diagnostics, frame);
    this.sizes = new Sizes(diagnostics, frame);
  }

  /// The `count` tensors that `expr` makes; none for one whose definition in a function is wrong.
  ///
  /// @param wish a name for a new tensor
  List<Optional<Tensor>> tensors(Expr expr, int count, String wish) {
    Optional<Callee> callee = callee(expr);
    if (callee.isEmpty()) {
      requireCount(expr.span(), 1, count);
      return List.of(Optional.of(tensor(expr, wish, Optional.empty())));
    }
    return switch (callee.get()) {
      case Callee.Defined(Routine routine) -> {
        List<Optional<Tensor>> results = call(routine, (Expr.Call) expr);
        requireCount(expr.span(), results.size(), count,
            new Diagnostic.Note(routine.function().name().span(), "`" + routine.name() + "` is defined here"));
        yield results;
      }
      case Callee.BuiltIn _, Callee.Unknown _ -> Collections.nCopies(count, Optional.empty());
    };
  }

  /// The function on whole tensors that `expr` calls.
  private Optional<Callee> callee(Expr expr) {
    return expr instanceof Expr.Call call
        ? frame.callee(call.name().text()).filter(callee -> !(callee instanceof Callee.BuiltIn)) : Optional.empty();
  }

  /// Whether `expr` is an operand of whole-tensor arithmetic: a name, a view or a call.
  boolean isTensor(Expr expr) {
    return switch (expr) {
      case Expr.Reference(Syntax.Name name) -> isTensor(name);
      case Expr.Call call -> !isScalarFunction(frame.named(call));
      case Expr.Access access -> isSlice(access);
      case Expr.Whole _, Expr.Real _, Expr.Truth _, Expr.Reduction _, Expr.Sequence _, Expr.Prefix _,
          Expr.Infix _ -> false;
    };
  }

  private void requireCount(Span span, int given, int wanted, Diagnostic.Note... notes) {
    if (given != wanted) {
      throw diagnostics.reject(span, "this is " + given + (given == 1 ? " tensor" : " tensors") + ", and " + wanted
          + (wanted == 1 ? " is" : " are") + " needed", notes);
    }
  }

  /// The tensor that `expr` makes.
  ///
  /// @param type what an expression of open type becomes
  Tensor tensor(Expr expr, String wish, Optional<ElementType> type) {
    return elaboration.nested(expr.span(), () -> known(expr, wish, type));
  }

  private Tensor known(Expr expr, String wish, Optional<ElementType> type) {
    return switch (expr) {
      case Expr.Reference(Syntax.Name name) when isTensor(name) -> accesses.tensor(name);
      case Expr.Call call when Views.NAMES.contains(call.name().text()) -> define(view(call), wish, call.span());
      case Expr.Call call when callee(call).isPresent() ->
          tensors(call, 1, wish).getFirst().orElseThrow(diagnostics::reject);
      case Expr.Access access when isSlice(access) -> define(slice(access), wish, access.span());
      case Expr.Call call when !isScalarFunction(frame.named(call)) ->
          throw new UnknownFunctions(diagnostics, frame).call(call.name());
      case Expr other -> new WholeArithmetic(elaboration, frame, this).tensor(other, wish, type);
    };
  }

  private boolean isTensor(Syntax.Name name) {
    return frame.tensor(name.text()).isPresent() || frame.known(name.text()).isEmpty();
  }

  private boolean isScalarFunction(Expr.Call call) {
    return Scalars.functionNames().contains(call.name().text()) || frame.element(call.name().text()).isPresent();
  }

  private Tensor define(Views.View view, String wish, Span span) {
    return elaboration.define(wish, span, view.ranks(), view.value(), span);
  }

  private List<Optional<Tensor>> call(Routine routine, Expr.Call call) {
    if (frame.depth() >= MOST_CALLS) {
      throw tooDeep(routine, call);
    }
    elaboration.step(call.span());
    Arguments.Read arguments = new Arguments(elaboration, frame, this, routine, call).read();
    int errors = diagnostics.count();
    String prefix = call.prefix().map(text -> new Texts(diagnostics, frame).join(frame.prefix(), text))
        .orElse(frame.prefix());
    List<Optional<Tensor>> results = new Functions(elaboration)
        .call(routine, arguments.tensors().stream().map(Optional::of).toList(), Frame.of(routine, Optional.of(frame), arguments.bindings(), prefix));
    diagnostics.explain(errors, new Diagnostic.Note(call.span(), "in this call of `" + routine.name() + "`"));
    return results;
  }

  /// Ends the reading of a recursion, which could take the same turn often.
  private RuntimeException tooDeep(Routine routine, Expr.Call call) {
    if (!frame.isInside(routine)) {
      return diagnostics.reject(call.span(), "calls are nested more than " + MOST_CALLS + " deep here");
    }
    diagnostics.report(call.span(), "`" + routine.name() + "` calls itself without an end: more than " + MOST_CALLS
        + " calls are nested here; a static `if` ends a recursion",
        new Diagnostic.Note(routine.function().name().span(), "it begins here"));
    diagnostics.throwIfAny();
    return diagnostics.reject();
  }

  private Views.View view(Expr.Call call) {
    call.prefix().ifPresent(prefix -> {
      throw diagnostics.reject(prefix.span(), "`in` stands after a call of a function that has weights");
    });
    return switch (call.name().text()) {
      case "reshape" -> reshape(call);
      case "transpose" -> transpose(call);
      default -> concat(call);
    };
  }

  private Views.View reshape(Expr.Call call) {
    Expr.Sequence list = list(call, "the new sizes, as in `reshape(x, [B, 12, 32])`");
    Optional<Tensor> old = diagnostics.attempt(() -> tensor(call.arguments().getFirst(), "x", Optional.empty()));
    List<Size> shape = sizes.shape(diagnostics.each(list.elements(), this::dimension), list.span());
    Tensor tensor = old.orElseThrow(diagnostics::reject);
    Size before = Views.product(tensor.shape());
    Size after = Views.product(shape);
    if (!elaboration.same(before, after)) {
      if (before.isRounded() || after.isRounded()) {
        throw diagnostics.need(list.span(), after);
      }
      throw diagnostics.reject(list.span(), "the new shape has " + after + " elements, the old one " + before,
          Accesses.declaration(tensor));
    }
    return Views.reshape(tensor, shape);
  }

  private Optional<Expr> dimension(Subscript element) {
    return switch (element) {
      case Subscript.Index(Expr value) -> Optional.of(value);
      case Subscript.Rest _ -> Optional.empty();
      case Subscript other -> throw diagnostics.reject(other.span(), "expected a size such as `12` or `N`");
    };
  }

  private Views.View transpose(Expr.Call call) {
    Expr.Sequence list = list(call, "the order of the old dimensions, as in `transpose(x, [0, 2, 1])`");
    Tensor tensor = tensor(call.arguments().getFirst(), "x", Optional.empty());
    List<Integer> order = diagnostics.each(list.elements(), element -> dimension(dimension(element)
        .orElseThrow(() -> diagnostics.reject(element.span(), "expected a dimension here")), tensor));
    if (order.stream().distinct().count() != tensor.shape().size() || order.size() != tensor.shape().size()) {
      throw diagnostics.reject(list.span(), "`transpose` names each of the " + Accesses.dimensions(tensor.shape().size())
          + " of `" + tensor.name() + "` once", Accesses.declaration(tensor));
    }
    return Views.transpose(tensor, order);
  }

  private Expr.Sequence list(Expr.Call call, String what) {
    if (call.arguments().size() == 2 && call.arguments().get(1) instanceof Expr.Sequence list) {
      return list;
    }
    throw diagnostics.reject(call.span(), "`" + call.name().text() + "` takes a tensor and a list: " + what);
  }

  /// The number of a dimension; negative ones count from the end.
  private int dimension(Expr expr, Tensor tensor) {
    long number = sizes.number(expr);
    int rank = tensor.shape().size();
    if (number < -rank || number >= rank) {
      throw diagnostics.reject(expr.span(), "`" + tensor.name() + "` has no dimension " + number + ": it is "
          + Accesses.describe(tensor));
    }
    return (int) (number < 0 ? number + rank : number);
  }

  private Views.View concat(Expr.Call call) {
    int count = call.arguments().size() - 1;
    if (count < 1) {
      throw diagnostics.reject(call.span(), "`concat` takes tensors and the dimension to join, as in `concat(x, y, 0)`");
    }
    List<Tensor> parts =
        diagnostics.each(call.arguments().subList(0, count), part -> tensor(part, "x", Optional.empty()));
    int axis = dimension(call.arguments().getLast(), parts.getFirst());
    for (int i = 1; i < count; i++) {
      if (!fits(parts.getFirst(), parts.get(i), axis)) {
        throw diagnostics.reject(call.arguments().get(i).span(), "`concat` joins tensors that differ in dimension "
            + axis + " only; this is " + Accesses.describe(parts.get(i)) + ", the first is "
            + Accesses.describe(parts.getFirst()), new Diagnostic.Note(call.arguments().getFirst().span(), "this is the first"));
      }
    }
    return Views.concat(parts, axis);
  }

  private boolean fits(Tensor first, Tensor other, int axis) {
    boolean fits = first.type() == other.type() && first.shape().size() == other.shape().size();
    for (int i = 0; fits && i < first.shape().size(); i++) {
      fits = i == axis || elaboration.same(first.shape().get(i), other.shape().get(i));
    }
    return fits;
  }

  private static boolean isSlice(Expr.Access access) {
    return !access.subscripts().isEmpty() && access.outside().isEmpty();
  }

  private Views.View slice(Expr.Access access) {
    Tensor tensor = accesses.tensor(access.name());
    List<Views.Part> parts = diagnostics.each(accesses.positions(access), position -> position.subscript()
        .map(subscript -> part(subscript, tensor, position.dimension()))
        .orElseGet(() -> all(tensor, position.dimension())));
    return Views.slice(tensor, parts);
  }

  private static Views.Part all(Tensor tensor, int dimension) {
    return new Views.Part(Size.of(0), tensor.shape().get(dimension), false);
  }

  private Views.Part part(Subscript subscript, Tensor tensor, int dimension) {
    Size size = tensor.shape().get(dimension);
    return switch (subscript) {
      case Subscript.All _, Subscript.Rest _ -> all(tensor, dimension);
      case Subscript.Slice(Expr from, Expr to, Span span) -> {
        Size start = sizes.size(from);
        Size end = sizes.size(to);
        requireInside(end.minus(start), span, "this slice ends before it starts", tensor);
        requireInside(size.minus(end), span, "this slice ends at " + end + ", and dimension " + dimension + " of `"
            + tensor.name() + "` at " + size, tensor);
        yield new Views.Part(start, end.minus(start), false);
      }
      case Subscript.Index(Expr value) -> {
        Size index = sizes.size(value);
        requireInside(size.minus(index).minus(Size.of(1)), value.span(), "dimension " + dimension + " of `"
            + tensor.name() + "` has size " + size + ", so that it has no element " + index, tensor);
        yield new Views.Part(index, Size.of(1), true);
      }
      case Subscript.Ranged _, Subscript.Placed _ ->
          throw diagnostics.reject(subscript.span(), "a slice is written `2..5`, without a name");
    };
  }

  /// Refuses a difference of sizes that is certainly negative.
  private void requireInside(Size difference, Span span, String message, Tensor tensor) {
    if (IndexBounds.isNotNegative(Size.of(-1).minus(difference))) {
      throw diagnostics.reject(span, message, Accesses.declaration(tensor));
    }
  }

  static String list(List<Size> shape) {
    return shape.stream().map(Size::toString).collect(Collectors.joining(", ", "[", "]"));
  }
}
