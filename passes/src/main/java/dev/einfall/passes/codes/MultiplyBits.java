package dev.einfall.passes.codes;

import dev.einfall.ir.Diagnostic;
import dev.einfall.ir.cascade.Cascade;
import dev.einfall.passes.Compute;
import dev.einfall.passes.Numerics;
import dev.einfall.passes.Pass;
import dev.einfall.passes.Target;
import dev.einfall.passes.cascade.Uses;
import java.util.function.Consumer;

/// Multiplies codes of few bits by counting bits, 32 products at a time, where both factors of a product are such codes.
///
/// ```
/// Q[m, k] = f32((X[m, k] && 3) - 1) * S[m]
/// Y[m, n] = sum[k](Q[m, k] * (f32(C[k, n] && 1) * T[n]))
///     =>  Q_code[m, k] = X[m, k] && 3
///         Q_bits[m, kw] = sum[kf](shl(Q_code[m, 32 * kw + kf] && 1, kf)), kf in 0..32
///         Q_bits1[m, kw] = sum[kf](shl(shr(Q_code[m, 32 * kw + kf], 1) && 1, kf))
///         C_bits[kw, n] = sum[kf](shl(C[32 * kw + kf, n] && 1, kf))
///         Y_offset[n] = sum[kw](popcount(C_bits[kw, n])) * -1
///         Y[m, n] = f32(sum[kw](shl(popcount(Q_bits1[m, kw] && C_bits[kw, n]), 1) + popcount(Q_bits[m, kw] && C_bits[kw, n])) + Y_offset[n]) * (S[m] * T[n])
/// ```
///
/// A number is `step * code + offset`, so that the sum of products is one of products of codes, of sums of codes of either factor, and of a number; the codes are sums of powers of two
/// times bits, whose products are bits that words have in common. Planes of weights, and sums of these, are made once; those of rows at every run, for all columns. Signs, codes
/// of one bit that mean -1 and 1, or multiples of these, need no sums: what differs in two words counts -1, and the rest 1.
///
/// ```
///         Y[m, n] = f32(K - 2 * sum[kw](popcount(xor(Q_bits[m, kw], C_bits[kw, n])))) * (S[m] * T[n])
/// ```
///
/// Where scales, or what codes are less, differ from group to group, each word's count is scaled, and what offsets add is a sum over groups.
///
/// All sums but those of what is scaled are of integers, and exact. Declined are groups that whole words do not fill, sums that might not fit into 32 bits, and what takes more operations on vectors
/// than looking up sums in tables, instructions for bytes, or multiply-adds of `f32` by what is decoded would ([BitCosts]).
///
/// Sources: XNOR-Net (Rastegari et al., 2016); ABQ-LLM (Zeng et al., 2024) for more bits than one.
///
/// @param target what counts, and what else it could do
/// @param compute what factors may be rounded to otherwise
public record MultiplyBits(Target target, Compute compute) implements Pass.OnCascade {

  @Override
  public String name() {
    return "multiply-bits";
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
    Uses uses = new Uses(cascade);
    Inlining inlining = new Inlining(cascade);
    return OpenProducts.rewritten(cascade, remarks, einsum -> BitProduct.of(uses, inlining, einsum)
        .filter(product -> product.declined(target, compute).map(reason -> remark(product, reason, remarks)).isEmpty())
        .map(BitSums::of));
  }

  private static String remark(BitProduct product, String reason, Consumer<Diagnostic> remarks) {
    String text = "the product " + product.einsum().tensor().name() + " of codes of " + product.left().bits() + " and " + product.right().bits()
        + " bits is not made of bits: " + reason;
    remarks.accept(Diagnostic.remark(product.einsum().span(), text));
    return text;
  }
}
