package dev.einfall.backends.kernel;

import dev.einfall.ir.loop.Buffer;
import dev.einfall.ir.loop.Expr;
import dev.einfall.ir.loop.Var;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;

/// What integers are multiples of, whatever their values: that `e / 4 * 8 + 16` is one of 8.
public final class Multiples {
  private final Map<Var, Long> known = new IdentityHashMap<>();

  /// Learns what `var` is from now on.
  public void let(Var var, Expr value) {
    if (!value.type().isVector() && !value.type().element().isFloat()) {
      known.put(var, of(value));
    }
  }

  /// The largest number that `index` is known to be a multiple of; 0 if it is 0.
  public long of(Expr index) {
    return switch (index) {
      case Expr.IntLiteral(_, long value) -> Math.abs(value);
      case Expr.Ref(Var var) -> known.getOrDefault(var, 1L);
      case Expr.Binary binary -> switch (binary.op()) {
        case ADD, SUB, MOD, MIN, MAX -> gcd(of(binary.left()), of(binary.right()));
        case MUL -> of(binary.left()) * of(binary.right());
        case DIV, POW, EQ, NE, LT, LE, GT, GE, AND, OR, XOR, SHL, SHR -> 1;
      };
      case Expr.Select(_, Expr whenTrue, Expr whenFalse) -> gcd(of(whenTrue), of(whenFalse));
      default -> 1;
    };
  }

  /// The largest number that the offset of the first lane of an access is known to be a multiple of; 0 if it is 0.
  public long of(Buffer buffer, List<Expr> indices) {
    return LinearIndex.flat(buffer, indices).map(sum -> sum.terms().entrySet().stream().map(term -> of(term.getKey()) * term.getValue())
        .reduce(Math.abs(sum.constant()), Multiples::gcd)).orElse(1L);
  }

  private static long gcd(long a, long b) {
    return b == 0 ? Math.abs(a) : gcd(b, a % b);
  }
}
