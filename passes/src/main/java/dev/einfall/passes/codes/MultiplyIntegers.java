package dev.einfall.passes.codes;

import dev.einfall.ir.Diagnostic;
import dev.einfall.ir.cascade.Cascade;
import dev.einfall.ir.cascade.Definition;
import dev.einfall.ir.loop.DotShape;
import dev.einfall.passes.Compute;
import dev.einfall.passes.Numerics;
import dev.einfall.passes.Pass;
import dev.einfall.passes.Target;
import dev.einfall.passes.cascade.Uses;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.stream.Stream;

/// Multiplies the integers that two factors of a product are multiples of, where the machine has instructions for these, and scales their sum.
///
/// ```
/// Q[m, k] = f32(i8(round(X[m, k] / S[m]))) * S[m]
/// Y[m, n] = sum[k](Q[m, k] * (f32(C[k, n]) * T[n]))
///     =>  Q_code[m, k] = i8(round(X[m, k] / S[m]))
///         Y[m, n] = f32(sum[k](i32(Q_code[m, k]) * i32(C[k, n]))) * (S[m] * T[n])
/// ```
///
/// Where the instruction takes one factor without a sign, 128 is added to that of the product, and 128 times the sums of the other factor, which weights
/// determine, or which many rows share, are subtracted:
///
/// ```
///         Q_code[m, k] = u8(i32(i8(round(X[m, k] / S[m]))) + 128)
///         C_sums[n] = sum[k](i32(C[k, n]))
///         Y[m, n] = f32(sum[k](i32(Q_code[m, k]) * i32(C[k, n])) - 128 * C_sums[n]) * (S[m] * T[n])
/// ```
///
/// Where the machine takes pairs of 16 bits alone, or bytes as they are have signs that it does not take, what is made has 16 bits, and what is stored is widened as it is loaded
/// ([dev.einfall.passes.loop.SelectDots]); no offset is needed:
///
/// ```
///         Q_code[m, k] = i16(i32(i8(round(X[m, k] / S[m]))))
///         Y[m, n] = f32(sum[k](i32(Q_code[m, k]) * i32(C[k, n]))) * (S[m] * T[n])
/// ```
///
/// Where scales differ from group to group, the integers of each are summed by themselves (MixPE, Zhang et al., 2024): [dev.einfall.passes.loop.DeferScales] converts and scales
/// their sum. What an offset adds to it is subtracted from the sum of all groups; so is what the sums of rows have of a number for 0 in each group that is not subtracted from
/// codes:
///
/// ```
/// Y[m, n] = sum[g, i](Q[m, 64 * g + i] * ((f32(C[g, i, n]) - Z[g, n]) * T[g, n]))
///     =>  Y_sums[m, g] = sum[i](i32(Q_code[m, 64 * g + i]))
///         Y_offset[m, n] = sum[g](f32(Y_sums[m, g]) * Z[g, n] * T[g, n])
///         Y[m, n] = (sum[g, i](f32(i32(Q_code[m, 64 * g + i]) * i32(C[g, i, n])) * T[g, n]) - Y_offset[m, n]) * S[m]
/// ```
///
/// Codes that are fields of words become fields of bytes, which instructions multiply as they are ([ByteFields]): what a table says of them may be integers at equal distances.
///
/// The sums of integers are exact; what is subtracted makes errors relative to what is summed. Declined are scales that differ along the innermost ranks that are summed, groups of
/// few steps, sums that might not fit into 32 bits, and a length that the instruction's steps do not divide.
///
/// Where the options say so, the rows of products by integers are rounded to bytes for that ([RoundedRows]).
///
/// @param dots what the instructions multiply
/// @param compute what factors may be rounded to: rows are rounded if it is `i8`
public record MultiplyIntegers(List<DotShape> dots, Compute compute) implements Pass.OnCascade {
  public MultiplyIntegers {
    dots = dots.stream().filter(dot -> dot.sum().isInteger()).toList();
  }

  /// As is best on `target`.
  public static MultiplyIntegers on(Target target, Compute compute) {
    return new MultiplyIntegers(Stream.concat(target.dots().stream(),
        target.tiles().stream().filter(tile -> tile.sum().isInteger()).map(tile -> new DotShape(tile.sum(), tile.left(), tile.right(), tile.columns(), tile.steps()))).toList(), compute);
  }

  @Override
  public String name() {
    return "multiply-integers";
  }

  @Override
  public Machines machines() {
    return Machines.PROCESSORS;
  }

  @Override
  public Numerics needs() {
    return Numerics.REASSOCIATE;
  }

  @Override
  public Cascade apply(Cascade cascade, Consumer<Diagnostic> remarks) {
    if (dots.isEmpty()) {
      return cascade;
    }
    Uses uses = new Uses(cascade);
    return OpenProducts.rewritten(cascade, remarks, einsum -> IntegerProduct.definitions(uses, dots, einsum)
        .or(() -> Optional.of(einsum).filter(_ -> compute == Compute.I8).flatMap(open -> RoundedRows.of(open, uses.constants())).flatMap(rows -> byRoundedRows(cascade, rows))));
  }

  private Optional<List<Definition>> byRoundedRows(Cascade cascade, RoundedRows rows) {
    List<Definition> all = cascade.definitions().stream()
        .flatMap(definition -> definition.tensors().contains(rows.product().tensor()) ? Stream.of(rows.largest(), rows.rounded(), rows.product()) : Stream.of(definition)).toList();
    return IntegerProduct.definitions(new Uses(cascade.withDefinitions(all)), dots, rows.product())
        .map(definitions -> Stream.concat(Stream.of(rows.largest()), definitions.stream()).toList());
  }
}
