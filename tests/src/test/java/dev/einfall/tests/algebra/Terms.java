package dev.einfall.tests.algebra;

import dev.einfall.frontend.EinReader;
import dev.einfall.ir.Source;
import dev.einfall.ir.cascade.Cascade;
import dev.einfall.ir.cascade.Expr;
import dev.einfall.passes.algebra.Dependence;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/// Expressions over numbers `r s t`, rows `x y z` with the index `m`, and truths `c[m]` and `d`, in the language's own text.
final class Terms {
  private Terms() {}

  /// The terms in `texts`, which share their ranks and tensors.
  static List<Expr> of(String... texts) {
    StringBuilder program = new StringBuilder();
    program.append("def f(x: f32[M], y: f32[M], z: f32[M], r: f32, s: f32, t: f32, c: bool[M], d: bool) -> f32[1, M] {\n  Y[i in 0..1, m] = ");
    for (String text : texts) {
      program.append("where(i == 0, ").append(text).append(", ");
    }
    program.append("0.0").append(")".repeat(texts.length)).append("\n  return Y\n}\n");
    Cascade cascade = EinReader.read(new Source("terms.ein", program.toString()), Optional.empty()).cascade();
    Expr rest = cascade.einsums().getFirst().value();
    List<Expr> terms = new ArrayList<>();
    while (rest instanceof Expr.Select select) {
      terms.add(select.whenTrue());
      rest = select.whenFalse();
      if (terms.size() == texts.length) {
        break;
      }
    }
    return terms;
  }

  /// Rows vary with the reduced rank, `r` and `s` wait for earlier reductions, `t` does neither.
  static final Dependence DEPENDENCE = new Dependence(
      expr -> expr.nodes().anyMatch(Expr.Coordinate.class::isInstance),
      expr -> expr.nodes().anyMatch(node -> node instanceof Expr.Access access
          && List.of("r", "s").contains(access.tensor().name())));
}
