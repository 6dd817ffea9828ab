package dev.einfall.frontend;

import dev.einfall.ir.BinaryOp;
import dev.einfall.ir.InternalException;

/// The operators of both text syntaxes.
final class Operators {
  private Operators() {}

  /// The operation of the operator `sign`.
  static BinaryOp infix(String sign) {
    for (BinaryOp op : BinaryOp.values()) {
      if (!op.isFunction() && op.text().equals(sign)) {
        return op;
      }
    }
    throw new InternalException("no operator " + sign);
  }
}
