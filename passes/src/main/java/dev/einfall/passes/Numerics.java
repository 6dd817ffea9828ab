package dev.einfall.passes;

import dev.einfall.ir.BinaryOp;
import dev.einfall.ir.ElementType;

/// How far the compiler may go from the order and the roundings of the source: each contract allows what those before it do.
/// Every [Pass] states which it needs.
public enum Numerics {
  /// The bits of the source: each operation is rounded to its type, functions of `f32` are below 1 ULP, and reductions combine their
  /// values in row-major order from the left, starting with the identity.
  STRICT,
  /// Sums and products in any order and in parts, whatever algebra is exact over the reals, a product and a sum rounded once, and
  /// functions by fewer operations with larger errors, which are stated.
  REASSOCIATE,
  /// Approximations whose error depends on the data.
  FAST;

  /// Whether a pass that needs `needed` may run under this contract.
  public boolean allows(Numerics needed) {
    return compareTo(needed) >= 0;
  }

  /// Whether values of `type` may be combined by `op` in another order than the source's: always where that gives the same bits.
  public boolean mayReorder(BinaryOp op, ElementType type) {
    return allows(REASSOCIATE) || !type.isFloat() || op == BinaryOp.MIN || op == BinaryOp.MAX;
  }
}
