package dev.einfall.backends.c;

import dev.einfall.ir.BinaryOp;
import dev.einfall.ir.CompileException;
import dev.einfall.ir.cascade.Cascade;
import dev.einfall.ir.cascade.Einsum;
import dev.einfall.ir.cascade.Expr;
import dev.einfall.ir.cascade.Rank;
import dev.einfall.ir.cascade.Reduction;
import dev.einfall.ir.cascade.Tensor;
import dev.einfall.ir.loop.DotShape;
import java.util.List;
import java.util.Optional;
import java.util.function.Supplier;

/// An instruction of a machine whose meaning is a small Einsum in the language, and what calls it in C. What it is used for is decided by the
/// meaning alone, which so far may be that of a [dev.einfall.ir.loop.Expr.Dot], with other names:
///
/// ```
/// def vdpbf16ps(c: f32[16], a: bf16[16, 2], b: bf16[16, 2]) -> f32[16] {
///   d[i] = c[i] + sum[j](f32(a[i, j]) * f32(b[i, j]))
///   return d
/// }
/// ```
///
/// @param shape the dot that it computes
/// @param sum the name of the sums in `body`
/// @param left the name of the left factors
/// @param right the name of the right factors
/// @param body the statements of a function of these operands, which lie in vectors row by row
public record Instruction(String name, Cascade meaning, DotShape shape, String sum, String left, String right, String body) {

  /// Reads the meanings of instructions, which are programs of the language.
  public interface Meanings {
    Cascade read(String program);
  }

  /// The instruction that `body` calls, for what `meaning` says.
  ///
  /// @throws CompileException when the meaning is of no known form
  public static Instruction of(String name, Cascade meaning, String body) {
    Supplier<CompileException> unknown = () -> CompileException.of("the meaning of the instruction " + name
        + " is none that is known: it can be d[i] = c[i] + sum[j](a[i, j] * b[i, j]), each factor converted to the type of the sum");
    boolean isOne = meaning.definitions().size() == 1 && meaning.inputs().size() == 3 && meaning.weights().isEmpty();
    if (!isOne || !(meaning.definitions().getFirst() instanceof Einsum einsum) || einsum.ranks().size() != 1
        || !(einsum.value() instanceof Expr.Binary(BinaryOp op, Expr before, Expr.Reduce products)) || op != BinaryOp.ADD) {
      throw unknown.get();
    }
    Rank lane = einsum.ranks().getFirst();
    boolean isSum = products.reduction() == Reduction.SUM && products.ranks().size() == 1;
    if (!isSum || !(products.body() instanceof Expr.Binary(BinaryOp times, Expr.Cast one, Expr.Cast other)) || times != BinaryOp.MUL) {
      throw unknown.get();
    }
    Rank term = products.ranks().getFirst();
    Tensor sum = input(meaning, before, List.of(lane)).orElseThrow(unknown);
    Tensor left = input(meaning, one.operand(), List.of(lane, term)).orElseThrow(unknown);
    Tensor right = input(meaning, other.operand(), List.of(lane, term)).orElseThrow(unknown);
    if (left == right || !lane.size().names().isEmpty() || !term.size().names().isEmpty()) {
      throw unknown.get();
    }
    try {
      DotShape shape = new DotShape(sum.type(), left.type(), right.type(), lane.size().value(), term.size().value());
      return new Instruction(name, meaning, shape, sum.name(), left.name(), right.name(), body);
    } catch (IllegalArgumentException _) {
      throw unknown.get();
    }
  }

  /// The input that `value` is the element of at the coordinates of `ranks`.
  private static Optional<Tensor> input(Cascade meaning, Expr value, List<Rank> ranks) {
    List<Expr> coordinates = ranks.stream().<Expr>map(Expr.Coordinate::new).toList();
    return value instanceof Expr.Access(Tensor tensor, List<Expr> indices, Optional<Expr> outside) && outside.isEmpty()
        && indices.equals(coordinates) && meaning.inputs().contains(tensor) ? Optional.of(tensor) : Optional.empty();
  }
}
