package dev.einfall.backends.jvm;

import static dev.einfall.ir.ElementType.BOOL;
import static dev.einfall.ir.ElementType.I32;

import dev.einfall.backends.kernel.LinearIndex;
import dev.einfall.ir.BinaryOp;
import dev.einfall.ir.ElementType;
import dev.einfall.ir.InternalException;
import dev.einfall.ir.Span;
import dev.einfall.ir.loop.Buffer;
import dev.einfall.ir.loop.Expr;
import dev.einfall.ir.loop.Stmt;
import dev.einfall.ir.loop.TileShape;
import dev.einfall.ir.loop.ValueType;
import dev.einfall.ir.loop.Var;
import java.util.ArrayList;
import java.util.IdentityHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Predicate;

/// Replaces the operations on vectors that the Vector API does not have by loops over lanes through local memory.
///
/// ```
/// Y[ramp(0, 1, 8)] = sin(X[ramp(0, 1, 8)]) + b    =>    alloc sin: f32[8] in local {
///                                                         for lane in 0..8 {
///                                                           sin[lane] = sin(X[lane])
///                                                         }
///                                                         Y[ramp(0, 1, 8)] = sin[ramp(0, 1, 8)] + b
///                                                       }
/// ```
final class LanesToLoops {

  /// Local memory that a statement needs filled before it runs.
  private record Spill(Buffer buffer, Stmt fill) {}

  private final Predicate<Expr> supports;
  private final Predicate<ValueType> holds;
  private final Map<Var, Buffer> variables = new IdentityHashMap<>();
  private final Map<Buffer, Buffer> registers = new IdentityHashMap<>();
  private final Set<String> reasons = new LinkedHashSet<>();

  /// Lowers for the Vector API, or, without `vectors`, everything.
  LanesToLoops(boolean vectors) {
    this.supports = vectors ? VectorSupport::supports : _ -> false;
    this.holds = vectors ? VectorSupport::holds : _ -> false;
  }

  /// What was replaced, each as text.
  Set<String> reasons() {
    return reasons;
  }

  Stmt lower(Stmt stmt) {
    List<Spill> spills = new ArrayList<>();
    Stmt lowered = switch (stmt) {
      case Stmt.Block block -> block.mapChildren(this::lower, expr -> expr);
      case Stmt.For loop ->
          new Stmt.For(loop.var(), lower(loop.extent(), spills), loop.kind(), lower(loop.body()), loop.span());
      case Stmt.Store store -> lowerStore(store, spills);
      case Stmt.Alloc alloc -> lowerAlloc(alloc);
      case Stmt.If branch ->
          new Stmt.If(lower(branch.condition(), spills), lower(branch.whenTrue()), lower(branch.whenFalse()));
      case Stmt.Let let -> lowerLet(let, spills);
      case Stmt.Barrier barrier -> barrier;
      case Stmt.Require check ->
          new Stmt.Require(lower(check.condition(), spills), check.message(), lower(check.value(), spills));
    };
    for (Spill spill : spills.reversed()) {
      lowered = new Stmt.Alloc(spill.buffer(), Stmt.block(spill.fill(), lowered));
    }
    return lowered;
  }

  private Stmt lowerStore(Stmt.Store store, List<Spill> spills) {
    Buffer buffer = registers.getOrDefault(store.buffer(), store.buffer());
    ValueType type = store.value().type();
    if (!type.isVector()) {
      return new Stmt.Store(buffer, lowerIndices(store.indices(), spills), lower(store.value(), spills));
    }
    boolean direct = type.element() != BOOL && holds.test(type)
        && (buffer.space() == Buffer.Space.REGISTER || VectorSupport.isContiguous(buffer, store.indices()));
    if (direct) {
      return new Stmt.Store(buffer, lowerIndices(store.indices(), spills), lower(store.value(), spills));
    }
    reasons.add("a store of " + type + (holds.test(type) ? " to elements that are not neighbours" : ""));
    Buffer values = spillLanes(store.value(), spills);
    Var lane = Var.counter("lane");
    List<Expr> indices = store.indices().stream().map(index -> lane(index, new Expr.Ref(lane), spills)).toList();
    return loop(lane, type.lanes(), new Stmt.Store(buffer, indices, load(values, new Expr.Ref(lane))));
  }

