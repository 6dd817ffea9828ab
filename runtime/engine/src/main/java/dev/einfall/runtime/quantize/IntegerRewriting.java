package dev.einfall.runtime.quantize;

import dev.einfall.frontend.weights.WeightsFile;
import dev.einfall.ir.BinaryOp;
import dev.einfall.ir.CompileException;
import dev.einfall.ir.Diagnostic;
import dev.einfall.ir.ElementType;
import dev.einfall.ir.Size;
import dev.einfall.ir.Span;
import dev.einfall.ir.UnaryOp;
import dev.einfall.ir.cascade.Cascade;
import dev.einfall.ir.cascade.Definition;
import dev.einfall.ir.cascade.Einsum;
import dev.einfall.ir.cascade.Expr;
import dev.einfall.ir.cascade.Mapping;
import dev.einfall.ir.cascade.Rank;
import dev.einfall.ir.cascade.Reduction;
import dev.einfall.ir.cascade.Shorthand;
import dev.einfall.ir.cascade.Tensor;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.Set;

/// Makes the program that computes with whole numbers alone of one that computes with floats.
///
/// ```
/// Y[t, n] = sum[k](X[t, k] * W[k, n]) + b[n]  =>  Y_sum[t, n] = sum[k](i32(X_1[t, k]) * i32(W[k, n]))
///                                                 Y[t, n] = shr(shr(Y_sum[t, n], 16) * W_rate[n] + shr((Y_sum[t, n] && 65535) * W_rate[n], 16) + 128, 8) + b[n]
/// ```
///
/// A number stands for a multiple of its tensor's unit, which is chosen by what reads it: products read bytes, whose unit is 1/127 of the largest number that the calibration data
/// gives, norms 2^-12, softmax and GELU 2^-8. How units change is a product, a sum and a shift (HAWQ-V3, Yao et al., 2021). Sums, products, choices, maxima and views are written
/// so as they stand; softmax, GELU and norms are the functions of `std.integer`, and anything else is an error that names the place.
final class IntegerRewriting {
  private static final double OF_FUNCTIONS = 0x1p-8;
  private static final double OF_NORMS = 0x1p-12;
  private static final double OF_SHARES = 0x1p-15;
  /// Of what is rounded to bytes in the end, for parts of a sum.
  private static final double PARTS = 256;

  private final Cascade cascade;
  private final Map<Tensor, Definition> old = new LinkedHashMap<>();
  private final Map<Tensor, Double> peaks;
  private final IntegerWeights weights;
  private final IntegerForms forms;
  private final List<Definition> definitions = new ArrayList<>();
  private final Map<Tensor, Shorthand.Call> calls = new LinkedHashMap<>();
  private final Map<List<Object>, Tensor> made = new HashMap<>();
  private final Map<Tensor, Tensor> inputs = new LinkedHashMap<>();

  /// How a tensor is wanted.
  ///
  /// @param type bytes, or 32 bits
  private record Wanted(double unit, ElementType type) {

    boolean isByte() {
      return type == ElementType.I8;
    }
  }

  /// @param units those of inputs and outputs that were floats, by name
  record Result(Rewriting.Result program, Map<String, Double> units) {}

  /// @param peaks the largest size of an element, for all that products and callers read
  IntegerRewriting(Cascade cascade, Map<Tensor, Double> peaks, WeightsFile file) {
    this.cascade = cascade;
    this.peaks = peaks;
    cascade.definitions().forEach(definition -> definition.tensors().forEach(tensor -> old.put(tensor, definition)));
    this.weights = new IntegerWeights(cascade, file);
    this.forms = new IntegerForms(cascade, old, weights.tensors());
  }

  IntegerWeights weights() {
    return weights;
  }

