package dev.einfall.passes.codes;

import dev.einfall.ir.Diagnostic;
import dev.einfall.ir.cascade.Cascade;
import dev.einfall.passes.Compute;
import dev.einfall.passes.Numerics;
import dev.einfall.passes.Pass;
import dev.einfall.passes.Target;
import dev.einfall.passes.cascade.Constants;
import dev.einfall.passes.loop.SumBytes;
import java.util.function.Consumer;

/// Rounds the numbers that products look up to bytes, with a step for those that are added together, and puts four that the fields of one word choose into a word: one
/// instruction chooses from all bytes of a vector ([SumBytes]).
///
/// ```
/// Y[m, n] = sum[kg, kw, kf in 0..8](T[m, kg, kw, kf, shr(W[kg, kw, n], 4 * kf) && 15] * S[kg, n])
///     =>  T_largest[m, kg] = max[kw, kf, c](abs(T[m, kg, kw, kf, c]))
///         T_bytes[m, kg, kw, h, c] = i32(round(T[m, kg, kw, h, c] * (127 / T_largest[m, kg]))) + 128 || shl(i32(round(T[m, kg, kw, 2 + h, c] * ..)) + 128, 8) || .., h in 0..2
///         Y[m, n] = sum[kg, kw, kf]((f32(shr(T_bytes[m, kg, kw, kf % 2, shr(W[kg, kw, n], 4 * kf) && 15], 8 * (kf / 2)) && 255) - 128) * (T_largest[m, kg] / 127 * S[kg, n]))
/// ```
///
/// Words that weights determine are turned by 2 bits, and turned back where fields are cut, because half of the fields are then where the instruction wants them:
/// `shr(shr(V[kg, kw, n], 2) && 0x3fffffff || shl(V[kg, kw, n], 30), 4 * kf) && 15` of `V[kg, kw, n] = shr(W[kg, kw, n], 30) && 3 || shl(W[kg, kw, n], 2)`.
///
/// A step, `T_largest / 127`, is for what other factors are the same for, and for 16 words at most: each number is off by half of a step, 1/254 of the largest of so many. It is what rows that are
/// rounded to bytes lose. Tables that weights alone determine stay as they are, and so do those for more than 4 rows.
///
/// Source: T-MAC (EuroSys 2025), which rounds its tables to 8 bits.
///
/// @param compute what factors may be rounded to; nothing is done unless it is `i8`
public record RoundTables(Compute compute) implements Pass.OnCascade {
  /// Each row of the product has a table of its own: of 4 bits, 4 rows take as long as multiply-adds of `f32` by what is decoded once for all of them.
  static final int MOST_ROWS = 4;

  /// Whether tables are rounded where programs are compiled for `target`: what multiplies bytes needs no tables.
  static boolean isFor(Target target, Compute compute) {
    return compute == Compute.I8 && target.dots().isEmpty() && target.permutesBytes() && target.vectorBytes() == SumBytes.VECTOR_BYTES;
  }

  /// As is best on `target`.
  public static RoundTables on(Target target, Compute compute) {
    return new RoundTables(isFor(target, compute) ? compute : Compute.F32);
  }

  @Override
  public String name() {
    return "round-tables";
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
    return compute != Compute.I8 ? cascade : OpenProducts.rewritten(cascade, remarks, einsum -> RoundedTable.of(einsum, Constants.of(cascade)).map(RoundedTable::definitions));
  }
}
