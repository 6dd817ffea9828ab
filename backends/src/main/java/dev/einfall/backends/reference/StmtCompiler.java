package dev.einfall.backends.reference;

import dev.einfall.backends.KernelFault;
import dev.einfall.ir.BinaryOp;
import dev.einfall.ir.ElementType;
import dev.einfall.ir.InternalException;
import dev.einfall.ir.loop.Buffer;
import dev.einfall.ir.loop.Expr;
import dev.einfall.ir.loop.Stmt;
import dev.einfall.ir.loop.TileShape;
import dev.einfall.ir.loop.Var;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/// Compiles the statements and expressions of one kernel over given arrays. Each variable has slots of the frame, one a
/// lane.
final class StmtCompiler {

  /// A compiled statement.
  interface Action {
    void run(Frame frame);
  }

  private final Map<Buffer, Array> arrays;
  private final Map<Var, Integer> slotOf = new LinkedHashMap<>();
  private int slots;

  StmtCompiler(Map<Buffer, Array> arrays) {
    this.arrays = arrays;
  }

  /// A frame for what was compiled so far.
  Frame frame() {
    return Frame.ofSlots(slots);
  }

  // Statements.

  Action compile(Stmt statement) {
    return switch (statement) {
      case Stmt.Block(List<Stmt> statements) -> block(statements.stream().map(this::compile).toArray(Action[]::new));
      // Threads run one after the other, each loop to its end.
      case Stmt.Barrier _ -> _ -> { };
      case Stmt.For loop -> loop(compile(loop.extent()), bind(loop.var()), compile(loop.body()));
      case Stmt.Store store -> store(store);
      case Stmt.Alloc(Buffer buffer, Stmt body) -> {
        Array array = KernelInterpreter.newArray(buffer);
        arrays.put(buffer, array);
        Action inside = compile(body);
        yield frame -> {
          array.poison();
          inside.run(frame);
        };
      }
      case Stmt.If(Expr condition, Stmt whenTrue, Stmt whenFalse) -> {
        Value holds = compile(condition);
        Action yes = compile(whenTrue);
        Action no = compile(whenFalse);
        yield frame -> (holds.integer(frame, 0) != 0 ? yes : no).run(frame);
      }
      case Stmt.Let let -> let(let);
      case Stmt.Require require -> require(require);
    };
  }

  private static Action block(Action[] actions) {
    return frame -> {
      for (Action action : actions) {
        action.run(frame);
      }
    };
  }

  private static Action loop(Value extent, int slot, Action body) {
    return frame -> {
      long end = extent.integer(frame, 0);
      for (long i = 0; i < end; i++) {
        frame.integers()[slot] = i;
        body.run(frame);
      }
    };
  }

  /// All lanes are computed before the first is stored.
  private Action store(Stmt.Store store) {
    Array array = arrays.get(store.buffer());
    Offset offset = offset(store.buffer(), store.indices());
    Value value = compile(store.value());
    int lanes = store.value().type().lanes();
    if (array.type().isFloat()) {
      double[] numbers = new double[lanes];
      return frame -> {
        for (int lane = 0; lane < lanes; lane++) {
          numbers[lane] = value.number(frame, lane);
        }
        for (int lane = 0; lane < lanes; lane++) {
          array.numbers()[offset.of(frame, lane)] = numbers[lane];
        }
      };
    }
    long[] integers = new long[lanes];
    return frame -> {
      for (int lane = 0; lane < lanes; lane++) {
        integers[lane] = value.integer(frame, lane);
      }
      for (int lane = 0; lane < lanes; lane++) {
        array.integers()[offset.of(frame, lane)] = integers[lane];
      }
    };
  }

  private Action let(Stmt.Let let) {
    Value value = compile(let.value());
    int slot = bind(let.var());
    int lanes = let.var().type().lanes();
    boolean number = let.var().type().element().isFloat();
    Action body = compile(let.body());
    return frame -> {
      for (int lane = 0; lane < lanes; lane++) {
        if (number) {
          frame.numbers()[slot + lane] = value.number(frame, lane);
        } else {
          frame.integers()[slot + lane] = value.integer(frame, lane);
        }
      }
      body.run(frame);
    };
  }

  private Action require(Stmt.Require require) {
    Value condition = compile(require.condition());
    Value value = compile(require.value());
    boolean number = require.value().type().element().isFloat();
    return frame -> {
      if (condition.integer(frame, 0) == 0) {
        throw new KernelFault(require.message(),
            number ? Double.toString(value.number(frame, 0)) : Long.toString(value.integer(frame, 0)));
      }
    };
  }

  private int bind(Var var) {
    int slot = slots;
    slotOf.put(var, slot);
    slots += var.type().lanes();
    return slot;
  }

