package dev.einfall.passes.loop;

import dev.einfall.ir.loop.Buffer;
import dev.einfall.ir.loop.Expr;
import dev.einfall.ir.loop.Stmt;
import java.util.List;
import java.util.stream.IntStream;

/// The element of a buffer that a load or a store reaches, or the elements, of one with a ramp.
record Element(Buffer buffer, List<Expr> indices) {

  static Element of(Expr.Load load) {
    return new Element(load.buffer(), load.indices());
  }

  static Element of(Stmt.Store store) {
    return new Element(store.buffer(), store.indices());
  }

  /// Whether this has no element in common with `other`, as is known of different buffers, and of different constant distances from one
  /// place.
  boolean isApartFrom(Element other) {
    return buffer != other.buffer || !indices.equals(other.indices)
        && IntStream.range(0, indices.size()).anyMatch(i -> areApart(indices.get(i), other.indices.get(i)));
  }

  private static boolean areApart(Expr one, Expr other) {
    IndexSum distance = IndexSum.of(base(other)).plus(IndexSum.of(base(one)).times(-1));
    return distance.terms().isEmpty() && (last(one) < distance.constant() + first(other) || distance.constant() + last(other) < first(one));
  }

  private static Expr base(Expr index) {
    return index instanceof Expr.Ramp ramp ? ramp.base() : index;
  }

  /// The least distance of an element from the base.
  private static long first(Expr index) {
    return index instanceof Expr.Ramp ramp ? Math.min(0, ramp.stride() * (ramp.lanes() - 1L)) : 0;
  }

  /// The largest distance of an element from the base.
  private static long last(Expr index) {
    return index instanceof Expr.Ramp ramp ? Math.max(0, ramp.stride() * (ramp.lanes() - 1L)) : 0;
  }
}
