package dev.einfall.passes.algebra;

import dev.einfall.ir.cascade.Expr;
import dev.einfall.ir.cascade.Var;
import java.util.List;

/// How a term that is reduced over a rank, and depends on earlier reductions over the same rank, comes apart: what varies with
/// the rank on one side, the earlier reductions on the other.
public sealed interface Separation {

  /// The reduction is `shift`, plus the sum of what the parts are. For other reductions than sums there is one part.
  ///
  /// @param shift what leaves the reduction as an addend
  record Parts(Polynomial shift, List<Part> parts) implements Separation {
    public Parts {
      parts = List.copyOf(parts);
    }
  }

  /// `factor` times the reduction of `exp(exponent) * body`; `exponent` varies with the rank, or is 0. The body is a polynomial
  /// in `variables`, which stand for values of earlier reductions. An `outer` part is `factor` times the exponential of the
  /// reduction of `body`: the extreme value of an increasing function is the function of the extreme value. Where the
  /// exponent of a `masked` part is `-inf` for all elements, the part is 0, whatever the factor is.
  record Part(Polynomial factor, Polynomial exponent, Polynomial body, List<Variable> variables, boolean outer,
      boolean masked) {
    public Part {
      variables = List.copyOf(variables);
    }

    /// A part that is reduced as it stands.
    public static Part plain(Polynomial body) {
      return new Part(Polynomial.ONE, Polynomial.ZERO, body, List.of(), false, false);
    }

    /// Whether nothing of the earlier reductions is left inside, and no exponential is to be kept small.
    public boolean isDeferred() {
      return variables.isEmpty() && (exponent.isZero() || outer);
    }
  }

  /// An operand [Expr.Ref] in a body, and what it stands for.
  record Variable(Var var, Polynomial value) {
    /// The variable as it stands in the body.
    public Atom atom() {
      return new Atom.Leaf(new Expr.Ref(var));
    }
  }

  /// The term is `body` where `value` equals its largest (or smallest) value of all, which is an earlier reduction, and
  /// `otherwise` elsewhere.
  record Ties(Polynomial value, boolean largest, Polynomial body, Polynomial otherwise) implements Separation {}

  /// The term does not come apart: `blocking` depends on both sides and is no sum, product or exponential of them.
  record Blocked(String reason, Polynomial blocking) implements Separation {}
}