  Result apply() {
    cascade.definitions().stream().filter(definition -> definition.tensors().stream().noneMatch(tensor -> tensor.type().isFloat())).forEach(definition -> {
      definition.exprs().filter(IntegerRewriting::readsFloats).findFirst().ifPresent(_ -> {
        throw refused(definition.span(), definition.tensors().getFirst().name());
      });
      definitions.add(definition);
    });
    Map<String, Double> units = new LinkedHashMap<>();
    List<Cascade.Output> outputs = new ArrayList<>();
    for (Cascade.Output output : cascade.outputs()) {
      boolean isFloat = output.tensor().type().isFloat();
      outputs.add(isFloat ? new Cascade.Output(output.name(), as(output.tensor(), new Wanted(OF_NORMS, ElementType.I32))) : output);
      if (isFloat) {
        units.put(output.name(), OF_NORMS);
      }
    }
    List<Tensor> newInputs = cascade.inputs().stream().filter(input -> !input.type().isFloat() || inputs.containsKey(input)).map(input -> inputs.getOrDefault(input, input)).toList();
    inputs.forEach((input, _) -> units.put(input.name(), unit(input)));
    Cascade result = new Cascade(cascade.name(), newInputs, weights.all(), definitions, outputs, Mapping.NONE);
    return new Result(new Rewriting.Result(result, new Shorthand(Map.of(), calls)), units);
  }

  private static boolean readsFloats(Expr expr) {
    return expr.nodes().anyMatch(node -> node.type().isFloat());
  }

  private static CompileException refused(Span span, String name) {
    return new CompileException(Diagnostic.error(span, "'" + name + "' has no counterpart in whole numbers: expected sums, products of two tensors, products with numbers, choices,"
        + " maxima, views, softmax, GELU, and norms with gamma and beta"));
  }

  /// That of bytes.
  private double unit(Tensor tensor) {
    double peak = Optional.ofNullable(peaks.get(tensor)).orElseThrow(() -> CompileException.of("with the calibration data, nothing is known of '" + tensor.name() + "'"));
    return Math.max(peak, 0x1p-20) / 127;
  }

  private Tensor as(Tensor tensor, Wanted wanted) {
    List<Object> key = List.of(tensor, wanted);
    if (!made.containsKey(key)) {
      Tensor found = weights.tensors().contains(tensor) ? weights.fixed(tensor, wanted.unit) : cascade.inputs().contains(tensor) ? input(tensor, wanted)
          : defined(tensor, wanted);
      made.put(key, found);
    }
    return made.get(key);
  }

  private Tensor input(Tensor tensor, Wanted wanted) {
    Tensor bytes = inputs.computeIfAbsent(tensor, _ -> new Tensor(tensor.name(), ElementType.I8, tensor.shape(), tensor.span()));
    return converted(bytes, unit(tensor), wanted);
  }

  private Tensor defined(Tensor tensor, Wanted wanted) {
    if (!(old.get(tensor) instanceof Einsum einsum)) {
      throw refused(old.get(tensor).span(), tensor.name());
    }
    if (einsum.value() instanceof Expr.Access access && access.outside().isEmpty() && access.type().isFloat()) {
      return define(tensor.name(), wanted.type, einsum.ranks(), new Expr.Access(as(access.tensor(), wanted), access.indices()));
    }
    if (isSum(einsum.value())) {
      boolean isOne = einsum.value() instanceof Expr.Reduce;
      double unit = wanted.isByte() && !isOne ? wanted.unit / PARTS : wanted.unit;
      Expr sum = sum(einsum.value(), 1, unit, einsum);
      return wanted.isByte() && isOne ? define(tensor.name(), ElementType.I8, einsum.ranks(), IntegerArithmetic.bytes(sum))
          : converted(define(tensor.name(), ElementType.I32, einsum.ranks(), sum), unit, wanted);
    }
    IntegerForms.Form form = forms.of(tensor).orElseThrow(() -> refused(einsum.span(), tensor.name()));
    return switch (form.kind()) {
      case SOFTMAX -> converted(call("integer_softmax", tensor, List.of(as(form.source(), new Wanted(OF_FUNCTIONS, ElementType.I32))), 256, 15), OF_SHARES, wanted);
      case GELU -> converted(call("shift_gelu", tensor, List.of(as(form.source(), new Wanted(OF_FUNCTIONS, ElementType.I32))), 256), OF_FUNCTIONS, wanted);
      case LAYER_NORM -> converted(call("integer_layer_norm", tensor, List.of(as(form.source(), new Wanted(OF_NORMS, ElementType.I32)),
          weights.fixed(form.weights().getFirst(), OF_NORMS), weights.fixed(form.weights().getLast(), OF_NORMS)), 12), OF_NORMS, wanted);
    };
  }

