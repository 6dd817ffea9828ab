package dev.einfall.backends.jvm;

import dev.einfall.ir.BinaryOp;
import dev.einfall.ir.ElementType;
import dev.einfall.ir.loop.Expr;

/// Writes what takes the lanes of a vector for several of fewer bits, or chooses them from tables.
///
/// @param vectors writes the operands
record PermuteEmitter(VectorEmitter vectors, Code code, RoundingEmitter rounding) {
  private static final String VECTOR = "L" + Species.PACKAGE + "Vector;";

  /// `selectFrom` takes indices of the type of what it selects, and masks them itself.
  void emit(Expr.Permute permute, Species species) {
    Species ints = species.with(ElementType.I32);
    Expr indices = withoutMask(permute);
    vectors.emitExact(indices);
    permute.tables().forEach(table -> emitBits(table, species));
    code.invokeVirtual(ints.vectorClass(), "selectFrom", "(" + VECTOR.repeat(permute.tables().size()) + ")" + ints.descriptor());
    if (!species.equals(ints)) {
      code.castExact(ints);
      rounding.reinterpret(ints, species.element());
    }
  }

  /// `selectFrom` takes the lowest bits of each byte.
  void emitBytes(Expr words, Expr table, Species species) {
    Species bytes = new Species(ElementType.I8, species.lanes() * Integer.BYTES);
    vectors.emitExact(words);
    rounding.reinterpret(species, bytes);
    vectors.emitExact(table);
    rounding.takeBits(species, bytes);
    code.invokeVirtual(bytes.vectorClass(), "selectFrom", "(" + VECTOR + ")" + bytes.descriptor());
    code.castExact(bytes);
    rounding.reinterpret(bytes, species);
  }

  void emitAddHalves(Expr left, Expr right, Species species) {
    Species halves = new Species(ElementType.I16, species.lanes() * 2);
    vectors.emitExact(left);
    rounding.reinterpret(species, halves);
    vectors.emitExact(right);
    rounding.takeBits(species, halves);
    code.invokeVirtual(halves.vectorClass(), "add", "(" + VECTOR + ")" + halves.descriptor());
    code.castExact(halves);
    rounding.reinterpret(halves, species);
  }

  private void emitBits(Expr vector, Species species) {
    vectors.emitExact(vector);
    rounding.reinterpret(species, ElementType.I32);
  }

  private static Expr withoutMask(Expr.Permute permute) {
    return permute.indices() instanceof Expr.Binary(BinaryOp op, Expr indices, Expr.Broadcast(Expr.IntLiteral(_, long mask), _))
        && op == BinaryOp.AND && mask == permute.length() - 1 ? indices : permute.indices();
  }
}
