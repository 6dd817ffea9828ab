package dev.einfall.tests.loop;

import static dev.einfall.ir.loop.Expr.index;

import dev.einfall.ir.BinaryOp;
import dev.einfall.ir.ElementType;
import dev.einfall.ir.Span;
import dev.einfall.ir.loop.Buffer;
import dev.einfall.ir.loop.Expr;
import dev.einfall.ir.loop.Kernel;
import dev.einfall.ir.loop.Stmt;
import dev.einfall.ir.loop.Var;
import java.util.List;

/// Short names for building the loop level by hand.
public final class Loops {
  private Loops() {}

  public static Expr ref(Var var) {
    return new Expr.Ref(var);
  }

  public static Expr plus(Expr a, Expr b) {
    return new Expr.Binary(BinaryOp.ADD, a, b);
  }

  public static Expr plus(Expr a, long b) {
    return plus(a, index(b));
  }

  public static Expr minus(Expr a, Expr b) {
    return new Expr.Binary(BinaryOp.SUB, a, b);
  }

  public static Expr times(Expr a, long b) {
    return new Expr.Binary(BinaryOp.MUL, a, index(b));
  }

  public static Expr divide(Expr a, long b) {
    return new Expr.Binary(BinaryOp.DIV, a, index(b));
  }

  public static Expr modulo(Expr a, long b) {
    return new Expr.Binary(BinaryOp.MOD, a, index(b));
  }

  public static Expr binary(BinaryOp op, Expr a, Expr b) {
    return new Expr.Binary(op, a, b);
  }

  public static Expr below(Expr a, long b) {
    return new Expr.Binary(BinaryOp.LT, a, index(b));
  }

  public static Expr within(Expr a, long b) {
    return new Expr.Binary(BinaryOp.AND, new Expr.Binary(BinaryOp.GE, a, index(0)), below(a, b));
  }

  public static Buffer global(String name, ElementType type, Integer... extents) {
    return new Buffer(name, type, List.of(extents), Buffer.Space.GLOBAL);
  }

  public static Expr load(Buffer buffer, Expr... indices) {
    return new Expr.Load(buffer, List.of(indices));
  }

  public static Stmt store(Buffer buffer, Expr value, Expr... indices) {
    return new Stmt.Store(buffer, List.of(indices), value);
  }

  public static Stmt.For loop(Var var, long extent, Stmt body) {
    return loop(var, extent, Stmt.For.Kind.SERIAL, body);
  }

  public static Stmt.For loop(Var var, long extent, Stmt.For.Kind kind, Stmt body) {
    return new Stmt.For(var, index(extent), kind, body, Span.NONE);
  }

  public static Kernel kernel(Stmt body, Buffer... parameters) {
    return new Kernel("k", List.of(parameters), body, Span.NONE);
  }

  /// The `f32` number `value`.
  public static Expr number(double value) {
    return new Expr.FloatLiteral(ElementType.F32, value);
  }
}