  private Stmt lowerAlloc(Stmt.Alloc alloc) {
    Buffer buffer = alloc.buffer();
    if (buffer.space() != Buffer.Space.REGISTER || alloc.body().nodes().allMatch(stmt -> fitsRegisters(buffer, stmt))) {
      return new Stmt.Alloc(buffer, lower(alloc.body()));
    }
    reasons.add("registers " + buffer);
    Buffer local = new Buffer(buffer.name(), buffer.type(), buffer.extents(), Buffer.Space.LOCAL);
    registers.put(buffer, local);
    return new Stmt.Alloc(local, lower(alloc.body()));
  }

  private boolean fitsRegisters(Buffer buffer, Stmt stmt) {
    boolean stored = !(stmt instanceof Stmt.Store store) || store.buffer() != buffer
        || fitsRegister(buffer, store.indices());
    return stored && stmt.exprs().flatMap(Expr::nodes)
        .allMatch(expr -> !(expr instanceof Expr.Load load) || load.buffer() != buffer
            || fitsRegister(buffer, load.indices()));
  }

  private boolean fitsRegister(Buffer buffer, List<Expr> indices) {
    ValueType type = new ValueType(buffer.type(), Expr.lanes(indices));
    return (!type.isVector() || type.element() != BOOL && holds.test(type))
        && LinearIndex.flat(buffer, indices).filter(index -> index.terms().isEmpty()).isPresent();
  }

  private Stmt lowerLet(Stmt.Let let, List<Spill> spills) {
    ValueType type = let.var().type();
    if (!type.isVector() || holds.test(type)) {
      return new Stmt.Let(let.var(), lower(let.value(), spills), lower(let.body()));
    }
    reasons.add("a variable of type " + type);
    variables.put(let.var(), spillLanes(let.value(), spills));
    return lower(let.body());
  }

  /// `expr` with what is not supported replaced by loads of what `spills` fill.
  private Expr lower(Expr expr, List<Spill> spills) {
    if (!expr.type().isVector()) {
      return lowerScalar(expr, spills);
    }
    if (supports.test(expr)) {
      return switch (expr) {
        case Expr.Load load ->
            new Expr.Load(registers.getOrDefault(load.buffer(), load.buffer()), lowerIndices(load.indices(), spills));
        case Expr.Cast(ElementType element, Expr.Load load) when !holds.test(load.type()) ->
            new Expr.Cast(element, new Expr.Load(load.buffer(), lowerIndices(load.indices(), spills)));
        default -> expr.mapChildren(operand -> lower(operand, spills));
      };
    }
    reasons.add(describe(expr));
    int lanes = expr.type().lanes();
    if (expr.type().element() != BOOL) {
      return load(spillLanes(expr, spills), new Expr.Ramp(Expr.index(0), 1, lanes));
    }
    Expr numbers = load(spillLanes(new Expr.Cast(I32, expr), spills), new Expr.Ramp(Expr.index(0), 1, lanes));
    return new Expr.Binary(BinaryOp.NE, numbers, new Expr.Broadcast(Expr.index(0), lanes));
  }

  private Expr lowerScalar(Expr expr, List<Spill> spills) {
    return switch (expr) {
      case Expr.Load load ->
          new Expr.Load(registers.getOrDefault(load.buffer(), load.buffer()), lowerIndices(load.indices(), spills));
      case Expr.ReduceLanes reduce when supports.test(reduce) -> reduce.mapChildren(operand -> lower(operand, spills));
      case Expr.ReduceLanes reduce -> reduceByLoop(reduce, spills);
      default -> expr.mapChildren(operand -> lower(operand, spills));
    };
  }

