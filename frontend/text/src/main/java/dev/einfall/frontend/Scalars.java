package dev.einfall.frontend;

import dev.einfall.frontend.Syntax.Subscript;
import dev.einfall.ir.BinaryOp;
import dev.einfall.ir.ElementType;
import dev.einfall.ir.Size;
import dev.einfall.ir.Span;
import dev.einfall.ir.UnaryOp;
import dev.einfall.ir.cascade.Expr;
import dev.einfall.ir.cascade.IndexBounds;
import dev.einfall.ir.cascade.Rank;
import dev.einfall.ir.cascade.Tensor;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Function;
import java.util.stream.Stream;

/// Reads scalar expressions: the right sides of Einsums.
final class Scalars {
  static final String WHERE = "where";

  private final Elaboration elaboration;
  private final Diagnostics diagnostics;
  private final Frame frame;
  private final Accesses accesses;
  private final Arithmetic arithmetic;

  Scalars(Elaboration elaboration, Frame frame) {
    this.elaboration = elaboration;
    this.diagnostics = elaboration.diagnostics();
    this.frame = frame;
    this.accesses = new Accesses(diagnostics, frame);
    this.arithmetic = new Arithmetic(diagnostics);
  }

  Arithmetic arithmetic() {
    return arithmetic;
  }

  /// The value of `expr`; unknown if it is wrong, so that what stands around it is read on.
  Value value(Syntax.Expr expr, Scope scope) {
    return diagnostics.attempt(() -> known(expr, scope)).orElseGet(() -> new Value.Unknown(expr.span()));
  }

  private Value known(Syntax.Expr expr, Scope scope) {
    return switch (expr) {
      case Syntax.Expr.Whole(long value, Span span) -> new Value.Whole(new Expr.IntLiteral(
          ElementType.I32, value), false, span);
      case Syntax.Expr.Real(double value, Span span) -> new Value.Real(
          type -> new Expr.FloatLiteral(type, value), span);
      case Syntax.Expr.Truth(boolean value, Span span) -> new Value.Typed(
          new Expr.IntLiteral(ElementType.BOOL, value ? 1 : 0), span);
      case Syntax.Expr.Reference(Syntax.Name name) -> reference(name, scope);
      case Syntax.Expr.Access access -> access(access, scope);
      case Syntax.Expr.Reduction reduction -> new Reductions(elaboration, frame, this).value(reduction, scope);
      case Syntax.Expr.Call call -> call(call, scope);
      case Syntax.Expr.Prefix prefix -> arithmetic.unary(prefix.op(), value(prefix.operand(), scope), prefix.span());
      case Syntax.Expr.Infix infix ->
          arithmetic.infix(infix.op(), value(infix.left(), scope), value(infix.right(), scope), infix.span());
      case Syntax.Expr.Sequence sequence ->
          throw diagnostics.reject(sequence.span(), "a list stands only in `reshape` and `transpose`");
    };
  }

  private Value reference(Syntax.Name name, Scope scope) {
    if (scope.isUnknown(name.text())) {
      throw diagnostics.reject();
    }
    Optional<Expr> index = scope.find(name.text());
    if (index.isPresent()) {
      return index.get() instanceof Expr.Ref ? new Value.Typed(index.get(), name.span())
          : new Value.Whole(index.get(), false, name.span());
    }
    Optional<Static> known = frame.known(name.text());
    if (known.isPresent()) {
      return value(known.get(), name.span());
    }
    if (frame.tensor(name.text()).isEmpty()) {
      throw unknown(name, scope);
    }
    Tensor tensor = accesses.tensor(name);
    if (!tensor.shape().isEmpty()) {
      throw accesses.needsIndices(tensor, name.span());
    }
    return new Value.Typed(new Expr.Access(tensor, List.of()), name.span());
  }

  private static Value value(Static known, Span span) {
    return switch (known) {
      case Static.Whole(Size size) -> new Value.Whole(extent(size), false, span);
      case Static.Real(double value) -> new Value.Real(type -> new Expr.FloatLiteral(type, value), span);
      case Static.Truth(boolean value) ->
          new Value.Typed(new Expr.IntLiteral(ElementType.BOOL, value ? 1 : 0), span);
    };
  }

  static Expr extent(Size size) {
    return size.constant().map(Expr::index)
        .orElseGet(() -> new Expr.Extent(size));
  }