  private Tensor call(String function, Tensor like, List<Tensor> arguments, long... sizes) {
    List<Object> key = new ArrayList<>(List.of(function, like));
    if (!made.containsKey(key)) {
      Tensor result = define(like.name(), ElementType.I32, Additions.ranks(like), Expr.index(0));
      calls.put(result, new Shorthand.Call(List.of(result), function, arguments, Arrays.stream(sizes).mapToObj(Size::of).toList()));
      made.put(key, result);
    }
    return made.get(key);
  }

  private Tensor define(String name, ElementType type, List<Rank> ranks, Expr value) {
    Tensor tensor = new Tensor(name, type, ranks.stream().map(Rank::size).toList(), Span.NONE);
    definitions.add(new Einsum(tensor, ranks, value, Span.NONE));
    return tensor;
  }

  /// A tensor in another unit or type.
  private Tensor converted(Tensor tensor, double unit, Wanted wanted) {
    if (unit == wanted.unit && tensor.type() == wanted.type) {
      return tensor;
    }
    List<Rank> ranks = Additions.ranks(tensor);
    Expr element = IntegerArithmetic.wide(new Expr.Access(tensor, Additions.coordinates(ranks)));
    Expr scaled = IntegerArithmetic.times(element, unit / wanted.unit);
    return define(tensor.name(), wanted.type, ranks, wanted.isByte() ? IntegerArithmetic.bytes(scaled) : scaled);
  }

  /// Whether it is made of whole numbers by sums, products with numbers, and choices.
  private boolean isSum(Expr expr) {
    return number(expr).isPresent() || switch (expr) {
      case Expr.Access access -> access.type().isFloat() && access.outside().stream().allMatch(outside -> number(outside).stream().anyMatch(value -> value == 0));
      case Expr.Cast(_, Expr operand) -> !readsFloats(operand);
      case Expr.Unary(UnaryOp op, Expr operand) -> op == UnaryOp.NEG && isSum(operand);
      case Expr.Binary(BinaryOp op, Expr left, Expr right) -> switch (op) {
        case ADD, SUB, MIN, MAX -> isSum(left) && isSum(right);
        case MUL -> number(left).isPresent() && isSum(right) || number(right).isPresent() && isSum(left);
        case DIV -> number(right).isPresent() && isSum(left);
        case MOD, POW, EQ, NE, LT, LE, GT, GE, AND, OR, XOR, SHL, SHR -> false;
      };
      case Expr.Select(Expr condition, Expr whenTrue, Expr whenFalse) -> !readsFloats(condition) && isSum(whenTrue) && isSum(whenFalse);
      case Expr.Reduce reduce -> factors(reduce).isPresent();
      case Expr.FloatLiteral _, Expr.IntLiteral _, Expr.Coordinate _, Expr.Extent _, Expr.Bitcast _, Expr.Fold _, Expr.Ref _ -> false;
    };
  }

  /// The two tensors whose products are summed.
  private static Optional<List<Expr.Access>> factors(Expr.Reduce reduce) {
    return reduce.reduction() == Reduction.SUM && reduce.body() instanceof Expr.Binary(BinaryOp op, Expr.Access left, Expr.Access right) && op == BinaryOp.MUL
        && left.outside().isEmpty() && right.outside().isEmpty() ? Optional.of(List.of(left, right)) : Optional.empty();
  }

  private OptionalDouble number(Expr expr) {
    return KnownNumbers.of(expr, old);
  }