  // Expressions.

  private Value compile(Expr expr) {
    ElementType type = expr.type().element();
    return switch (expr) {
      case Expr.Unary _, Expr.Binary _, Expr.Fma _, Expr.Cast _, Expr.ReduceLanes _, Expr.Dot _, Expr.TileProduct _ when type.isFloat() ->
          rounded(type, exact(expr));
      default -> exact(expr);
    };
  }

  /// What a floating-point operation gives, in the width of its type: kernels take numbers apart by their bits.
  private static Value rounded(ElementType type, Value value) {
    return switch (type) {
      case F64 -> value;
      case F32 -> (Value.OfNumber) (frame, lane) -> (float) value.number(frame, lane);
      default -> (Value.OfNumber) (frame, lane) -> Arithmetic.round(type, value.number(frame, lane));
    };
  }

  private Value exact(Expr expr) {
    ElementType type = expr.type().element();
    return switch (expr) {
      case Expr.FloatLiteral(ElementType element, double value) -> Values.number(Arithmetic.round(element, value));
      case Expr.IntLiteral(ElementType _, long value) -> Values.integer(value);
      case Expr.Ref(Var var) -> Values.variable(type, slotOf.get(var), var.type().lanes());
      case Expr.Load load -> load(load);
      case Expr.Unary unary -> Values.unary(unary.op(), type, compile(unary.operand()));
      case Expr.Binary binary ->
          Values.binary(binary.op(), binary.left().type().element(), compile(binary.left()), compile(binary.right()));
      case Expr.Fma(Expr a, Expr b, Expr c) -> fma(type, compile(a), compile(b), compile(c));
      case Expr.Select(Expr condition, Expr whenTrue, Expr whenFalse) ->
          Values.select(type, compile(condition), compile(whenTrue), compile(whenFalse));
      case Expr.Cast(ElementType element, Expr operand) ->
          Values.cast(operand.type().element(), element, compile(operand));
      case Expr.Bitcast(ElementType element, Expr operand) ->
          Values.bitcast(operand.type().element(), element, compile(operand));
      case Expr.Ramp(Expr base, int stride, int _) -> {
        Value start = compile(base);
        yield (Value.OfInteger) (frame, lane) -> (int) (start.integer(frame, 0) + (long) stride * lane);
      }
      case Expr.Broadcast(Expr operand, int _) -> broadcast(type, compile(operand));
      case Expr.ReduceLanes(BinaryOp op, Expr operand) ->
          reduceLanes(op, type, operand.type().lanes(), compile(operand));
      case Expr.Zip zip -> zip(type, zip.upper() ? zip.type().lanes() / 2 : 0, compile(zip.left()), compile(zip.right()));
      case Expr.Permute permute -> permute(type, permute.type().lanes(), compile(permute.indices()), permute.tables().stream().map(this::compile).toList());
      case Expr.PermuteBytes permute -> permuteBytes(permute.length(), compile(permute.words()), permute.tables().stream().map(this::compile).toList());
      case Expr.AddHalves(Expr left, Expr right) -> addHalves(compile(left), compile(right));
      case Expr.TileProduct(Expr sum, Expr left, Expr right, TileShape shape) -> tileProduct(shape, compile(sum), compile(left), compile(right));
      case Expr.Dot dot -> dot(type, dot.shape().terms(), compile(dot.sum()), compile(dot.left()), compile(dot.right()));
    };
  }

  /// Rounded once: in double precision the sum of a product, which is exact there, would be rounded to that first.
  private static Value fma(ElementType type, Value a, Value b, Value c) {
    return type == ElementType.F32
        ? (Value.OfNumber) (frame, lane) ->
            Math.fma((float) a.number(frame, lane), (float) b.number(frame, lane), (float) c.number(frame, lane))
        : (Value.OfNumber) (frame, lane) -> Math.fma(a.number(frame, lane), b.number(frame, lane), c.number(frame, lane));
  }

  private static Value zip(ElementType type, int from, Value left, Value right) {
    return type.isFloat() ? (Value.OfNumber) (frame, lane) -> (lane % 2 == 0 ? left : right).number(frame, from + lane / 2)
        : (Value.OfInteger) (frame, lane) -> (lane % 2 == 0 ? left : right).integer(frame, from + lane / 2);
  }

  private static Value permute(ElementType type, int lanes, Value indices, List<Value> tables) {
    if (type.isFloat()) {
      return (Value.OfNumber) (frame, lane) -> {
        int index = (int) indices.integer(frame, lane);
        return tables.get(index / lanes).number(frame, index % lanes);
      };
    }
    return (Value.OfInteger) (frame, lane) -> {
      int index = (int) indices.integer(frame, lane);
      return tables.get(index / lanes).integer(frame, index % lanes);
    };
  }

