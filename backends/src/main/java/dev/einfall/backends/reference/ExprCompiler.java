package dev.einfall.backends.reference;

import dev.einfall.backends.KernelFault;
import dev.einfall.ir.ElementType;
import dev.einfall.ir.cascade.Combiner;
import dev.einfall.ir.cascade.Expr;
import dev.einfall.ir.cascade.Rank;
import dev.einfall.ir.cascade.Reduction;
import dev.einfall.ir.cascade.Tensor;
import dev.einfall.ir.cascade.Var;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/// Compiles the expressions of one Einsum over given arrays. Each rank in scope has a slot of the frame that holds its
/// coordinate.
final class ExprCompiler {
  private static final long MOST_MEMORISED = 1 << 24;

  private final Map<Tensor, Array> arrays;
  private final CascadeInterpreter.Sizes sizes;
  private final Collection<Tensor> states;
  private final Map<Rank, Integer> scope = new LinkedHashMap<>();
  private final Map<Var, Integer> operands = new LinkedHashMap<>();
  private int slots;

  /// @param states the tensors whose elements may change between two evaluations
  ExprCompiler(Map<Tensor, Array> arrays, CascadeInterpreter.Sizes sizes, Collection<Tensor> states) {
    this.arrays = arrays;
    this.sizes = sizes;
    this.states = states;
  }

  /// Brings `ranks` into scope; gives their space.
  Points bind(Collection<Rank> ranks) {
    ranks.forEach(rank -> scope.put(rank, slots++));
    return points(ranks);
  }

  /// Takes `ranks` out of scope; what was compiled keeps their slots.
  void release(Collection<Rank> ranks) {
    ranks.forEach(scope::remove);
  }

  private Points points(Collection<Rank> ranks) {
    int[] extents = ranks.stream().mapToInt(rank -> sizes.of(rank.size())).toArray();
    return new Points(ranks.stream().mapToInt(scope::get).toArray(), extents);
  }

  /// A frame for what was compiled so far.
  Frame frame() {
    return Frame.ofSlots(slots);
  }

  Value compile(Expr expr) {
    return switch (expr) {
      case Expr.FloatLiteral(ElementType type, double value) -> Values.number(Arithmetic.round(type, value));
      case Expr.IntLiteral(ElementType _, long value) -> Values.integer(value);
      case Expr.Coordinate(Rank rank) -> Values.variable(ElementType.I32, scope.get(rank), 1);
      case Expr.Extent extent -> Values.integer(sizes.number(extent.size()));
      case Expr.Access access -> access(access);
      case Expr.Unary unary -> Values.unary(unary.op(), unary.operand().type(), compile(unary.operand()));
      case Expr.Binary binary ->
          Values.binary(binary.op(), binary.left().type(), compile(binary.left()), compile(binary.right()));
      case Expr.Select(Expr condition, Expr whenTrue, Expr whenFalse) ->
          Values.select(whenTrue.type(), compile(condition), compile(whenTrue), compile(whenFalse));
      case Expr.Cast(ElementType type, Expr operand) -> Values.cast(operand.type(), type, compile(operand));
      case Expr.Bitcast(ElementType type, Expr operand) -> Values.bitcast(operand.type(), type, compile(operand));
      case Expr.Reduce reduce -> memorised(reduce, reduce(reduce));
      case Expr.Fold fold -> memorised(fold, fold(fold));
      case Expr.Ref(Var var) -> Values.variable(var.type(), operands.get(var), 1);
    };
  }

  /// Where an element of an array lies.
  interface Place {
    /// Its position; below 0 if it lies outside.
    int of(Frame frame);
  }

  /// The place of the element of `tensor` at `indices`.
  ///
  /// @param mayLeave whether an index may leave the bounds; it is an error otherwise
  Place place(Tensor tensor, List<Expr> indices, boolean mayLeave) {
    return offset(tensor, indices, mayLeave)::of;
  }

  // Accesses.

  private Value access(Expr.Access access) {
    Array array = arrays.get(access.tensor());
    Value outside = access.outside().map(this::compile).orElse(null);
    Offset offset = access.indices().stream().allMatch(index -> index instanceof Expr.Coordinate)
        ? coordinates(access, array) : offset(access.tensor(), access.indices(), access.outside().isPresent());
    if (array.type().isFloat()) {
      double[] numbers = array.numbers();
      return (Value.OfNumber) (frame, lane) -> {
        int at = offset.of(frame);
        return at < 0 ? outside.number(frame, lane) : numbers[at];
      };
    }
    long[] integers = array.integers();
    return (Value.OfInteger) (frame, lane) -> {
      int at = offset.of(frame);
      return at < 0 ? outside.integer(frame, lane) : integers[at];
    };
  }

