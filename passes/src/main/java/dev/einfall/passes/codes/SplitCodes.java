package dev.einfall.passes.codes;

import dev.einfall.ir.Diagnostic;
import dev.einfall.ir.cascade.Cascade;
import dev.einfall.passes.Compute;
import dev.einfall.passes.Numerics;
import dev.einfall.passes.Pass;
import dev.einfall.passes.Target;
import dev.einfall.passes.cascade.Exprs;
import dev.einfall.passes.loop.PermuteRows;
import java.util.function.Consumer;

/// Makes two products of one with codes of 3 bits that stand for numbers at equal distances: one with the two lower bits, one with the highest.
///
/// ```
/// V[c] = f32(c - 4)
/// Y[m, n] = sum[kw, kf in 0..8](X[m, 8 * kw + kf] * V[shr(W[kw, n], 4 * kf) && 7])
///     =>  Y_low_words[kw, n] = sum[f in 0..16](shl(shr(W[2 * kw + f / 8, n], f % 8 * 4) && 3, 2 * f))
///         Y_low[m, n] = sum[kw, kf in 0..16](X[m, 16 * kw + kf] * (f32(shr(Y_low_words[kw, n], 2 * kf) && 3) - 1.5))
///         Y_high_words[kw, n] = sum[f in 0..32](shl(shr(W[4 * kw + f / 8, n], f % 8 * 4 + 2) && 1, f))
///         Y[m, n] = Y_low[m, n] + sum[kw, kf in 0..32](X[m, 32 * kw + kf] * (f32(shr(Y_high_words[kw, n], kf) && 1) * 4.0 - 2.5))
/// ```
///
/// Fields that divide a word have 4 bits, of which such codes leave a quarter unused; these words are full. And numbers are looked up for two and for four steps at once then ([TabulateSteps]): a shift, a
/// mask, a choice and an addition for each two codes, and again for each four, where there was one of each for every code. Both parts are about 0, so that their sums are no
/// larger than they have to be.
///
/// Only where all weights of the program stay in the cache that cores share: from memory, two passes with tables between them take longer than one that computes (11,008 x 4,096 weights 1.65 ms in place of 1.05).
///
/// Declined are products of which tables would not be made for both parts; other numbers; and more than two rows, as each row looks up what it multiplies otherwise by what is decoded for all.
///
/// @param row how many elements a row has at most of which an instruction chooses lanes; 0 for doing nothing
/// @param cacheBytes the most bytes of weights that stay in a cache
public record SplitCodes(int row, long cacheBytes) implements Pass.OnCascade {

  /// As is best on `target`: tables that are rounded to bytes are looked up for four fields at once, whatever these have.
  public static SplitCodes on(Target target, Compute compute) {
    return new SplitCodes(RoundTables.isFor(target, compute) ? 0 : PermuteRows.MOST * target.lanes(Float.BYTES), target.l3Bytes() / 2);
  }

  @Override
  public String name() {
    return "split-codes";
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
    if (cascade.weights().stream().mapToDouble(weight -> Exprs.bytes(weight.tensor())).sum() > cacheBytes) {
      return cascade;
    }
    Inlining inlining = new Inlining(cascade);
    return OpenProducts.rewritten(cascade, remarks, einsum -> SplitProduct.of(einsum, inlining).flatMap(product -> product.definitions(row)));
  }
}
