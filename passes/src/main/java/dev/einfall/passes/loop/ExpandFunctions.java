package dev.einfall.passes.loop;

import dev.einfall.ir.Diagnostic;
import dev.einfall.ir.ElementType;
import dev.einfall.ir.loop.Expr;
import dev.einfall.ir.loop.Kernel;
import dev.einfall.ir.loop.Stmt;
import dev.einfall.passes.Numerics;
import dev.einfall.passes.Pass;
import java.util.function.Consumer;

/// Replaces transcendental functions of `f32` by polynomials, so that they vectorize and every backend computes the same.
///
/// ```
///                           let x: f32 = min(max(X[i], -87.5), 89.4)
/// Y[i] = exp(X[i])    =>    let t: f32 = fma(x, 1.442695, 1.2583038e7)
///                           ...
///                           Y[i] = p * bitcast_f32(shl(bitcast_i32(t), 23))
/// ```
///
/// The errors over all floats, against double precision, are below 1 ULP under the `strict` contract: `exp` 0.90 ULP, `log` 0.89, `tanh` 0.93,
/// `erf` 0.98, `rsqrt` 0.86. Fewer operations do otherwise for `exp`, 2.0 ULP (results below 1.7e-38 are 0), and `tanh`, 3.3 ULP, and
/// `rsqrt(x)` becomes `1 / sqrt(x)`, 1.5 ULP. `pow` and functions of other types stay for the backend to call a library for; `sin` and
/// `cos` are left to [ExpandSines].
///
/// @param numerics the contract
public record ExpandFunctions(Numerics numerics) implements Pass.OnKernel {

  @Override
  public String name() {
    return "expand-functions";
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
    Stmt expanded = statement.mapChildren(inner -> inner, root -> Rewrites.expr(root, node -> expand(node, bindings)));
    return bindings.around(expanded);
  }

  private Expr expand(Expr node, Bindings bindings) {
    if (!(node instanceof Expr.Unary unary) || node.type().element() != ElementType.F32 || node.type().isVector()) {
      return node;
    }
    FloatFunctions functions = FloatFunctions.of(numerics, bindings);
    return switch (unary.op()) {
      case EXP -> functions.exp(bindings.bind("x", unary.operand()));
      case LOG -> functions.log(bindings.bind("x", unary.operand()));
      case TANH -> functions.tanh(bindings.bind("x", unary.operand()));
      case ERF -> functions.erf(bindings.bind("x", unary.operand()));
      case RSQRT -> functions.rsqrt(unary.operand());
      case NEG, NOT, ABS, SIGN, SQRT, SIN, COS, FLOOR, CEIL, ROUND, POPCOUNT -> node;
    };
  }
}
