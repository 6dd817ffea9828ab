package dev.einfall.passes.loop;

import dev.einfall.ir.BinaryOp;
import dev.einfall.ir.loop.Buffer;
import dev.einfall.ir.loop.Expr;
import dev.einfall.ir.loop.Stmt;
import dev.einfall.ir.loop.Var;
import dev.einfall.passes.Numerics;
import java.util.ArrayList;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;

/// Turns the body of a loop into one that does `lanes` iterations at once, those from `base` on.
final class LaneVectorizer {

  /// Something in the body differs from lane to lane that must not.
  static final class Varies extends RuntimeException {
    private static final long serialVersionUID = 1L;

    Varies(String what) {
      super(what, null, false, false);
    }
  }

  private final Var counter;
  private final Expr base;
  private final int lanes;
  private final Numerics numerics;
  private final Map<Var, Var> vectors = new IdentityHashMap<>();
  private final Map<Var, Var> copies = new IdentityHashMap<>();
  private final Map<Buffer, Buffer> widened = new IdentityHashMap<>();

  LaneVectorizer(Var counter, Expr base, int lanes, Numerics numerics) {
    this.counter = counter;
    this.base = base;
    this.lanes = lanes;
    this.numerics = numerics;
  }

  Stmt vectorize(Stmt statement) {
    return switch (statement) {
      case Stmt.Block(List<Stmt> statements) -> Stmt.block(statements.stream().map(this::vectorize).toList());
      case Stmt.For loop -> {
        Expr extent = scalar(loop.extent(), "the extent of loop " + loop.var().name());
        Var own = loop.var().copy();
        copies.put(loop.var(), own);
        yield new Stmt.For(own, extent, loop.kind(), vectorize(loop.body()), loop.span());
      }
      case Stmt.Store store -> store(store);
      case Stmt.Alloc(Buffer buffer, Stmt body) -> {
        List<Integer> extents = new ArrayList<>(buffer.extents());
        extents.add(lanes);
        widened.put(buffer, new Buffer(buffer.name(), buffer.type(), extents, buffer.space()));
        yield new Stmt.Alloc(widened.get(buffer), vectorize(body));
      }
      case Stmt.If branch -> new Stmt.If(scalar(branch.condition(), "a condition"),
          vectorize(branch.whenTrue()), vectorize(branch.whenFalse()));
      case Stmt.Let let -> {
        Expr value = value(let.value());
        if (!value.type().isVector() && let.body().nodes().anyMatch(node ->
            node instanceof Stmt.Store store && loads(let.value(), store.buffer()))) {
          throw new Varies("an iteration reads what the one before it stored, through " + let.var().name());
        }
        Var own = new Var(let.var().name(), value.type());
        (value.type().isVector() ? vectors : copies).put(let.var(), own);
        yield new Stmt.Let(own, value, vectorize(let.body()));
      }
      case Stmt.Barrier barrier -> barrier;
      case Stmt.Require check -> new Stmt.Require(
          scalar(check.condition(), "a check of an index"), check.message(), scalar(check.value(), "a checked index"));
    };
  }

  private Stmt store(Stmt.Store store) {
    Buffer buffer = widened.getOrDefault(store.buffer(), store.buffer());
    List<Expr> indices = indices(store.buffer(), store.indices());
    boolean vector = Expr.lanes(indices) > 1;
    if (!vector && store.value() instanceof Expr.Binary update && isAccumulation(store, update)) {
      if (!numerics.mayReorder(update.op(), store.buffer().type())) {
        throw new Varies("the strict contract keeps the order in which " + store.buffer().name() + " is combined");
      }
      Expr value = value(update.right());
      Expr combined = value.type().isVector() ? new Expr.ReduceLanes(update.op(), value) : repeated(update.op(), value);
      return new Stmt.Store(buffer, indices, new Expr.Binary(update.op(), value(update.left()), combined));
    }
    Expr value = value(store.value());
    if (!vector && (value.type().isVector() || loads(store.value(), store.buffer()))) {
      throw new Varies("every iteration stores to the same element of " + store.buffer().name());
    }
    return new Stmt.Store(buffer, indices, vector ? broadcast(value) : value);
  }

