package dev.einfall.passes.codes;

import dev.einfall.ir.Diagnostic;
import dev.einfall.ir.cascade.Cascade;
import dev.einfall.ir.loop.DotShape;
import dev.einfall.passes.Numerics;
import dev.einfall.passes.Pass;
import dev.einfall.passes.Target;
import dev.einfall.passes.cascade.Uses;
import java.util.List;
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
/// The sums are exact. Declined are scales that differ along the ranks that are summed, sums that might not fit into 32 bits, and a length that the instruction's steps
/// do not divide.
///
/// @param dots what the instructions multiply
public record MultiplyIntegers(List<DotShape> dots) implements Pass.OnCascade {
  public MultiplyIntegers {
    dots = dots.stream().filter(dot -> dot.sum().isInteger()).toList();
  }

  /// As is best on `target`.
  public static MultiplyIntegers on(Target target) {
    return new MultiplyIntegers(Stream.concat(target.dots().stream(),
        target.tiles().stream().filter(tile -> tile.sum().isInteger()).map(tile -> new DotShape(tile.sum(), tile.left(), tile.right(), tile.columns(), tile.steps()))).toList());
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
    return OpenProducts.rewritten(cascade, remarks, einsum -> new IntegerProduct(uses, dots, einsum).definitions());
  }
}
