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
/// rest[] = 0
/// for k in 0..8 {
///   let table: i32x16 = T[k, ramp(0, 1, 16)]
///   let bytes: i32x16 = permute_bytes(shl(w, 2) && 0x3c3c3c3c || 0x03020100, table)
///   all[] = add_halves(all[], bytes)
///   rest[] = add_halves(rest[], shr(bytes, 8) && 0x00ffffff)
/// }
/// let fourth: i32x16 = shr(rest[], 16) && 0xffff
/// let third: i32x16 = (shr(all[], 16) && 0xffff) - shl(fourth, 8)
/// let second: i32x16 = rest[] - shl(third, 8)
/// let first: i32x16 = all[] - shl(second, 8)
/// s[] = s[] + f32(first + second + third + fourth && 0xffff)
/// ```
///
/// A half of a lane adds up two bytes as one number of 16 bits; the same without the first byte adds up the others one byte lower, so that the sum of the fourth stands
/// alone, and what is left when it is taken from that of the third and fourth is that of the third, and so on. All that goes beyond 16 bits may be lost, as long as the sum
/// of each byte is less than 2^16: loops with more turns are declined. A number that each term subtracts is subtracted once for all.
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