  /// `factor` times `expr` in `unit`.
  private Expr sum(Expr expr, double factor, double unit, Einsum einsum) {
    OptionalDouble number = number(expr);
    if (number.isPresent()) {
      return IntegerArithmetic.literal(factor * number.getAsDouble() / unit);
    }
    return switch (expr) {
      case Expr.Access access -> {
        Tensor tensor = as(access.tensor(), new Wanted(unit / Math.abs(factor), ElementType.I32));
        Expr element = new Expr.Access(tensor, access.indices(), access.outside().map(_ -> Expr.literal(tensor.type(), 0)));
        yield signed(IntegerArithmetic.wide(element), factor);
      }
      case Expr.Cast(_, Expr operand) -> IntegerArithmetic.times(IntegerArithmetic.wide(operand), factor / unit);
      case Expr.Unary(_, Expr operand) -> sum(operand, -factor, unit, einsum);
      case Expr.Binary(BinaryOp op, Expr left, Expr right) -> switch (op) {
        case ADD -> new Expr.Binary(op, sum(left, factor, unit, einsum), sum(right, factor, unit, einsum));
        case SUB -> new Expr.Binary(BinaryOp.ADD, sum(left, factor, unit, einsum), sum(right, -factor, unit, einsum));
        case MUL -> number(left).isPresent() ? sum(right, factor * number(left).getAsDouble(), unit, einsum) : sum(left, factor * number(right).getAsDouble(), unit, einsum);
        case DIV -> sum(left, factor / number(right).getAsDouble(), unit, einsum);
        case MIN, MAX -> new Expr.Binary(factor > 0 == (op == BinaryOp.MAX) ? BinaryOp.MAX : BinaryOp.MIN, sum(left, factor, unit, einsum), sum(right, factor, unit, einsum));
        case MOD, POW, EQ, NE, LT, LE, GT, GE, AND, OR, XOR, SHL, SHR -> throw new IllegalStateException("a sum of " + expr);
      };
      case Expr.Select(Expr condition, Expr whenTrue, Expr whenFalse) ->
          new Expr.Select(condition, sum(whenTrue, factor, unit, einsum), sum(whenFalse, factor, unit, einsum));
      case Expr.Reduce reduce -> signed(product(reduce, Math.abs(factor) / unit, einsum), factor);
      case Expr.FloatLiteral _, Expr.IntLiteral _, Expr.Coordinate _, Expr.Extent _, Expr.Bitcast _, Expr.Fold _, Expr.Ref _ -> throw new IllegalStateException("a sum of " + expr);
    };
  }

  private static Expr signed(Expr value, double factor) {
    return factor < 0 ? new Expr.Unary(UnaryOp.NEG, value) : value;
  }

  /// `factor` times a sum of products, whose factors are bytes, or shares of a softmax.
  private Expr product(Expr.Reduce reduce, double factor, Einsum einsum) {
    double all = factor;
    List<Expr> elements = new ArrayList<>();
    Optional<IntegerWeights.Columns> columns = Optional.empty();
    for (Expr.Access access : factors(reduce).orElseThrow()) {
      Tensor tensor = access.tensor();
      Tensor whole;
      if (weights.tensors().contains(tensor)) {
        List<Integer> free = weights.free(access, Set.copyOf(einsum.ranks()));
        columns = Optional.of(weights.columns(access, free));
        whole = columns.get().bytes();
      } else {
        boolean isShare = forms.of(tensor).filter(form -> form.kind() == IntegerForms.Kind.SOFTMAX).isPresent();
        double unit = isShare ? OF_SHARES : unit(tensor);
        whole = as(tensor, new Wanted(unit, isShare ? ElementType.I32 : ElementType.I8));
        all *= unit;
      }
      elements.add(IntegerArithmetic.wide(new Expr.Access(whole, access.indices())));
    }
    Tensor raw = define(einsum.tensor().name() + "_sum", ElementType.I32, einsum.ranks(),
        new Expr.Reduce(Reduction.SUM, reduce.ranks(), new Expr.Binary(BinaryOp.MUL, elements.getFirst(), elements.getLast())));
    Expr element = new Expr.Access(raw, Additions.coordinates(einsum.ranks()));
    double ratio = all;
    return columns.map(found -> found.times(element, ratio, weights)).orElseGet(() -> IntegerArithmetic.times(element, ratio));
  }
}