  private Diagnostics.Rejection unknown(Syntax.Name name, Scope scope) {
    List<FileScope> files = frame.file().filesWithConstant(name.text());
    if (files.size() > 1) {
      return Constants.ambiguous(diagnostics, name, files);
    } else if (frame.file().constant(name.text()).isPresent()) {
      return diagnostics.reject();
    } else if (frame.callee(name.text()).isPresent()) {
      return diagnostics.reject(name.span(), "`" + name.text() + "` is a function, not a value");
    }
    List<String> known = new ArrayList<>(scope.names());
    known.addAll(frame.file().constantNames());
    known.addAll(frame.sizeNames());
    known.addAll(frame.tensorNames());
    return diagnostics.reject(name.span(), "nothing is called `" + name.text() + "` here"
        + Spelling.suggestion(name.text(), known));
  }

  private Value access(Syntax.Expr.Access access, Scope scope) {
    Optional<List<Accesses.Position>> positions = diagnostics.attempt(() -> accesses.positions(access));
    Optional<Value> outside = access.outside().map(value -> value(value, scope));
    if (positions.isEmpty()) {
      diagnostics.each(access.subscripts(), subscript -> findErrors(subscript, scope));
      throw diagnostics.reject();
    }
    return access(access, positions.get(), outside, scope);
  }

  /// Reads an index of a tensor that is unknown.
  private Subscript findErrors(Subscript subscript, Scope scope) {
    if (subscript instanceof Subscript.Index) {
      index(subscript, scope);
    }
    return subscript;
  }

  private Value access(
      Syntax.Expr.Access access, List<Accesses.Position> positions, Optional<Value> other, Scope scope) {
    Tensor tensor = accesses.tensor(access.name());
    List<Expr> indices = diagnostics.each(positions, position -> position.subscript().isPresent()
        ? index(position.subscript().get(), scope)
        : restIndex(access, tensor, position, scope));
    Optional<Expr> outside = other.map(value -> arithmetic.as(value, tensor.type()));
    if (outside.isEmpty() && !scope.guarded() && !IndexBounds.isNowhere(indices)) {
      checkBounds(access, tensor, indices);
    }
    return new Value.Typed(new Expr.Access(tensor, indices, outside), access.span());
  }

  /// The indices of an element that is written.
  List<Expr> place(Syntax.Expr.Access access, Scope scope) {
    Tensor tensor = accesses.tensor(access.name());
    List<Accesses.Position> positions = accesses.positions(access);
    List<Expr> indices = diagnostics.each(positions, position -> position.subscript().isPresent()
        ? index(position.subscript().get(), scope) : restIndex(access, tensor, position, scope));
    for (Accesses.Position position : scope.guarded() ? List.<Accesses.Position>of() : positions) {
      Size size = tensor.shape().get(position.dimension());
      IndexBounds.leaves(indices.get(position.dimension()), size).ifPresent(leaves -> {
        throw diagnostics.reject(position.subscript().map(Subscript::span).orElse(access.span()), "this index " + leaves
            + ", outside of dimension " + position.dimension() + " of `" + tensor.name() + "`, which has size " + size);
      });
    }
    return indices;
  }

  private Expr index(Subscript subscript, Scope scope) {
    return switch (subscript) {
      case Subscript.Index(Syntax.Expr value) -> arithmetic.index(value(value, scope));
      case Subscript.Ranged _, Subscript.Placed _ -> throw diagnostics.reject(subscript.span(),
          "a range is written where an index is bound: on the left side or in a reduction");
      case Subscript other -> throw diagnostics.reject(other.span(),
          "expected an index here; a slice is a tensor of its own: `Y = X[0..3, :]`");
    };
  }

  private Expr restIndex(
      Syntax.Expr.Access access, Tensor tensor, Accesses.Position position, Scope scope) {
    if (scope.isUnknown("...")) {
      throw diagnostics.reject();
    }
    List<Rank> ranks = scope.findRest().orElseThrow(() -> diagnostics.reject(access.span(),
        "`...` is bound nowhere: it stands neither on the left nor in a reduction such as `sum[...](...)`"));
    boolean fits = position.rest() < ranks.size()
        && tensor.shape().size() - (access.subscripts().size() - 1) == ranks.size();
    if (!fits || !elaboration.same(ranks.get(position.rest()).size(), tensor.shape().get(position.dimension()))) {
      throw diagnostics.reject(access.span(), "`...` stands for other sizes here than where it is bound");
    }
    return new Expr.Coordinate(ranks.get(position.rest()));
  }

  private void checkBounds(Syntax.Expr.Access access, Tensor tensor, List<Expr> indices) {
    for (Accesses.Position position : accesses.positions(access)) {
      Size size = tensor.shape().get(position.dimension());
      Optional<String> leaves = IndexBounds.leaves(indices.get(position.dimension()), size);
      if (leaves.isPresent() && position.subscript().isPresent()) {
        throw diagnostics.reject(position.subscript().get().span(), "this index " + leaves.get()
            + ", outside of dimension " + position.dimension() + " of `" + tensor.name() + "`, which has size " + size
            + "; say what is read there: `" + tensor.name() + "[...] or 0`",
            Accesses.declaration(tensor));
      }
    }
  }

