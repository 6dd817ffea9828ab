package dev.einfall.passes.codes;

import dev.einfall.ir.Diagnostic;
import dev.einfall.ir.cascade.Cascade;
import dev.einfall.passes.Numerics;
import dev.einfall.passes.Pass;
import dev.einfall.passes.Target;
import dev.einfall.passes.loop.PermutePlanes;
import dev.einfall.passes.loop.PermuteRows;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;

/// Leaves weights of few bits as they are, and decodes them in the products that use them, and where data chooses rows of them ([DecodedGather]).
///
/// ```
/// W[n, k] = f32((shr(i32(C[n, k / 2]), k % 2 * 4) && 15) - 8) * S[n, k / 64]
/// Y[m, n] = sum[k](X[m, k] * W[n, k])
///     =>  Y_words[kw, n] = sum[f](shl(shr(i32(C[n, (8 * kw + f) / 2]), (8 * kw + f) % 2 * 4) && 15, f * 4)), f in 0..8
///         Y_shared[kg, n] = S[n, kg]
///         Y_values[c] = f32(c - 8), c in 0..16
///         Y[m, n] = sum[kg, kw, kf](X[m, 64 * kg + 8 * kw + kf] * (Y_values[shr(Y_words[8 * kg + kw, n], kf * 4) && 15] * Y_shared[kg, n]))
/// ```
///
/// A tensor that weights determine would be computed once, and its elements read at every run. Where each is a function of an integer of at most 16 bits,
/// the *code*, and of what groups of neighbours along the rank of the reduction share, that is more bytes than there are: the product reads the codes. They are packed
/// anew, so that one word of 32 bits has those of several steps, and neighbours along the last rank of the result are neighbours in memory; those of 5 to 8 bits are a byte, and longer ones
/// two. A function of a code of at most 8 bits that is more than a conversion becomes a table, or two short ones ([ValueTables]); one that differs from row to row, as powers do whose exponents are
/// those of rows, a table of each. What tells of a whole group that it is 0, or no number, is asked of the factor that this shares ([SharedFactors]),
/// and so is whether one of its codes stands for no number, if that saves operations ([NoNumbers]). What groups share stays in 16 bits where it is an integer or a float of 8 bits
/// ([SharedCodes]).
///
/// Codes of a byte whose table is one of 128 or 256 numbers share words where an instruction chooses bytes of vectors: the fields of a word are looked up together then ([PermutePlanes]).
///
/// Where codes choose from a table that only their row has, lanes go along the steps, of which one instruction chooses for many then: what each of them adds up, another definition adds.
///
/// ```
/// W[n, k] = T[n, C[n, k]]     =>     Y_lanes[m, n, kl] = sum[kw, kf](X[m, 128 * kw + 16 * kf + kl] * T[n, shr(Y_words[n, kw, kl], kf * 4) && 15])
///                                    Y[m, n] = sum[kl](Y_lanes[m, n, kl])
/// ```
///
/// Every number is computed as before, and but for lanes, and factors that all terms have beside a scale of 16 bits, sums are taken in the same order. Declined is what has an element of its own other than a code, and what would not save a
/// third of the bytes. What takes few operations has no table where the machine's vectors are too short for one.
///
/// @param row how many elements a row has at most of which an instruction chooses lanes
/// @param numerics whether lanes may add up neighbours apart, and factors be applied after a sum
/// @param maySubnormals whether numbers below the smallest normal one are multiplied as fast as others
/// @param bytes how many bytes a vector has of which one instruction chooses; 0 if none does
public record DecodeInProducts(int row, Numerics numerics, boolean maySubnormals, int bytes) implements Pass.OnCascade {

  /// As is best on `target`.
  public static DecodeInProducts on(Target target, Numerics numerics) {
    return new DecodeInProducts(PermuteRows.MOST * target.lanes(Float.BYTES), numerics, target.multipliesSubnormals(), PermutePlanes.bytes(target));
  }

  @Override
  public String name() {
    return "decode-in-products";
  }

  @Override
  public Numerics needs() {
    return numerics;
  }

  @Override
  public Machines machines() {
    return Machines.PROCESSORS;
  }

  @Override
  public Cascade apply(Cascade cascade, Consumer<Diagnostic> remarks) {
    Inlining inlining = new Inlining(cascade);
    return OpenProducts.rewritten(cascade, remarks, einsum ->
        DecodedProduct.of(inlining, einsum, this).or(() -> Optional.of(List.of(new DecodedGather(inlining).decoded(einsum)))));
  }

  boolean mayReassociate() {
    return numerics.allows(Numerics.REASSOCIATE);
  }

  /// How many neighbours along the reduction may be added up apart; 1 for none.
  int lanes() {
    return mayReassociate() ? row / PermuteRows.MOST : 1;
  }
}