  private List<Expr> lowerIndices(List<Expr> indices, List<Spill> spills) {
    return indices.stream().map(index -> lowerIndex(index, spills)).toList();
  }

  private Expr lowerIndex(Expr index, List<Spill> spills) {
    return index.type().isVector()
        ? index.mapChildren(operand -> lowerIndex(operand, spills))
        : lowerScalar(index, spills);
  }

  private Expr reduceByLoop(Expr.ReduceLanes reduce, List<Spill> spills) {
    reasons.add(describe(reduce));
    Buffer values = spillLanes(reduce.operand(), spills);
    ElementType element = reduce.type().element();
    Buffer sum = new Buffer("reduced", element, List.of(1), Buffer.Space.LOCAL);
    Var lane = Var.counter("lane");
    Expr next = load(values, new Expr.Binary(BinaryOp.ADD, new Expr.Ref(lane), Expr.index(1)));
    Stmt step = new Stmt.Store(sum, List.of(Expr.index(0)), new Expr.Binary(reduce.op(), load(sum, Expr.index(0)), next));
    Stmt first = new Stmt.Store(sum, List.of(Expr.index(0)), load(values, Expr.index(0)));
    spills.add(new Spill(sum, Stmt.block(first, loop(lane, reduce.operand().type().lanes() - 1, step))));
    return load(sum, Expr.index(0));
  }

  /// Local memory that holds the lanes of `vector`.
  private Buffer spillLanes(Expr vector, List<Spill> spills) {
    int lanes = vector.type().lanes();
    Buffer buffer = new Buffer("lanes", vector.type().element(), List.of(lanes), Buffer.Space.LOCAL);
    Var lane = Var.counter("lane");
    Stmt fill = new Stmt.Store(buffer, List.of(new Expr.Ref(lane)), lane(vector, new Expr.Ref(lane), spills));
    spills.add(new Spill(buffer, loop(lane, lanes, fill)));
    return buffer;
  }

  /// The value of `expr` in `lane`.
  private Expr lane(Expr expr, Expr lane, List<Spill> spills) {
    if (!expr.type().isVector()) {
      return lower(expr, spills);
    }
    return switch (expr) {
      case Expr.Ref ref when variables.containsKey(ref.var()) -> load(variables.get(ref.var()), lane);
      case Expr.Ref ref -> laneOfRegister(ref, lane, spills);
      case Expr.Load load when inRegisters(load.buffer()) -> laneOfRegister(load, lane, spills);
      case Expr.Load load -> new Expr.Load(registers.getOrDefault(load.buffer(), load.buffer()),
          load.indices().stream().map(index -> lane(index, lane, spills)).toList());
      case Expr.Ramp(Expr base, int stride, _) -> new Expr.Binary(BinaryOp.ADD, lower(base, spills),
          new Expr.Binary(BinaryOp.MUL, lane, Expr.index(stride)));
      case Expr.Broadcast(Expr operand, _) -> lower(operand, spills);
      case Expr.Unary _, Expr.Binary _, Expr.Fma _, Expr.Select _, Expr.Cast _, Expr.Bitcast _ ->
          expr.mapChildren(operand -> lane(operand, lane, spills));
      case Expr.Zip zip -> laneOfZip(zip, lane, spills);
      case Expr.Permute permute -> laneOfPermute(permute, lane, spills);
      case Expr.PermuteBytes permute -> laneOfPermuteBytes(permute, lane, spills);
      case Expr.AddHalves(Expr left, Expr right) -> sumOfHalves(lane(left, lane, spills), lane(right, lane, spills));
      case Expr.Dot dot -> laneOfDot(dot, lane, spills);
      case Expr.TileProduct product -> laneOfTileProduct(product, lane, spills);
      case Expr.FloatLiteral _, Expr.IntLiteral _, Expr.ReduceLanes _ ->
          throw new InternalException("vector " + expr);
    };
  }

