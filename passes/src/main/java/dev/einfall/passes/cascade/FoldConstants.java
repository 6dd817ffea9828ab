package dev.einfall.passes.cascade;

import dev.einfall.ir.BinaryOp;
import dev.einfall.ir.Diagnostic;
import dev.einfall.ir.ElementType;
import dev.einfall.ir.Size;
import dev.einfall.ir.cascade.Cascade;
import dev.einfall.ir.cascade.Expr;
import dev.einfall.ir.cascade.IndexBounds;
import dev.einfall.ir.cascade.Rank;
import dev.einfall.ir.cascade.Tensor;
import dev.einfall.passes.Numerics;
import dev.einfall.passes.Pass;
import dev.einfall.passes.Scalars;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.function.Consumer;

/// Computes what depends on no coordinate and no tensor, and drops operations that change nothing.
///
/// ```
/// S[p, m] = X[p, m] / sqrt(f32(64)) * 1.0     =>     S[p, m] = X[p, m] * 0.125
/// ```
///
/// A division by a power of two is a product, which is as exact and takes a fraction of the time. A result is rounded to its type, as the
/// operation itself would be; under the `strict` contract functions of `f32` that are not correctly rounded stay, so that they have the bits
/// that they have for other operands. `x + 0.0` and `x * 0.0` stay: they differ from `x` and `0.0` for `-0.0`, NaN and infinities.
///
/// A reduction over several ranks leaves out those of size 1, if no map speaks of them, and an access that stays inside of its tensor needs no
/// `or`:
///
/// ```
/// Y[p, m] = sum[r in 0..1, c](F[r, c, m] * (X[p + r, c] or 0.0))     =>     Y[p, m] = sum[c](F[0, c, m] * X[p, c])
/// ```
///
/// @param numerics the contract
public record FoldConstants(Numerics numerics) implements Pass.OnCascade {
  /// A `double` holds all integers up to it.
  private static final long LARGEST = 1L << 53;
  /// Every float type has two to this power, and its inverse, with all bits.
  private static final int LARGEST_EXPONENT = 14;

  @Override
  public String name() {
    return "fold-constants";
  }

  @Override
  public boolean needsSizes() {
    return false;
  }

  @Override
  public Cascade apply(Cascade cascade, Consumer<Diagnostic> remarks) {
    return cascade.withDefinitions(cascade.definitions().stream()
        .map(definition -> definition.mapExprs(expr -> folded(expr, definition.tensors().stream().noneMatch(tensor -> isMapped(tensor, cascade)))))
        .toList());
  }

  private static boolean isMapped(Tensor tensor, Cascade cascade) {
    return cascade.mapping().nest(tensor).isPresent() || cascade.mapping().group(tensor).isPresent();
  }

  private Expr folded(Expr expr, boolean mayDropRanks) {
    return Exprs.rewrite(expr, node -> mayDropRanks ? withoutSingleRanks(fold(node)) : fold(node));
  }

  /// A reduction over several ranks without those that have one coordinate; another node as it is.
  private Expr withoutSingleRanks(Expr expr) {
    List<Rank> single = expr.bound().stream().filter(rank -> rank.size().equals(Size.of(1))).toList();
    List<Rank> several = expr.bound().stream().filter(rank -> !single.contains(rank)).toList();
    if (single.isEmpty() || several.isEmpty()) {
      return expr;
    }
    Map<Rank, Expr> first = new IdentityHashMap<>();
    single.forEach(rank -> first.put(rank, Expr.index(0)));
    return Exprs.withRanks(expr.mapChildren(body -> Exprs.rewrite(Exprs.substitute(body, first), this::fold)), several);
  }

