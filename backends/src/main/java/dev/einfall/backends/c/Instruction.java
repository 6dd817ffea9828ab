package dev.einfall.backends.c;

import dev.einfall.ir.BinaryOp;
import dev.einfall.ir.CompileException;
import dev.einfall.ir.ElementType;
import dev.einfall.ir.cascade.Cascade;
import dev.einfall.ir.cascade.Einsum;
import dev.einfall.ir.cascade.Expr;
import dev.einfall.ir.cascade.Rank;
import dev.einfall.ir.cascade.Reduction;
import dev.einfall.ir.cascade.Tensor;
import dev.einfall.ir.loop.DotShape;
import dev.einfall.ir.loop.InstructionShape;
import dev.einfall.ir.loop.TileShape;
import java.util.List;
import java.util.Optional;

/// An instruction of a machine whose meaning is a small Einsum in the language, and what calls it in C. What it is used for is decided by the
/// meaning alone, with whatever names. It may be that of a [dev.einfall.ir.loop.Expr.Dot],
///
/// ```
/// def vdpbf16ps(c: f32[16], a: bf16[16, 2], b: bf16[16, 2]) -> f32[16] {
///   d[i] = c[i] + sum[j](f32(a[i, j]) * f32(b[i, j]))
///   return d
/// }
/// ```
///
/// or that of a [dev.einfall.ir.loop.Expr.TileProduct], whose right tile may have some steps side by side:
///
/// ```
/// def mma(c: f32[16, 8], a: bf16[16, 16], b: bf16[16, 8]) -> f32[16, 8] {
///   d[i, j] = c[i, j] + sum[k](f32(a[i, k]) * f32(b[k, j]))
///   return d
/// }
/// def tdpbf16ps(c: f32[16, 16], a: bf16[16, 16, 2], b: bf16[16, 16, 2]) -> f32[16, 16] {
///   d[i, j] = c[i, j] + sum[k, p](f32(a[i, k, p]) * f32(b[k, j, p]))
///   return d
/// }
/// ```
///
/// @param shape what it computes
/// @param sum the name of the sums in `body`
/// @param left the name of the left factors
/// @param right the name of the right factors
/// @param body the statements of a function of these operands, which lie in vectors row by row; for [Runner#WARPGROUP] the text of the instruction, with
///     `{c}` for the operand `c`, and `{c'}` for 1 where an operand in memory lies turned and 0 where not
/// @param runner who runs it
public record Instruction(String name, Cascade meaning, InstructionShape shape, String sum, String left, String right, String body, Runner runner) {

  /// What runs an instruction: a thread or the threads of a warp, or the four warps of a group.
  public enum Runner { USUAL, WARPGROUP }

  /// Reads the meanings of instructions, which are programs of the language.
  public interface Meanings {
    Cascade read(String program);
  }

  /// The instruction that `body` calls, for what `meaning` says.
  ///
  /// @throws CompileException when the meaning is of no known form
  public static Instruction of(String name, Cascade meaning, String body) {
    return of(name, meaning, body, Runner.USUAL);
  }

  static Instruction of(String name, Cascade meaning, String body, Runner runner) {
    return products(meaning).flatMap(products -> products.shape().map(shape ->
            new Instruction(name, meaning, shape, products.sum.name(), products.left.tensor().name(), products.right.tensor().name(), body,
                runner)))
        .orElseThrow(() -> CompileException.of("the meaning of the instruction " + name + " is none that is known: it can be d[i] = c[i] + "
            + "sum[j](a[i, j] * b[i, j]), d[i, j] = c[i, j] + sum[k](a[i, k] * b[k, j]) or d[i, j] = c[i, j] + sum[k, p](a[i, k, p] * b[k, j, p]), "
            + "each factor converted to the type of the sum"));
  }

  /// Whether its text says how an operand lies, which it may do in either way then.
  public boolean turns() {
    return body.contains("{" + left + "'}") && body.contains("{" + right + "'}");
  }

  /// Products of two inputs that are added to a third.
  ///
  /// @param lanes the ranks of the sums
  /// @param terms those of the products of each
  private record Products(List<Rank> lanes, List<Rank> terms, Tensor sum, Expr.Access left, Expr.Access right) {

    Optional<InstructionShape> shape() {
      try {
        return switch (lanes.size()) {
          case 1 -> dot();
          case 2 -> tiles();
          default -> Optional.empty();
        };
      } catch (IllegalArgumentException _) {
        return Optional.empty();
      }
    }

    private Optional<InstructionShape> dot() {
      List<Expr> both = coordinates(lanes.getFirst(), terms.getFirst());
      return terms.size() != 1 || !left.indices().equals(both) || !right.indices().equals(both) ? Optional.empty()
          : Optional.of(new DotShape(sum.type(), left.tensor().type(), right.tensor().type(), size(lanes.getFirst()), size(terms.getFirst())));
    }

    private Optional<InstructionShape> tiles() {
      Rank row = lanes.getFirst();
      Rank column = lanes.getLast();
      Rank step = terms.getFirst();
      boolean isPacked = terms.size() == 2;
      boolean fits = isPacked ? left.indices().equals(coordinates(row, step, terms.getLast())) && right.indices().equals(coordinates(step, column, terms.getLast()))
          : terms.size() == 1 && left.indices().equals(coordinates(row, step)) && right.indices().equals(coordinates(step, column));
      int packed = isPacked ? size(terms.getLast()) : 1;
      return !fits ? Optional.empty()
          : Optional.of(new TileShape(sum.type(), left.tensor().type(), right.tensor().type(), size(row), size(column), size(step) * packed, packed));
    }
  }

  private static Optional<Products> products(Cascade meaning) {
    boolean isOne = meaning.definitions().size() == 1 && meaning.inputs().size() == 3 && meaning.weights().isEmpty();
    if (!isOne || !(meaning.definitions().getFirst() instanceof Einsum einsum)
        || !(einsum.value() instanceof Expr.Binary(BinaryOp op, Expr before, Expr.Reduce products)) || op != BinaryOp.ADD
        || products.reduction() != Reduction.SUM || !(products.body() instanceof Expr.Binary(BinaryOp times, Expr one, Expr other)) || times != BinaryOp.MUL) {
      return Optional.empty();
    }
    Optional<Expr.Access> sum = input(meaning, before, einsum.tensor().type());
    Optional<Expr.Access> left = input(meaning, one, einsum.tensor().type());
    Optional<Expr.Access> right = input(meaning, other, einsum.tensor().type());
    boolean fits = sum.isPresent() && left.isPresent() && right.isPresent() && left.get().tensor() != right.get().tensor()
        && sum.get().tensor().type() == einsum.tensor().type() && sum.get().indices().equals(coordinates(einsum.ranks().toArray(Rank[]::new)));
    return fits ? Optional.of(new Products(einsum.ranks(), products.ranks(), sum.get().tensor(), left.get(), right.get())) : Optional.empty();
  }

  /// The input that `value` is an element of, converted to `type` if it has another one.
  private static Optional<Expr.Access> input(Cascade meaning, Expr value, ElementType type) {
    Expr read = value instanceof Expr.Cast(ElementType to, Expr operand) && to == type ? operand : value;
    return read instanceof Expr.Access access && access.outside().isEmpty() && meaning.inputs().contains(access.tensor())
        && access.tensor().shape().stream().allMatch(size -> size.names().isEmpty()) ? Optional.of(access) : Optional.empty();
  }

  private static List<Expr> coordinates(Rank... ranks) {
    return List.of(ranks).stream().<Expr>map(Expr.Coordinate::new).toList();
  }

  private static int size(Rank rank) {
    return rank.size().value();
  }
}
