package dev.einfall.passes.codes;

import dev.einfall.ir.Diagnostic;
import dev.einfall.ir.cascade.Cascade;
import dev.einfall.passes.Pass;
import dev.einfall.passes.Target;
import dev.einfall.passes.loop.PermuteRows;
import java.util.function.Consumer;

/// Reads what several neighbours have in one byte by bytes, in products of few rows with data of few bits, such as caches of keys and values: vectors go along bytes, and
/// take one field of each after the other.
///
/// ```
/// K[m, d] = f32((shr(i32(C[m, d / 2]), d % 2 * 4) && 15) - 8) * S[m, d / 32]
/// Y[m] = sum[d](Q[d] * K[m, d])
///     =>  Y_fields[f, dw] = Q[2 * dw + f]
///         Y_values[c] = f32(c - 8), c in 0..16
///         Y[m] = sum[dw, f](Y_fields[f, dw] * (Y_values[shr(i32(C[m, dw]), f * 4) && 15] * S[m, dw / 16]))
/// ```
///
/// Unlike weights ([DecodeInProducts]), such data cannot be packed anew. A rank of the result along which fields lie is cut likewise, and its elements are put in order behind the
/// product. Elements that no more than a few rows use are decoded in the product, also where they are whole bytes; for more rows they are decoded once before it, likewise by
/// bytes. Functions of at most 4 bits become tables of which an instruction
/// chooses, and long functions of a byte, such as powers of two for scales, tables of 256.
///
/// Every number is computed as before, and sums are taken in the same order. Declined is what lies in bytes in no such order, as numbers of 3 bits do that two bytes share.
///
/// @param row how many elements a row has at most of which an instruction chooses lanes
public record SplitFields(int row) implements Pass.OnCascade {

  /// As is best on `target`.
  public static SplitFields on(Target target) {
    return new SplitFields(PermuteRows.MOST * target.lanes(Float.BYTES));
  }

  @Override
  public String name() {
    return "split-fields";
  }

  @Override
  public Machines machines() {
    return Machines.PROCESSORS;
  }

  @Override
  public Cascade apply(Cascade cascade, Consumer<Diagnostic> remarks) {
    DecodedData data = DecodedData.of(cascade);
    Cascade split = OpenProducts.rewritten(cascade, remarks, einsum -> FieldProduct.of(einsum, data, row));
    return OpenProducts.rewritten(split, remarks, einsum -> FieldProduct.ahead(einsum, data, row).or(() -> ByteTables.of(einsum, data)));
  }
}