  /// Where an element lies; below 0 if outside the bounds and the access allows it.
  private interface Offset {
    int of(Frame frame);
  }

  private Offset offset(Tensor tensor, List<Expr> exprs, boolean mayLeave) {
    Value[] indices = exprs.stream().map(this::compile).toArray(Value[]::new);
    int[] extents = arrays.get(tensor).shape();
    return frame -> {
      int at = 0;
      for (int i = 0; i < indices.length; i++) {
        long index = indices[i].integer(frame, 0);
        if (index < 0 || index >= extents[i]) {
          return outside(tensor, i, extents[i], index, mayLeave);
        }
        at = at * extents[i] + (int) index;
      }
      return at;
    };
  }

  /// As [#offset], where every index is a coordinate: the frequent case, without a call for each index.
  private Offset coordinates(Expr.Access access, Array array) {
    int[] indices = access.indices().stream().mapToInt(index -> scope.get(((Expr.Coordinate) index).rank())).toArray();
    int[] extents = array.shape();
    boolean mayLeave = access.outside().isPresent();
    return frame -> {
      int at = 0;
      for (int i = 0; i < indices.length; i++) {
        long index = frame.integers()[indices[i]];
        if (index >= extents[i]) {
          return outside(access.tensor(), i, extents[i], index, mayLeave);
        }
        at = at * extents[i] + (int) index;
      }
      return at;
    };
  }

  private static int outside(Tensor tensor, int dimension, int extent, long index, boolean mayLeave) {
    if (mayLeave) {
      return -1;
    }
    String requirement = "index " + (dimension + 1) + " of " + tensor.name() + " must be in 0.." + (extent - 1) + " but is";
    throw new KernelFault(requirement, Long.toString(index));
  }

  // Reductions.

  private Value reduce(Expr.Reduce reduce) {
    Points points = bind(reduce.ranks());
    Value body = compile(reduce.body());
    reduce.ranks().forEach(scope::remove);
    ElementType type = reduce.body().type();
    if (reduce.reduction().isPosition()) {
      return position(type, reduce.reduction() == Reduction.ARGMAX, points, body);
    }
    Expr identity = reduce.reduction().identity(type);
    if (type.isFloat()) {
      double start = ((Expr.FloatLiteral) identity).value();
      var combine = reduce.reduction().combine().onNumbers();
      boolean sum = reduce.reduction() == Reduction.SUM;
      return (Value.OfNumber) (frame, _) -> {
        double result = start;
        for (boolean more = points.first(frame); more; more = points.next(frame)) {
          double value = body.number(frame, 0);
          result = sum ? result + value : combine.applyAsDouble(result, value);
        }
        return result;
      };
    }
    long start = ((Expr.IntLiteral) identity).value();
    var combine = Arithmetic.ofIntegers(reduce.reduction().combine(), type);
    return (Value.OfInteger) (frame, _) -> {
      long result = start;
      for (boolean more = points.first(frame); more; more = points.next(frame)) {
        result = combine.applyAsLong(result, body.integer(frame, 0));
      }
      return result;
    };
  }

  /// The operands on the left hold what was combined so far.
  private Value fold(Expr.Fold fold) {
    Points points = bind(fold.ranks());
    Value[] bodies = fold.bodies().stream().map(this::compile).toArray(Value[]::new);
    fold.ranks().forEach(scope::remove);
    operands(fold.combiner().operands());
    Step start = combination(fold.combiner().identity(), fold.combiner().left());
    Step take = assignment(bodies, operands(fold.combiner().right()), fold.combiner().types());
    Step combine = combination(fold.combiner().combined(), fold.combiner().left());
    Value result = Values.variable(fold.type(), operands.get(fold.combiner().left().get(fold.component())), 1);
    Step all = frame -> {
      start.run(frame);
      for (boolean more = points.first(frame); more; more = points.next(frame)) {
        take.run(frame);
        combine.run(frame);
      }
    };
    return fold.type().isFloat() ? (Value.OfNumber) (frame, lane) -> {
      all.run(frame);
      return result.number(frame, lane);
    } : (Value.OfInteger) (frame, lane) -> {
      all.run(frame);
      return result.integer(frame, lane);
    };
  }

  private interface Step {
    void run(Frame frame);
  }

