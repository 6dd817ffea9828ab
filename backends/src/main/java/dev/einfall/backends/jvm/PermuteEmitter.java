package dev.einfall.backends.jvm;

import dev.einfall.ir.BinaryOp;
import dev.einfall.ir.ElementType;
import dev.einfall.ir.InternalException;
import dev.einfall.ir.loop.Buffer;
import dev.einfall.ir.loop.Expr;
import dev.einfall.ir.loop.Var;
import java.util.List;

/// Writes what takes the lanes of a vector for several of fewer bits, or chooses them from tables.
///
/// @param vectors writes the operands
record PermuteEmitter(VectorEmitter vectors, Frame frame, Code code, RoundingEmitter rounding) {
  private static final String VECTOR = "L" + Species.PACKAGE + "Vector;";
  private static final String MASK = "L" + Species.PACKAGE + "VectorMask;";
  private static final String OPERATORS = Species.PACKAGE + "VectorOperators";
  /// Of so many vectors one instruction chooses bytes.
  private static final int MOST_OF_ONE = 2;
  /// Of the longest vectors four have as many bytes as a byte numbers, so that its highest bit is a sign.
  static final int MOST_LANES = 64;

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

  void emitBytes(Expr.PermuteBytes permute, Species species) {
    emitAsBytes(permute);
    rounding.reinterpret(bytes(species), species);
  }

  /// Pushes the bytes of a vector of `i32`, as a vector of bytes whose class C2 knows.
  void emitAsBytes(Expr vector) {
    Species species = VectorEmitter.species(vector.type());
    Species bytes = bytes(species);
    switch (vector) {
      case Expr.PermuteBytes permute -> {
        chosen(permute, bytes);
        code.castExact(bytes);
      }
      case Expr.Load(Buffer buffer, List<Expr> indices) when buffer.space() != Buffer.Space.REGISTER -> {
        vectors.load(bytes, buffer, indices);
        code.castExact(bytes);
      }
      case Expr.Ramp(Expr.IntLiteral(ElementType _, long base), int stride, int _) -> {
        code.poolConstant(species.bytesOfRamp((int) base, stride));
        code.castExact(bytes);
      }
      case Expr.Ref(Var var) when frame.isOfBytes(var) -> vectors.emit(vector);
      case Expr _ -> {
        vectors.emitExact(vector);
        rounding.reinterpret(species, bytes);
      }
    }
  }

  private static Species bytes(Species species) {
    return new Species(ElementType.I8, species.lanes() * Integer.BYTES);
  }

  /// `selectFrom` takes the lowest bits of each byte, of two vectors at most: of four, a byte is of the upper two if it is negative.
  private void chosen(Expr.PermuteBytes permute, Species bytes) {
    List<Expr> tables = permute.tables();
    if (tables.size() <= MOST_OF_ONE) {
      selectFrom(permute.words(), tables, bytes);
      return;
    }
    if (bytes.lanes() < MOST_LANES) {
      throw new InternalException("bytes of " + tables.size() + " short vectors");
    }
    selectFrom(permute.words(), tables.subList(0, MOST_OF_ONE), bytes);
    code.castExact(bytes);
    selectFrom(permute.words(), tables.subList(MOST_OF_ONE, tables.size()), bytes);
    emitAsBytes(permute.words());
    code.getStatic(OPERATORS, "LT", "L" + OPERATORS + "$Comparison;");
    code.constant(0);
    code.invokeVirtual(bytes.vectorClass(), "compare", "(L" + OPERATORS + "$Comparison;B)" + MASK);
    code.invokeVirtual(bytes.vectorClass(), "blend", "(" + VECTOR + MASK + ")" + bytes.descriptor());
  }

  private void selectFrom(Expr words, List<Expr> tables, Species bytes) {
    emitAsBytes(words);
    tables.forEach(this::emitAsBytes);
    code.invokeVirtual(bytes.vectorClass(), "selectFrom", "(" + VECTOR.repeat(tables.size()) + ")" + bytes.descriptor());
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
