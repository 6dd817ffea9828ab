package dev.einfall.passes.cascade;

import dev.einfall.ir.BinaryOp;
import dev.einfall.ir.UnaryOp;
import dev.einfall.ir.cascade.Expr;
import dev.einfall.ir.cascade.Rank;
import dev.einfall.ir.cascade.Reduction;
import dev.einfall.ir.cascade.Tensor;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/// A linear function of one tensor, with coefficients that weights alone determine: `sum[r, c](X[i + r, c] * W[r, c, o])`, or
/// `X[i, o]` itself.
///
/// @param summed the ranks summed over; none for elements as they are
/// @param input the element that the function is of
/// @param kernel what it is multiplied by
/// @param ranks all ranks that it is computed over: a kernel with others would make more work
record LinearBranch(List<Rank> summed, Expr.Access input, Expr kernel, Set<Rank> ranks) {

  /// `input` as it is.
  static LinearBranch element(Expr.Access input) {
    return new LinearBranch(List.of(), input, Expr.literal(input.type(), 1), Exprs.freeRanks(input));
  }

  /// The branch that `value`, a sum of products or a product, is.
  static Optional<LinearBranch> of(Expr value, Set<Tensor> constant) {
    boolean isSum = value instanceof Expr.Reduce reduce && reduce.reduction() == Reduction.SUM;
    List<Rank> summed = isSum ? value.bound() : List.of();
    Expr body = isSum ? value.children().findFirst().orElseThrow() : value;
    List<Expr> inputs = new ArrayList<>();
    Expr one = Expr.literal(value.type(), 1);
    Expr kernel = kernel(body, one, false, inputs, constant);
    if (inputs.size() != 1 || !(inputs.getFirst() instanceof Expr.Access input) || !isWindow(input)) {
      return Optional.empty();
    }
    return Optional.of(new LinearBranch(summed, input, kernel, Exprs.freeRanks(body)));
  }

  /// An element at affine indices, 0 outside of the bounds if that is said.
  static boolean isWindow(Expr.Access access) {
    boolean zero = access.outside().isEmpty() || access.outside().get().equals(Expr.literal(access.tensor().type(), 0));
    return zero && access.indices().stream().allMatch(index -> Affine.of(index).isPresent());
  }

  static boolean isConstant(Expr expr, Set<Tensor> constant) {
    return Exprs.accesses(expr).map(Expr.Access::tensor).allMatch(constant::contains) && !Exprs.hasReduction(expr);
  }

  /// `kernel` times, or divided by, the constant factors of `value`; what is no constant goes to `inputs`.
  private static Expr kernel(Expr value, Expr kernel, boolean isDivisor, List<Expr> inputs, Set<Tensor> constant) {
    if (isConstant(value, constant)) {
      return isDivisor ? new Expr.Binary(BinaryOp.DIV, kernel, value) : times(kernel, value);
    }
    return switch (value) {
      case Expr.Binary(BinaryOp op, Expr left, Expr right) when op == BinaryOp.MUL && !isDivisor ->
          kernel(right, kernel(left, kernel, false, inputs, constant), false, inputs, constant);
      case Expr.Binary(BinaryOp op, Expr left, Expr right) when op == BinaryOp.DIV && !isDivisor ->
          kernel(right, kernel(left, kernel, false, inputs, constant), true, inputs, constant);
      case Expr.Unary(UnaryOp op, Expr operand) when op == UnaryOp.NEG ->
          kernel(operand, new Expr.Unary(UnaryOp.NEG, kernel), isDivisor, inputs, constant);
      case Expr _ -> {
        // A divisor that varies is none of the forms that this knows: two inputs make it no branch.
        inputs.add(value);
        if (isDivisor) {
          inputs.add(value);
        }
        yield kernel;
      }
    };
  }

  /// The product of two values, of which the first may be 1.
  static Expr times(Expr a, Expr b) {
    return isOne(a) ? b : isOne(b) ? a : new Expr.Binary(BinaryOp.MUL, a, b);
  }

  static boolean isOne(Expr value) {
    return value instanceof Expr.FloatLiteral literal && literal.value() == 1;
  }

  /// Whether it is a product with weights, and not a mere sum or element.
  boolean hasWeights() {
    return !summed.isEmpty() && Exprs.accesses(kernel).findAny().isPresent();
  }

  LinearBranch scaled(Expr factor) {
    return withKernel(times(kernel, factor));
  }

  LinearBranch withKernel(Expr newKernel) {
    return new LinearBranch(summed, input, newKernel, ranks);
  }

  /// Whether a kernel with `part` in it is computed over no more ranks.
  boolean hasRanksOf(Expr part) {
    return ranks.containsAll(Exprs.freeRanks(part));
  }
}