  /// What `combiner` makes of two values.
  Value combine(Combiner combiner, Value old, Value value) {
    Step take = assignment(new Value[] {old, value}, operands(combiner.operands()),
        combiner.operands().stream().map(Var::type).toList());
    Value combined = compile(combiner.combined().getFirst());
    return combined instanceof Value.OfNumber ? (Value.OfNumber) (frame, lane) -> {
      take.run(frame);
      return combined.number(frame, lane);
    } : (Value.OfInteger) (frame, lane) -> {
      take.run(frame);
      return combined.integer(frame, lane);
    };
  }

  /// The slots of the frame that hold `vars`.
  int[] operands(List<Var> vars) {
    return vars.stream().mapToInt(var -> operands.computeIfAbsent(var, _ -> slots++)).toArray();
  }

  private Step combination(List<Expr> values, List<Var> results) {
    int[] slots = operands(results);
    return assignment(values.stream().map(this::compile).toArray(Value[]::new), slots, results.stream().map(Var::type).toList());
  }

  /// Puts all values, once they are known, into the slots.
  private static Step assignment(Value[] values, int[] slots, List<ElementType> types) {
    double[] numbers = new double[values.length];
    long[] integers = new long[values.length];
    return frame -> {
      for (int i = 0; i < values.length; i++) {
        if (types.get(i).isFloat()) {
          numbers[i] = values[i].number(frame, 0);
        } else {
          integers[i] = values[i].integer(frame, 0);
        }
      }
      for (int i = 0; i < values.length; i++) {
        if (types.get(i).isFloat()) {
          frame.numbers()[slots[i]] = numbers[i];
        } else {
          frame.integers()[slots[i]] = integers[i];
        }
      }
    };
  }

  /// The first coordinate of an extreme value; 0 if there is none, or a value is NaN.
  private static Value position(ElementType type, boolean largest, Points points, Value body) {
    int slot = points.slots()[0];
    if (type.isFloat()) {
      return (Value.OfInteger) (frame, _) -> {
        double best = Double.NEGATIVE_INFINITY;
        long position = 0;
        for (boolean more = points.first(frame); more; more = points.next(frame)) {
          double value = largest ? body.number(frame, 0) : -body.number(frame, 0);
          if (Double.isNaN(value)) {
            return 0;
          }
          if (value > best) {
            best = value;
            position = frame.integers()[slot];
          }
        }
        return position;
      };
    }
    return (Value.OfInteger) (frame, _) -> {
      long best = 0;
      long position = 0;
      for (boolean more = points.first(frame); more; more = points.next(frame)) {
        long value = body.integer(frame, 0);
        long coordinate = frame.integers()[slot];
        if (coordinate == 0 || (largest ? value > best : value < best)) {
          best = value;
          position = coordinate;
        }
      }
      return position;
    };
  }

  /// `value`, remembered for each point of the ranks that `reduce` depends on, if these are fewer than all in scope.
  private Value memorised(Expr reduce, Value value) {
    Set<Rank> free = free(reduce);
    long points = free.stream().mapToLong(rank -> sizes.of(rank.size())).reduce(1, (a, b) -> Math.min(a * b, 1L << 31));
    boolean changes = reduce.nodes().anyMatch(node -> node instanceof Expr.Access access && states.contains(access.tensor()));
    if (changes || free.size() == scope.size() || points > MOST_MEMORISED) {
      return value;
    }
    Points space = points(free);
    boolean[] known = new boolean[(int) points];
    Offset offset = frame -> {
      int at = 0;
      for (int i = 0; i < space.extents().length; i++) {
        at = at * space.extents()[i] + (int) frame.integers()[space.slots()[i]];
      }
      return at;
    };
    return remember(reduce.type(), value, offset, known);
  }

  private static Value remember(ElementType type, Value value, Offset offset, boolean[] known) {
    if (type.isFloat()) {
      double[] numbers = new double[known.length];
      return (Value.OfNumber) (frame, lane) -> {
        int at = offset.of(frame);
        if (!known[at]) {
          numbers[at] = value.number(frame, lane);
          known[at] = true;
        }
        return numbers[at];
      };
    }
    long[] integers = new long[known.length];
    return (Value.OfInteger) (frame, lane) -> {
      int at = offset.of(frame);
      if (!known[at]) {
        integers[at] = value.integer(frame, lane);
        known[at] = true;
      }
      return integers[at];
    };
  }

  /// The ranks in scope that `reduce` depends on.
  private Set<Rank> free(Expr reduce) {
    Set<Rank> free = new LinkedHashSet<>();
    reduce.nodes().forEach(node -> {
      if (node instanceof Expr.Coordinate(Rank rank) && scope.containsKey(rank)) {
        free.add(rank);
      }
    });
    return free;
  }
}