  private Value call(Syntax.Expr.Call call, Scope scope) {
    return call(frame.named(call), operand -> value(operand, scope), operand -> value(operand, scope.guard()));
  }

  /// The value of a call of a scalar function.
  ///
  /// @param operand reads its operands
  /// @param branch reads the branches of `where`, in which an index may leave the bounds
  Value call(Syntax.Expr.Call call, Function<Syntax.Expr, Value> operand, Function<Syntax.Expr, Value> branch) {
    String name = call.name().text();
    call.prefix().ifPresent(prefix -> {
      throw diagnostics.reject(prefix.span(), "`in` stands after a call of a function on whole tensors");
    });
    if (UnknownFunctions.isReduction(call)) {
      throw unknownFunction(call.name());
    }
    Optional<ElementType> type = frame.element(name);
    Optional<ElementType> ofBits = bitcast(name);
    Optional<UnaryOp> unary = UnaryOp.function(name);
    Optional<BinaryOp> binary = BinaryOp.function(name);
    if (type.isPresent()) {
      return arithmetic.cast(type.get(), arguments(call, 1, operand, branch).getFirst(), call.span());
    } else if (ofBits.isPresent()) {
      return arithmetic.bitcast(ofBits.get(), arguments(call, 1, operand, branch).getFirst(), call.span());
    } else if (unary.isPresent()) {
      return arithmetic.unary(unary.get(), arguments(call, 1, operand, branch).getFirst(), call.span());
    } else if (binary.isPresent()) {
      List<Value> operands = arguments(call, 2, operand, branch);
      return arithmetic.infix(binary.get(), operands.getFirst(), operands.getLast(), call.span());
    } else if (name.equals(WHERE)) {
      List<Value> operands = arguments(call, 3, operand, branch);
      return arithmetic.select(operands.getFirst(), operands.get(1), operands.getLast(), call.span());
    } else if (name.equals(Statics.LOG2_NAME)) {
      return value(new Sizes(diagnostics, frame).value(call, Statics.Purpose.LOG2), call.span());
    }
    if (frame.callee(name).filter(Callee.Unknown.class::isInstance).isPresent()) {
      throw diagnostics.reject();
    }
    Diagnostics.Rejection unknown = unknownFunction(call.name());
    call.arguments().stream().filter(argument -> !(argument instanceof Syntax.Expr.Reference))
        .forEach(branch::apply);
    throw unknown;
  }

  /// The values of the operands, of which there should be `count`.
  private List<Value> arguments(
      Syntax.Expr.Call call, int count, Function<Syntax.Expr, Value> operand, Function<Syntax.Expr, Value> branch) {
    boolean isChoice = call.name().text().equals(WHERE);
    List<Value> values = new ArrayList<>();
    for (Syntax.Expr argument : call.arguments()) {
      values.add((isChoice && !values.isEmpty() ? branch : operand).apply(argument));
    }
    if (values.size() != count) {
      throw diagnostics.reject(call.span(), "`" + call.name().text() + "` takes " + count
          + (count == 1 ? " operand" : " operands") + ", not " + values.size());
    }
    return values;
  }

  private Diagnostics.Rejection unknownFunction(Syntax.Name name) {
    if (frame.callee(name.text()).isPresent() || Views.NAMES.contains(name.text())) {
      return diagnostics.reject(name.span(), "`" + name.text()
          + "` makes whole tensors; call it in a statement of its own: `y = " + name.text() + "(...)`");
    }
    return new UnknownFunctions(diagnostics, frame).call(name);
  }

  /// The type whose number the function `name` makes of the bits of another one.
  static Optional<ElementType> bitcast(String name) {
    return name.startsWith(Arithmetic.BITCAST) ? ElementType.named(name.substring(Arithmetic.BITCAST.length())).filter(type -> !type.isBool()) : Optional.empty();
  }

  /// The functions on scalars.
  static List<String> functionNames() {
    Stream<String> unary = Stream.of(UnaryOp.values()).filter(UnaryOp::isFunction).map(UnaryOp::text);
    Stream<String> binary = Stream.of(BinaryOp.values()).filter(BinaryOp::isFunction).map(BinaryOp::text);
    Stream<String> types = Stream.of(ElementType.values()).map(ElementType::text);
    Stream<String> bitcasts = Stream.of(ElementType.values()).filter(type -> !type.isBool()).map(type -> Arithmetic.BITCAST + type.text());
    return Stream.of(unary, binary, types, bitcasts, Stream.of(WHERE, Statics.LOG2_NAME)).flatMap(names -> names).toList();
  }
}
