package dev.einfall.passes.codes;

import dev.einfall.ir.Diagnostic;
import dev.einfall.ir.cascade.Cascade;
import dev.einfall.passes.Compute;
import dev.einfall.passes.Numerics;
import dev.einfall.passes.Pass;
import dev.einfall.passes.Target;
import dev.einfall.passes.loop.PermuteRows;
import java.util.function.Consumer;

/// Computes ahead what several steps of a product add to a sum, for all codes that they may have together, so that the product looks up one number for them.
///
/// ```
/// Y[m, n] = sum[kw, kf](X[m, 16 * kw + kf] * (V[shr(W[kw, n], 2 * kf) && 3] * S[n])), kf in 0..16
///     =>  Y_choices[j, c] = V[shr(c, 2 * j) && 3], j in 0..2, c in 0..16
///         Y_sums[m, kw, kfs, c] = sum[j](X[m, 16 * kw + (2 * kfs + j)] * Y_choices[j, c])
///         Y[m, n] = sum[kw, kfs](Y_sums[m, kw, kfs, shr(W[kw, n], 4 * kfs) && 15] * S[n]), kfs in 0..8
/// ```
///
/// With codes of 2 bits, two neighbours have 16 values together, which is what one instruction chooses from: cutting a field out of a word, choosing and adding are for
/// two steps what they were for one. So it is with 4 codes of one bit. The table is for all columns, so making it is nothing beside using it where these are many. Each
/// row has a table of its own: with many rows, pairs are no less work than multiply-adds by what is decoded once for all of them, but tables for four steps are.
///
/// The sums are taken in another order. Codes of which the choices of two do not fit into a row are declined.
///
/// Source: T-MAC, "CPU Renaissance via Table Lookup for Low-Bit LLM Deployment on Edge" (EuroSys 2025).
///
/// Where tables are rounded to bytes after this ([RoundTables]), of which one instruction chooses for four fields at once, single steps with as many choices as a vector has
/// elements are looked up, too, if there are few rows and many columns.
///
/// @param row how many elements a row has at most of which an instruction chooses lanes
/// @param rounded whether tables are rounded to bytes after this
public record TabulateSteps(int row, boolean rounded) implements Pass.OnCascade {

  /// As is best on `target`.
  public static TabulateSteps on(Target target, Compute compute) {
    return new TabulateSteps(PermuteRows.MOST * target.lanes(Float.BYTES), RoundTables.isFor(target, compute));
  }

  @Override
  public String name() {
    return "tabulate-steps";
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
    return OpenProducts.rewritten(cascade, remarks, einsum -> TabulatedProduct.of(einsum, row, rounded).map(TabulatedProduct::definitions));
  }
}