  private static Value permuteBytes(int length, Value words, List<Value> tables) {
    int lanes = length / Integer.BYTES / tables.size();
    return (Value.OfInteger) (frame, lane) -> {
      int word = (int) words.integer(frame, lane);
      int result = 0;
      for (int shift = 0; shift < Integer.SIZE; shift += Byte.SIZE) {
        int number = word >>> shift & length - 1;
        int place = number / Integer.BYTES;
        result |= ((int) tables.get(place / lanes).integer(frame, place % lanes) >>> Byte.SIZE * (number % Integer.BYTES) & 0xff) << shift;
      }
      return result;
    };
  }

  private static Value addHalves(Value left, Value right) {
    return (Value.OfInteger) (frame, lane) -> {
      int a = (int) left.integer(frame, lane);
      int b = (int) right.integer(frame, lane);
      return (a & 0xffff0000) + (b & 0xffff0000) | a + b & 0xffff;
    };
  }

  /// The sum of products that are exact is rounded once, as if it were exact.
  private static Value dot(ElementType type, int terms, Value sum, Value left, Value right) {
    if (type.isFloat()) {
      return (Value.OfNumber) (frame, lane) -> {
        double result = sum.number(frame, lane);
        for (int at = lane * terms; at < (lane + 1) * terms; at++) {
          result += left.number(frame, at) * right.number(frame, at);
        }
        return result;
      };
    }
    return (Value.OfInteger) (frame, lane) -> {
      long result = sum.integer(frame, lane);
      for (int at = lane * terms; at < (lane + 1) * terms; at++) {
        result += left.integer(frame, at) * right.integer(frame, at);
      }
      return Arithmetic.wrap(type, result);
    };
  }

  /// As the sums of dots.
  private static Value tileProduct(TileShape shape, Value sum, Value left, Value right) {
    int columns = shape.columns();
    int steps = shape.steps();
    int packed = shape.packed();
    if (shape.sum().isFloat()) {
      return (Value.OfNumber) (frame, lane) -> {
        double result = sum.number(frame, lane);
        for (int step = 0; step < steps; step++) {
          result += left.number(frame, lane / columns * steps + step)
              * right.number(frame, (step / packed * columns + lane % columns) * packed + step % packed);
        }
        return result;
      };
    }
    return (Value.OfInteger) (frame, lane) -> {
      long result = sum.integer(frame, lane);
      for (int step = 0; step < steps; step++) {
        result += left.integer(frame, lane / columns * steps + step)
            * right.integer(frame, (step / packed * columns + lane % columns) * packed + step % packed);
      }
      return Arithmetic.wrap(shape.sum(), result);
    };
  }

  private Value load(Expr.Load load) {
    Array array = arrays.get(load.buffer());
    Offset offset = offset(load.buffer(), load.indices());
    return array.type().isFloat()
        ? (Value.OfNumber) (frame, lane) -> array.numbers()[offset.of(frame, lane)]
        : (Value.OfInteger) (frame, lane) -> array.integers()[offset.of(frame, lane)];
  }

  private interface Offset {
    int of(Frame frame, int lane);
  }

  private Offset offset(Buffer buffer, List<Expr> exprs) {
    Value[] indices = exprs.stream().map(this::compile).toArray(Value[]::new);
    int[] extents = buffer.extents().stream().mapToInt(Integer::intValue).toArray();
    return (frame, lane) -> {
      int at = 0;
      for (int i = 0; i < indices.length; i++) {
        long index = indices[i].integer(frame, lane);
        if (index < 0 || index >= extents[i]) {
          throw new InternalException("index " + i + " of " + buffer + " is " + index);
        }
        at = at * extents[i] + (int) index;
      }
      return at;
    };
  }

  private static Value broadcast(ElementType type, Value operand) {
    return type.isFloat() ? (Value.OfNumber) (frame, _) -> operand.number(frame, 0)
        : (Value.OfInteger) (frame, _) -> operand.integer(frame, 0);
  }

  private static Value reduceLanes(BinaryOp op, ElementType type, int lanes, Value operand) {
    if (type.isFloat()) {
      var combine = op.onNumbers();
      return (Value.OfNumber) (frame, _) -> {
        double result = operand.number(frame, 0);
        for (int lane = 1; lane < lanes; lane++) {
          result = combine.applyAsDouble(result, operand.number(frame, lane));
        }
        return result;
      };
    }
    var combine = Arithmetic.ofIntegers(op, type);
    return (Value.OfInteger) (frame, _) -> {
      long result = operand.integer(frame, 0);
      for (int lane = 1; lane < lanes; lane++) {
        result = combine.applyAsLong(result, operand.integer(frame, lane));
      }
      return result;
    };
  }
}