  private Expr laneOfZip(Expr.Zip zip, Expr lane, List<Spill> spills) {
    int half = zip.type().lanes() / 2;
    Expr pair = new Expr.Binary(BinaryOp.DIV, lane, Expr.index(2));
    Expr from = zip.upper() ? new Expr.Binary(BinaryOp.ADD, pair, Expr.index(half)) : pair;
    Expr isLeft = new Expr.Binary(BinaryOp.EQ, new Expr.Binary(BinaryOp.MOD, lane, Expr.index(2)), Expr.index(0));
    return new Expr.Select(isLeft, lane(zip.left(), from, spills), lane(zip.right(), from, spills));
  }

  /// A lane of the table, which lies in memory for that.
  private Expr laneOfPermute(Expr.Permute permute, Expr lane, List<Spill> spills) {
    Expr index = lane(permute.indices(), lane, spills);
    List<Buffer> tables = permute.tables().reversed().stream().map(table -> spillLanes(table, spills)).toList().reversed();
    return loadFromAll(tables, index, permute.type().lanes());
  }

  /// The element of `tables`, of so many lanes each, at `index` of all.
  private static Expr loadFromAll(List<Buffer> tables, Expr index, int lanes) {
    Expr place = tables.size() == 1 ? index : new Expr.Binary(BinaryOp.MOD, index, Expr.index(lanes));
    Expr result = load(tables.getLast(), place);
    for (int i = tables.size() - 2; i >= 0; i--) {
      Expr isHere = new Expr.Binary(BinaryOp.LT, index, Expr.index((long) (i + 1) * lanes));
      result = new Expr.Select(isHere, load(tables.get(i), place), result);
    }
    return result;
  }

  /// The bytes of a lane one after the other, of the table that lies in memory for that.
  private Expr laneOfPermuteBytes(Expr.PermuteBytes permute, Expr lane, List<Spill> spills) {
    List<Buffer> tables = permute.tables().stream().map(table -> spillLanes(table, spills)).toList();
    int length = permute.length();
    Expr word = lane(permute.words(), lane, spills);
    Expr result = Expr.index(0);
    for (int shift = 0; shift < Integer.SIZE; shift += Byte.SIZE) {
      Expr number = new Expr.Binary(BinaryOp.AND, new Expr.Binary(BinaryOp.SHR, word, Expr.index(shift)), Expr.index(length - 1L));
      Expr four = loadFromAll(tables, new Expr.Binary(BinaryOp.DIV, number, Expr.index(Integer.BYTES)), permute.type().lanes());
      Expr place = new Expr.Binary(BinaryOp.MUL, new Expr.Binary(BinaryOp.MOD, number, Expr.index(Integer.BYTES)), Expr.index(Byte.SIZE));
      Expr chosen = new Expr.Binary(BinaryOp.AND, new Expr.Binary(BinaryOp.SHR, four, place), Expr.index(0xff));
      result = new Expr.Binary(BinaryOp.OR, result, new Expr.Binary(BinaryOp.SHL, chosen, Expr.index(shift)));
    }
    return result;
  }

  private static Expr sumOfHalves(Expr left, Expr right) {
    Expr mask = Expr.index(0xffff0000);
    Expr high = new Expr.Binary(BinaryOp.ADD, new Expr.Binary(BinaryOp.AND, left, mask), new Expr.Binary(BinaryOp.AND, right, mask));
    Expr low = new Expr.Binary(BinaryOp.AND, new Expr.Binary(BinaryOp.ADD, left, right), Expr.index(0xffff));
    return new Expr.Binary(BinaryOp.OR, high, low);
  }

  private Expr laneOfDot(Expr.Dot dot, Expr lane, List<Spill> spills) {
    ElementType element = dot.type().element();
    int terms = dot.shape().terms();
    Expr sum = lane(dot.sum(), lane, spills);
    Expr first = new Expr.Binary(BinaryOp.MUL, lane, Expr.index(terms));
    for (int term = 0; term < terms; term++) {
      Expr at = new Expr.Binary(BinaryOp.ADD, first, Expr.index(term));
      Expr left = new Expr.Cast(element, lane(dot.left(), at, spills));
      Expr right = new Expr.Cast(element, lane(dot.right(), at, spills));
      sum = new Expr.Binary(BinaryOp.ADD, sum, new Expr.Binary(BinaryOp.MUL, left, right));
    }
    return sum;
  }

