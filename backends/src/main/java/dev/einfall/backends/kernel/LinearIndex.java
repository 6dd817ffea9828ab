package dev.einfall.backends.kernel;

import dev.einfall.ir.loop.Buffer;
import dev.einfall.ir.loop.Expr;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// An index as a sum: `constant`, plus each scalar of `terms` times its factor, plus the number of the lane times `lane`.
public record LinearIndex(Map<Expr, Long> terms, long constant, long lane) {

  /// The flat element offset of an access to `buffer`; empty if the lanes are not evenly spaced.
  public static Optional<LinearIndex> flat(Buffer buffer, List<Expr> indices) {
    LinearIndex sum = constant(0);
    for (int dimension = 0; dimension < indices.size(); dimension++) {
      Optional<LinearIndex> index = of(indices.get(dimension));
      if (index.isEmpty()) {
        return Optional.empty();
      }
      sum = sum.plus(index.get(), buffer.stride(dimension));
    }
    return Optional.of(sum);
  }

  /// The sum that `index` is; empty if its lanes are not evenly spaced.
  public static Optional<LinearIndex> of(Expr index) {
    return switch (index) {
      case Expr.IntLiteral(_, long value) -> Optional.of(constant(value));
      case Expr.Ramp(Expr base, int stride, _) ->
          of(base).map(sum -> sum.plus(new LinearIndex(Map.of(), 0, stride), 1));
      case Expr.Broadcast(Expr operand, _) -> of(operand);
      case Expr.Binary binary -> ofBinary(binary);
      case Expr.FloatLiteral _, Expr.Ref _, Expr.Load _, Expr.Unary _, Expr.Fma _, Expr.Select _, Expr.Cast _,
          Expr.Bitcast _, Expr.ReduceLanes _, Expr.Zip _, Expr.Permute _, Expr.PermuteBytes _, Expr.AddHalves _, Expr.Dot _, Expr.TileProduct _ -> ofOther(index);
    };
  }

  private static Optional<LinearIndex> ofBinary(Expr.Binary binary) {
    Optional<LinearIndex> left = of(binary.left());
    Optional<LinearIndex> right = of(binary.right());
    if (left.isPresent() && right.isPresent()) {
      LinearIndex a = left.get();
      LinearIndex b = right.get();
      switch (binary.op()) {
        case ADD -> {
          return Optional.of(a.plus(b, 1));
        }
        case SUB -> {
          return Optional.of(a.plus(b, -1));
        }
        case MUL -> {
          if (a.isConstant() || b.isConstant()) {
            return Optional.of(a.isConstant() ? constant(0).plus(b, a.constant) : constant(0).plus(a, b.constant));
          }
        }
        case DIV, MOD, MIN, MAX, POW, EQ, NE, LT, LE, GT, GE, AND, OR, XOR, SHL, SHR -> {}
      }
    }
    return ofOther(binary);
  }

  private static Optional<LinearIndex> ofOther(Expr index) {
    return index.type().isVector() ? Optional.empty() : Optional.of(new LinearIndex(Map.of(index, 1L), 0, 0));
  }

  private static LinearIndex constant(long value) {
    return new LinearIndex(Map.of(), value, 0);
  }

  /// Whether it is the same number in every lane and at every time.
  public boolean isConstant() {
    return terms.isEmpty() && lane == 0;
  }

  private LinearIndex plus(LinearIndex other, long factor) {
    Map<Expr, Long> sum = new LinkedHashMap<>(terms);
    other.terms.forEach((term, times) -> sum.merge(term, times * factor, Long::sum));
    sum.values().removeIf(times -> times == 0);
    return new LinearIndex(sum, constant + other.constant * factor, lane + other.lane * factor);
  }
}
