package dev.einfall.passes.codes;

import dev.einfall.ir.BinaryOp;
import dev.einfall.ir.Diagnostic;
import dev.einfall.ir.ElementType;
import dev.einfall.ir.cascade.Cascade;
import dev.einfall.ir.cascade.Definition;
import dev.einfall.ir.cascade.Expr;
import dev.einfall.ir.loop.Interval;
import dev.einfall.passes.Numerics;
import dev.einfall.passes.Pass;
import dev.einfall.passes.analysis.ValueRanges;
import dev.einfall.passes.cascade.Exprs;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;

/// Keeps what is rounded to a byte or to 16 bits, and used at once as a wider number, in 32 bits: vectors have lanes of these.
///
/// ```
/// Y[m, k] = f32(i8(round(X[m, k] / S[m]))) * S[m]     =>     Y[m, k] = f32(min(max(i32(round(X[m, k] / S[m])), -128), 127)) * S[m]
/// ```
///
/// The bits are the same: a float that does not fit becomes the least or the largest integer of either type, and NaN becomes 0. Bounds are left out where `min` and `max`
/// have cut the number before. What is stored as a byte stays a byte; so does an integer that its byte might cut.
public record WidenBytes() implements Pass.OnCascade {

  @Override
  public String name() {
    return "widen-bytes";
  }

  @Override
  public Numerics needs() {
    return Numerics.STRICT;
  }

  @Override
  public boolean needsSizes() {
    return false;
  }

  @Override
  public Cascade apply(Cascade cascade, Consumer<Diagnostic> remarks) {
    List<Definition> definitions = cascade.definitions().stream().<Definition>map(definition -> definition.mapExprs(expr -> Exprs.rewrite(expr, WidenBytes::widened))).toList();
    return definitions.equals(cascade.definitions()) ? cascade : cascade.withDefinitions(definitions);
  }

  private static Expr widened(Expr node) {
    return node instanceof Expr.Cast(ElementType to, Expr.Cast(ElementType narrow, Expr operand)) && isNarrow(narrow)
        ? wide(narrow, operand).map(value -> value.type() == to ? value : new Expr.Cast(to, value)).orElse(node) : node;
  }

  private static boolean isNarrow(ElementType type) {
    return switch (type) {
      case I8, U8, I16 -> true;
      case F64, F32, F16, BF16, I64, I32, BOOL -> false;
    };
  }

  /// The number that `operand` is as a `narrow` one, in 32 bits.
  private static Optional<Expr> wide(ElementType narrow, Expr operand) {
    Interval range = new ValueRanges().of(operand);
    Interval type = Interval.of(narrow);
    if (operand.type() == ElementType.I32 && type.contains(range)) {
      return Optional.of(operand);
    }
    return operand.type() == ElementType.F32 ? Optional.of(between(new Expr.Cast(ElementType.I32, operand), range, type)) : Optional.empty();
  }

  private static Expr between(Expr value, Interval range, Interval type) {
    Expr above = range.low() >= type.low() ? value : new Expr.Binary(BinaryOp.MAX, value, Expr.index(type.low()));
    return range.high() <= type.high() ? above : new Expr.Binary(BinaryOp.MIN, above, Expr.index(type.high()));
  }
}