  /// `expr`, whose operands are folded, folded.
  private Expr fold(Expr expr) {
    return switch (expr) {
      case Expr.Extent(Size size) -> size.constant().<Expr>map(Expr::index).orElse(expr);
      case Expr.Unary unary when numerics == Numerics.STRICT && unary.type() == ElementType.F32 && !unary.op().isCorrectlyRounded() -> unary;
      case Expr.Unary unary -> literal(unary.operand())
          .map(value -> number(unary.type(), Scalars.apply(unary.op(), unary.type(), value)))
          .orElse(expr);
      case Expr.Cast cast when cast.type() == cast.operand().type() -> cast.operand();
      case Expr.Cast cast -> literal(cast.operand())
          .map(value -> number(cast.type(), Scalars.cast(cast.operand().type(), cast.type(), value))).orElse(expr);
      case Expr.Bitcast bitcast -> literal(bitcast.operand()).map(value -> Scalars.bitcast(bitcast.operand().type(), bitcast.type(), value)).filter(OptionalDouble::isPresent)
          .map(value -> number(bitcast.type(), value.getAsDouble())).orElse(expr);
      case Expr.Binary binary -> foldBinary(binary);
      case Expr.Select select -> literal(select.condition())
          .map(value -> value != 0 ? select.whenTrue() : select.whenFalse())
          .orElse(expr);
      case Expr.Access access when access.outside().isPresent() && IndexBounds.isWithin(access) ->
          new Expr.Access(access.tensor(), access.indices());
      case Expr.FloatLiteral _, Expr.IntLiteral _, Expr.Coordinate _, Expr.Ref _, Expr.Access _, Expr.Reduce _, Expr.Fold _ -> expr;
    };
  }

  private static Expr foldBinary(Expr.Binary binary) {
    Optional<Double> left = literal(binary.left());
    Optional<Double> right = literal(binary.right());
    if (left.isPresent() && right.isPresent()) {
      OptionalDouble value = Scalars.apply(binary.op(), binary.left().type(), left.get(), right.get());
      return value.isPresent() ? number(binary.type(), value.getAsDouble()) : binary;
    }
    boolean integer = binary.left().type().isInteger();
    return switch (binary.op()) {
      case ADD -> integer && is(right, 0) ? binary.left() : integer && is(left, 0) ? binary.right() : binary;
      case SUB -> integer && is(right, 0) ? binary.left() : binary;
      case MUL -> integer && (is(left, 0) || is(right, 0)) ? number(binary.type(), 0)
          : is(right, 1) ? binary.left() : is(left, 1) ? binary.right() : binary;
      case DIV -> is(right, 1) ? binary.left() : right.flatMap(divisor -> exactInverse(binary.type(), divisor))
          .<Expr>map(inverse -> new Expr.Binary(BinaryOp.MUL, binary.left(), inverse)).orElse(binary);
      case AND -> logical(binary, 1, left, right);
      case OR -> logical(binary, 0, left, right);
      case MOD, MIN, MAX, POW, EQ, NE, LT, LE, GT, GE, XOR, SHL, SHR -> binary;
    };
  }

  /// The inverse of a power of two, if it is exact in `type`.
  private static Optional<Expr> exactInverse(ElementType type, double divisor) {
    boolean powerOfTwo = type.isFloat() && Math.abs(divisor) == Math.scalb(1.0, Math.getExponent(divisor));
    return powerOfTwo && Math.abs(Math.getExponent(divisor)) <= LARGEST_EXPONENT ? Optional.of(number(type, 1 / divisor)) : Optional.empty();
  }

  /// `x && true` is `x`, `x && false` is `false`; the same for `||` with the roles exchanged.
  private static Expr logical(Expr.Binary binary, int neutral, Optional<Double> left, Optional<Double> right) {
    if (binary.type() != ElementType.BOOL || left.isEmpty() && right.isEmpty()) {
      return binary;
    }
    boolean isNeutral = left.isPresent() ? is(left, neutral) : is(right, neutral);
    Expr other = left.isPresent() ? binary.right() : binary.left();
    return isNeutral ? other : number(ElementType.BOOL, 1 - neutral);
  }

  private static boolean is(Optional<Double> literal, double value) {
    return literal.isPresent() && literal.get() == value;
  }

  /// The value of a literal, unless a `double` cannot hold it.
  private static Optional<Double> literal(Expr expr) {
    return switch (expr) {
      case Expr.FloatLiteral literal -> Optional.of(literal.value());
      case Expr.IntLiteral literal when Math.abs(literal.value() / 2) < LARGEST / 2 ->
          Optional.of((double) literal.value());
      default -> Optional.empty();
    };
  }

  private static Expr number(ElementType type, double value) {
    return type.isFloat() ? new Expr.FloatLiteral(type, Scalars.round(type, value))
        : new Expr.IntLiteral(type, (long) Scalars.round(type, value));
  }
}
