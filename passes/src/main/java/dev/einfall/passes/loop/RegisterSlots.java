package dev.einfall.passes.loop;

import dev.einfall.ir.loop.Buffer;
import dev.einfall.ir.loop.Expr;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/// Which elements of a buffer accesses with constant indices touch.
final class RegisterSlots {
  private RegisterSlots() {}

  /// Whether all `accesses` have constant indices, and no two of them share an element.
  static boolean areDisjoint(Set<List<Expr>> accesses, Buffer buffer) {
    BitSet taken = new BitSet();
    for (List<Expr> indices : accesses) {
      Optional<List<Long>> elements = elements(indices, buffer);
      if (elements.isEmpty()) {
        return false;
      }
      for (long element : elements.get()) {
        if (taken.get((int) element)) {
          return false;
        }
        taken.set((int) element);
      }
    }
    return true;
  }

  /// The offsets of the elements, one a lane; empty if an index is not constant.
  private static Optional<List<Long>> elements(List<Expr> indices, Buffer buffer) {
    int lanes = Expr.lanes(indices);
    List<Long> elements = new ArrayList<>();
    for (int lane = 0; lane < lanes; lane++) {
      long offset = 0;
      for (int i = 0; i < indices.size(); i++) {
        Optional<Long> index = at(indices.get(i), lane);
        if (index.isEmpty()) {
          return Optional.empty();
        }
        offset += index.get() * buffer.stride(i);
      }
      elements.add(offset);
    }
    return Optional.of(elements);
  }

  private static Optional<Long> at(Expr index, int lane) {
    return switch (index) {
      case Expr.IntLiteral literal -> Optional.of(literal.value());
      case Expr.Ramp ramp -> Rewrites.constant(ramp.base()).map(base -> base + (long) ramp.stride() * lane);
      case Expr.Broadcast broadcast -> Rewrites.constant(broadcast.operand());
      default -> Optional.empty();
    };
  }
}
