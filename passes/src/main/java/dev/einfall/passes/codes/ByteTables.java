package dev.einfall.passes.codes;

import dev.einfall.ir.BinaryOp;
import dev.einfall.ir.ElementType;
import dev.einfall.ir.Size;
import dev.einfall.ir.cascade.Definition;
import dev.einfall.ir.cascade.Einsum;
import dev.einfall.ir.cascade.Expr;
import dev.einfall.ir.cascade.Rank;
import dev.einfall.ir.cascade.Tensor;
import dev.einfall.passes.cascade.Exprs;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/// Powers of two and the like of a byte, such as what the scale of a block stands for, of data or of weights, looked up in a table.
///
/// ```
/// P[m, b] = pow(2.0, f32(i32(S[m, b]) - 127))     =>     P_values[c] = pow(2.0, f32(c - 127)), c in 0..256
///                                                        P[m, b] = P_values[i32(S[m, b])]
/// ```
final class ByteTables {
  private static final int VALUES = 256;

  private ByteTables() {}

  /// The definitions in place of `einsum`, if it is a long function of one byte.
  static Optional<List<Definition>> of(Einsum einsum, DecodedData data) {
    List<Expr> bytes = data.decoded().contains(einsum.tensor()) || data.constant().contains(einsum.tensor()) ? bytes(einsum.value()) : List.of();
    boolean isFunction = bytes.size() == 1 && Codes.isFunction(einsum.value(), bytes.getFirst()) && einsum.value().type().isFloat() && Exprs.volume(einsum.ranks()) > VALUES
        && einsum.value().nodes().anyMatch(node -> node instanceof Expr.Binary binary && binary.op() == BinaryOp.POW);
    return isFunction ? Optional.of(looked(einsum, bytes.getFirst())) : Optional.empty();
  }

  /// The bytes without a sign in `value`, each once, as wider integers.
  private static List<Expr> bytes(Expr value) {
    return value.nodes().filter(node -> node instanceof Expr.Cast(ElementType to, Expr.Access access) && to == ElementType.I32 && access.type() == ElementType.U8
        && access.outside().isEmpty()).distinct().toList();
  }

  private static List<Definition> looked(Einsum einsum, Expr code) {
    Rank value = new Rank("value", Size.of(VALUES));
    Tensor table = new Tensor(einsum.tensor().name() + "_values", einsum.tensor().type(), List.of(value.size()), einsum.span());
    List<Definition> definitions = new ArrayList<>();
    definitions.add(new Einsum(table, List.of(value), Exprs.rewrite(einsum.value(), node -> node.equals(code) ? new Expr.Coordinate(value) : node), einsum.span()));
    definitions.add(einsum.withValue(new Expr.Access(table, List.of(code))));
    return definitions;
  }
}
