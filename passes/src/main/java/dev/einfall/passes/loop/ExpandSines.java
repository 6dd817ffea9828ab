package dev.einfall.passes.loop;

import dev.einfall.ir.BinaryOp;
import dev.einfall.ir.Diagnostic;
import dev.einfall.ir.ElementType;
import dev.einfall.ir.UnaryOp;
import dev.einfall.ir.loop.Buffer;
import dev.einfall.ir.loop.Expr;
import dev.einfall.ir.loop.Kernel;
import dev.einfall.ir.loop.Stmt;
import dev.einfall.passes.Numerics;
import dev.einfall.passes.Pass;
import java.util.List;
import java.util.function.Consumer;

/// Replaces sines and cosines of `f32` by polynomials, where all lanes of a vector are near enough to zero for that; elsewhere those lanes that
/// are not keep the function, for the backend to call a library for.
///
/// ```
///                                            let x: f32x16 = X[ramp(0, 1, 16)]
///                                            let s: f32x16 = ..
/// Y[ramp(0, 1, 16)]                          alloc sin: f32[16] in registers {
///     = sin(X[ramp(0, 1, 16)])       =>        sin[ramp(0, 1, 16)] = s
///                                              if !reduce_and(abs(x) <= broadcast(100000.0, 16)) {
///                                                sin[ramp(0, 1, 16)] = select(abs(x) <= broadcast(100000.0, 16), s, sin(x))
///                                              }
///                                              Y[ramp(0, 1, 16)] = sin[ramp(0, 1, 16)]
///                                            }
/// ```
///
/// Beyond, more digits of pi are needed than three floats have. Comes after vectorization: whether the polynomial will do is one question for all
/// lanes, where a branch for each iteration would keep a loop from being vectorized. The result for an element does not depend on its
/// neighbours. The errors over all floats, against double precision: 0.89 ULP under the `strict` contract, otherwise 1.55 ULP.
///
/// @param numerics the contract
public record ExpandSines(Numerics numerics) implements Pass.OnKernel {

  @Override
  public String name() {
    return "expand-sines";
  }

  @Override
  public Numerics needs() {
    return numerics;
  }

  @Override
  public Kernel apply(Kernel kernel, Consumer<Diagnostic> remarks) {
    return kernel.withBody(Rewrites.statements(kernel.body(), this::expand));
  }

  private Stmt expand(Stmt statement) {
    if (!(statement instanceof Stmt.Store) && !(statement instanceof Stmt.Let)) {
      return statement;
    }
    Bindings bindings = new Bindings();
    Stmt expanded = statement.mapChildren(inner -> inner, root -> Rewrites.expr(root, node ->
        node instanceof Expr.Unary(UnaryOp op, Expr operand) && (op == UnaryOp.SIN || op == UnaryOp.COS) && node.type().element() == ElementType.F32
            ? expand(op, operand, bindings) : node));
    return bindings.around(expanded);
  }

  private Expr expand(UnaryOp op, Expr operand, Bindings bindings) {
    int lanes = operand.type().lanes();
    Sine sine = new Sine(numerics, lanes, bindings);
    Expr x = bindings.bind("x", operand);
    Expr near = bindings.bind(op == UnaryOp.SIN ? "s" : "c", sine.of(op, x));
    Buffer result = new Buffer(op.text(), ElementType.F32, lanes == 1 ? List.of() : List.of(lanes), Buffer.Space.REGISTER);
    List<Expr> indices = lanes == 1 ? List.of() : List.of(new Expr.Ramp(Expr.index(0), 1, lanes));
    Expr isNear = sine.isNear(x);
    Expr allNear = lanes == 1 ? isNear : new Expr.ReduceLanes(BinaryOp.AND, isNear);
    Stmt far = new Stmt.Store(result, indices, new Expr.Select(isNear, near, new Expr.Unary(op, x)));
    Stmt compute = Stmt.block(new Stmt.Store(result, indices, near), new Stmt.If(new Expr.Unary(UnaryOp.NOT, allNear), far, Stmt.NOTHING));
    bindings.add(inner -> new Stmt.Alloc(result, Stmt.block(compute, inner)));
    return new Expr.Load(result, indices);
  }
}
