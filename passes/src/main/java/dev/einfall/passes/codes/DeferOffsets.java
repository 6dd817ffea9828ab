package dev.einfall.passes.codes;

import dev.einfall.ir.Diagnostic;
import dev.einfall.ir.cascade.Cascade;
import dev.einfall.ir.cascade.Tensor;
import dev.einfall.passes.Compute;
import dev.einfall.passes.Numerics;
import dev.einfall.passes.Pass;
import dev.einfall.passes.Target;
import dev.einfall.passes.cascade.Constants;
import java.util.Optional;
import java.util.Set;
import java.util.function.Consumer;

/// Takes what a group's steps share in a difference out of a product: the number for 0 of weights of few bits is subtracted from the sums of rows, not from each weight.
///
/// ```
/// Y[m, n] = sum[g, i](X[m, 64 * g + i] * ((V[C[g, i, n]] - Z[g, n]) * S[g, n]))
///     =>  Y_sums[m, g] = sum[i](X[m, 64 * g + i])
///         Y_offsets[g, n] = Z[g, n] * S[g, n]
///         Y_offset[m, n] = sum[g](Y_sums[m, g] * Y_offsets[g, n])
///         Y[m, n] = sum[g, i](X[m, 64 * g + i] * (V[C[g, i, n]] * S[g, n])) - Y_offset[m, n]
/// ```
///
/// The sums of rows are for all columns, and the product with them has as many steps as there are groups. Declined are differences that few steps share, and many rows:
/// these share what is decoded, and a subtraction in it costs less than the second product.
///
/// The sum and what is subtracted may be larger than what is left: by about as much as the offset is larger than the differences, so are the errors. Where tables are made of codes and
/// rounded after this ([RoundTables]), the middle of what codes of so many bits may be is subtracted from them and from the offset: the table has the smallest numbers so.
///
/// @param centred whether codes are less their middle after this
public record DeferOffsets(boolean centred) implements Pass.OnCascade {

  /// As is best on `target`.
  public static DeferOffsets on(Target target, Compute compute) {
    return new DeferOffsets(RoundTables.isFor(target, compute));
  }

  @Override
  public String name() {
    return "defer-offsets";
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
    Set<Tensor> constant = Constants.of(cascade);
    return OpenProducts.rewritten(cascade, remarks, einsum -> Optional.of(einsum).filter(open -> !constant.contains(open.tensor()))
        .flatMap(open -> OffsetProduct.of(open, constant)).map(product -> product.definitions(centred)));
  }
}