  private Expr laneOfTileProduct(Expr.TileProduct product, Expr lane, List<Spill> spills) {
    TileShape shape = product.shape();
    Expr row = new Expr.Binary(BinaryOp.DIV, lane, Expr.index(shape.columns()));
    Expr column = new Expr.Binary(BinaryOp.MOD, lane, Expr.index(shape.columns()));
    Expr first = new Expr.Binary(BinaryOp.MUL, row, Expr.index(shape.steps()));
    Expr below = new Expr.Binary(BinaryOp.MUL, column, Expr.index(shape.packed()));
    Expr sum = lane(product.sum(), lane, spills);
    for (int step = 0; step < shape.steps(); step++) {
      int line = step / shape.packed() * shape.columns() * shape.packed() + step % shape.packed();
      Expr left = new Expr.Cast(shape.sum(), lane(product.left(), new Expr.Binary(BinaryOp.ADD, first, Expr.index(step)), spills));
      Expr right = new Expr.Cast(shape.sum(), lane(product.right(), new Expr.Binary(BinaryOp.ADD, below, Expr.index(line)), spills));
      sum = new Expr.Binary(BinaryOp.ADD, sum, new Expr.Binary(BinaryOp.MUL, left, right));
    }
    return sum;
  }

  private boolean inRegisters(Buffer buffer) {
    return buffer.space() == Buffer.Space.REGISTER && !registers.containsKey(buffer);
  }

  /// The value in `lane` of `vector`, which the Vector API holds.
  private Expr laneOfRegister(Expr vector, Expr lane, List<Spill> spills) {
    ValueType type = vector.type();
    if (type.element() == BOOL) {
      Expr one = new Expr.Broadcast(Expr.index(1), type.lanes());
      Expr zero = new Expr.Broadcast(Expr.index(0), type.lanes());
      Expr number = laneOfRegister(new Expr.Select(vector, one, zero), lane, spills);
      return new Expr.Binary(BinaryOp.NE, number, Expr.index(0));
    }
    Buffer buffer = new Buffer("lanes", type.element(), List.of(type.lanes()), Buffer.Space.LOCAL);
    spills.add(new Spill(buffer,
        new Stmt.Store(buffer, List.of(new Expr.Ramp(Expr.index(0), 1, type.lanes())), vector)));
    return load(buffer, lane);
  }

  private static String describe(Expr expr) {
    return switch (expr) {
      case Expr.Unary unary -> unary.op().text() + " of " + unary.type();
      case Expr.Binary binary -> binary.op().text() + " of " + binary.left().type();
      case Expr.ReduceLanes reduce -> "reduction by " + reduce.op().text() + " of " + reduce.operand().type();
      case Expr.Cast cast -> "conversion of " + cast.operand().type() + " to " + cast.element();
      case Expr.Load load when VectorSupport.holds(load.type()) -> "a load of " + load.type() + " from elements that are not neighbours";
      case Expr.Load load -> "a load of " + load.type();
      case Expr.FloatLiteral _, Expr.IntLiteral _, Expr.Ref _, Expr.Fma _, Expr.Select _, Expr.Bitcast _, Expr.Ramp _,
          Expr.Broadcast _, Expr.Zip _, Expr.Permute _, Expr.PermuteBytes _, Expr.AddHalves _, Expr.Dot _, Expr.TileProduct _ -> "a value of type " + expr.type();
    };
  }

  private static Expr load(Buffer buffer, Expr index) {
    return new Expr.Load(buffer, List.of(index));
  }

  private static Stmt loop(Var var, int extent, Stmt body) {
    return new Stmt.For(var, Expr.index(extent), Stmt.For.Kind.SERIAL, body, Span.NONE);
  }
}