  private static boolean loads(Expr expr, Buffer buffer) {
    return expr.nodes().anyMatch(node -> node instanceof Expr.Load load && load.buffer() == buffer);
  }

  private static boolean isAccumulation(Stmt.Store store, Expr.Binary update) {
    return update.op().isCommutative() && update.left().equals(new Expr.Load(store.buffer(), store.indices()));
  }

  /// `value`, the same in every lane, combined with itself: only idempotent operations need no multiplication.
  private Expr repeated(BinaryOp op, Expr value) {
    if (op == BinaryOp.MIN || op == BinaryOp.MAX || op == BinaryOp.AND || op == BinaryOp.OR) {
      return value;
    }
    return new Expr.ReduceLanes(op, new Expr.Broadcast(value, lanes));
  }

  private List<Expr> indices(Buffer buffer, List<Expr> old) {
    List<Expr> indices = new ArrayList<>(old.stream().map(this::value).toList());
    if (widened.containsKey(buffer)) {
      indices.add(new Expr.Ramp(Expr.index(0), 1, lanes));
    }
    return indices;
  }

  /// `expr` over all lanes: a vector if it differs from lane to lane, else a scalar.
  private Expr value(Expr expr) {
    return switch (expr) {
      case Expr.Ref(Var var) when var == counter -> new Expr.Ramp(base, 1, lanes);
      case Expr.Ref(Var var) when vectors.containsKey(var) -> new Expr.Ref(vectors.get(var));
      case Expr.Ref(Var var) when copies.containsKey(var) -> new Expr.Ref(copies.get(var));
      case Expr.FloatLiteral _, Expr.IntLiteral _, Expr.Ref _ -> expr;
      case Expr.Load load -> new Expr.Load(
          widened.getOrDefault(load.buffer(), load.buffer()), indices(load.buffer(), load.indices()));
      case Expr.Binary binary -> binary(binary.op(), value(binary.left()), value(binary.right()));
      case Expr.Unary _, Expr.Fma _, Expr.Select _, Expr.Cast _, Expr.Bitcast _ -> uniform(expr);
      case Expr.Ramp _, Expr.Broadcast _, Expr.ReduceLanes _, Expr.Zip _, Expr.Permute _, Expr.PermuteBytes _, Expr.AddHalves _, Expr.Dot _, Expr.TileProduct _ -> throw new Varies("its body has vectors already");
    };
  }

  private Expr uniform(Expr expr) {
    List<Expr> operands = expr.children().map(this::value).toList();
    boolean vector = operands.stream().anyMatch(operand -> operand.type().isVector());
    List<Expr> wide = vector ? operands.stream().map(this::broadcast).toList() : operands;
    int[] next = new int[1];
    return expr.mapChildren(_ -> wide.get(next[0]++));
  }

  /// Sums and multiples of ramps stay ramps, so that accesses are seen to be contiguous.
  private Expr binary(BinaryOp op, Expr left, Expr right) {
    if (left instanceof Expr.Ramp ramp && !right.type().isVector()) {
      switch (op) {
        case ADD, SUB -> {
          return new Expr.Ramp(new Expr.Binary(op, ramp.base(), right), ramp.stride(), ramp.lanes());
        }
        case MUL -> {
          if (Rewrites.constant(right).isPresent()) {
            int factor = Math.toIntExact(Rewrites.constant(right).get());
            return new Expr.Ramp(new Expr.Binary(op, ramp.base(), right), ramp.stride() * factor, ramp.lanes());
          }
        }
        default -> { }
      }
    }
    if (right instanceof Expr.Ramp && !left.type().isVector() && (op == BinaryOp.ADD || op == BinaryOp.MUL)) {
      return binary(op, right, left);
    }
    boolean vector = left.type().isVector() || right.type().isVector();
    return vector ? new Expr.Binary(op, broadcast(left), broadcast(right)) : new Expr.Binary(op, left, right);
  }

  private Expr broadcast(Expr value) {
    return value.type().isVector() ? value : new Expr.Broadcast(value, lanes);
  }

  private Expr scalar(Expr expr, String what) {
    Expr value = value(expr);
    if (value.type().isVector()) {
      throw new Varies(what + " differs from lane to lane");
    }
    return value;
  }
}
