package dev.einfall.passes.loop;

import dev.einfall.ir.Diagnostic;
import dev.einfall.ir.loop.Kernel;
import dev.einfall.ir.loop.Stmt;
import dev.einfall.passes.Numerics;
import dev.einfall.passes.Pass;
import java.util.function.Consumer;

/// Chooses the bytes that four fields of a word stand for at once, and adds them up as they are, two to a lane, where each is chosen as part of a word of a table,
/// converted and added on its own.
///
/// ```
/// for k in 0..8 {
///   s[] = s[] + f32(shr(permute(shr(w, 0) && 15, T[k, ramp(0, 1, 16)]), 0) && 255)
///   s[] = s[] + f32(shr(permute(shr(w, 8) && 15, T[k, ramp(0, 1, 16)]), 8) && 255)
///   s[] = s[] + f32(shr(permute(shr(w, 16) && 15, T[k, ramp(0, 1, 16)]), 16) && 255)
///   s[] = s[] + f32(shr(permute(shr(w, 24) && 15, T[k, ramp(0, 1, 16)]), 24) && 255)
/// }
///   =>
/// all[] = 0
/// odd[] = 0
/// for k in 0..8 {
///   let bytes: i32x16 = permute_bytes(shl(w, 2) && 0x3c3c3c3c || 0x03020100, T[k, ramp(0, 1, 16)])
///   all[] = all[] + bytes
///   odd[] = odd[] + (shr(bytes, 8) && 0x00ff00ff)
/// }
/// let even: i32x16 = all[] - shl(odd[], 8)
/// let both: i32x16 = even + odd[]
/// s[] = s[] + f32((both && 0xffff) + shr(both, 16))
/// ```
///
/// The second and the fourth byte of a lane are added up in 16 bits each. All four are added up as if they were one number; taking the sums of the second and the
/// fourth from it leaves those of the first and the third, as long as each is less than 2^16: loops with more turns are declined. A number that each term subtracts is
/// subtracted once for all.
///
/// Sums of bytes are exact; those of floats are rounded otherwise than one by one.
public record SumBytes() implements Pass.OnKernel {
  /// How many bytes a vector has where the words of a table are chosen by fields of half a byte.
  public static final int VECTOR_BYTES = 64;

  @Override
  public String name() {
    return "sum-bytes";
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
  public Kernel apply(Kernel kernel, Consumer<Diagnostic> remarks) {
    Stmt body = summed(kernel.body());
    return body == kernel.body() ? kernel : kernel.withBody(body);
  }

  private static Stmt summed(Stmt statement) {
    return statement instanceof Stmt.For loop ? ByteSums.of(loop).map(ByteSums::statement).orElseGet(() -> loop.mapChildren(SumBytes::summed, expr -> expr))
        : statement.mapChildren(SumBytes::summed, expr -> expr);
  }
}
