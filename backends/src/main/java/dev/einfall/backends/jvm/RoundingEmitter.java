package dev.einfall.backends.jvm;

import dev.einfall.ir.ElementType;
import dev.einfall.ir.UnaryOp;
import org.objectweb.asm.Opcodes;

/// Writes `floor`, `ceil` and `round` of the vector on top of the operand stack, and what it stands for as numbers of 16 bits, which the Vector API does not have.
final class RoundingEmitter {
  private static final String MASK = "L" + Species.PACKAGE + "VectorMask;";
  private static final String OPERATORS = Species.PACKAGE + "VectorOperators";
  private static final String VECTOR = "L" + Species.PACKAGE + "Vector;";

  /// The bits of an infinite number.
  private static final int EXPONENT = 0x7f800000;

  private final Code code;

  RoundingEmitter(Code code) {
    this.code = code;
  }

  void emit(UnaryOp op, Species species) {
    int mark = code.mark();
    int x = code.local(1);
    code.storeReference(x);
    round(species, x);
    if (op != UnaryOp.ROUND) {
      step(species, x, op == UnaryOp.FLOOR);
    }
    code.release(mark);
  }

  /// Takes the bits of the vector on top of the stack as elements of another type.
  void reinterpret(Species from, ElementType to) {
    reinterpret(from, from.with(to));
  }

  /// The bits of the vector of species `from` on the stack as a vector of species `target`, of as many bits.
  void reinterpret(Species from, Species target) {
    if (!from.equals(target)) {
      takeBits(from, target);
      code.castExact(target);
    }
  }

  /// The same where nobody needs to know the class of the result.
  void takeBits(Species from, Species target) {
    if (!from.equals(target)) {
      String method = switch (target.letter()) {
        case "F" -> "reinterpretAsFloats";
        case "D" -> "reinterpretAsDoubles";
        case "I" -> "reinterpretAsInts";
        case "S" -> "reinterpretAsShorts";
        case "B" -> "reinterpretAsBytes";
        default -> "reinterpretAsLongs";
      };
      code.invokeVirtual(from.vectorClass(), method, "()" + target.descriptor());
    }
  }

  /// Adds and subtracts the number from which on all are integers: the addition rounds. The sign is put back, and numbers
  /// as large as that stay as they are.
  private void round(Species species, int x) {
    double integral = species.element() == ElementType.F32 ? 0x1p23 : 0x1p52;
    code.loadReference(x);
    code.loadReference(x);
    abs(species);
    withScalar(species, "add", integral);
    withScalar(species, "sub", integral);
    putSign(species, x);
    code.loadReference(x);
    abs(species);
    operator("LT", "Comparison");
    code.constant(JvmType.of(species.element()), integral);
    code.invokeVirtual(species.vectorClass(), "compare",
        "(L" + OPERATORS + "$Comparison;" + JvmType.of(species.element()).descriptor() + ")" + MASK);
    blend(species);
  }

  /// Gives the vector on the stack, which has no negative lane where `x` is positive, the signs of `x`.
  private void putSign(Species species, int x) {
    Species integers = VectorEmitter.integers(species);
    reinterpret(species, integers.element());
    operator("OR", "Associative");
    code.loadReference(x);
    reinterpret(species, integers.element());
    operator("AND", "Associative");
    if (integers.element() == ElementType.I32) {
      code.constant(Integer.MIN_VALUE);
    } else {
      code.constant(Long.MIN_VALUE);
    }
    lanewise(integers, JvmType.of(integers.element()).descriptor());
    lanewise(integers, VECTOR);
    reinterpret(integers, species.element());
  }

  /// Steps from the nearest integer, on the stack, to the next one down or up where it is on the wrong side of `x`.
  private void step(Species species, int x, boolean down) {
    int nearest = code.local(1);
    code.op(Opcodes.DUP);
    code.storeReference(nearest);
    code.loadReference(nearest);
    withScalar(species, down ? "sub" : "add", 1);
    code.loadReference(nearest);
    operator(down ? "GT" : "LT", "Comparison");
    code.loadReference(x);
    code.invokeVirtual(species.vectorClass(), "compare", "(L" + OPERATORS + "$Comparison;" + VECTOR + ")" + MASK);
    blend(species);
    if (!down) {
      // Between -1 and 0 lies -0.
      putSign(species, x);
    }
  }

  /// The numbers whose bits as `f16` are in the lanes of the vector of `ints` on the stack, with the sign in all upper bits. These bits, moved to where `f32` has its own, are the number
  /// times 2^-112, subnormals too; what is 2^16 and more then is infinite or no number, and gets the exponent of those.
  void widenHalves(Species ints) {
    Species floats = ints.with(ElementType.F32);
    int mark = code.mark();
    int bits = code.local(1);
    withNumber(ints, "LSHL", "Binary", 13);
    withNumber(ints, "AND", "Associative", 0x8fffe000);
    reinterpret(ints, floats);
    withScalar(floats, "mul", 0x1p112);
    reinterpret(floats, ints);
    code.storeReference(bits);
    code.loadReference(bits);
    operator("OR", "Associative");
    code.constant(EXPONENT);
    code.loadReference(bits);
    withNumber(ints, "AND", "Associative", Integer.MAX_VALUE);
    operator("GE", "Comparison");
    code.constant(Float.floatToRawIntBits(0x1p16f));
    code.invokeVirtual(ints.vectorClass(), "compare", "(L" + OPERATORS + "$Comparison;I)" + MASK);
    code.invokeVirtual(ints.vectorClass(), "lanewise", "(L" + OPERATORS + "$Binary;I" + MASK + ")" + ints.descriptor());
    code.castExact(ints);
    reinterpret(ints, floats);
    code.release(mark);
  }

  private void withNumber(Species ints, String name, String kind, int number) {
    operator(name, kind);
    code.constant(number);
    lanewise(ints, "I");
  }

  private void abs(Species species) {
    code.invokeVirtual(species.vectorClass(), "abs", "()" + species.descriptor());
    code.castExact(species);
  }

  private void blend(Species species) {
    code.invokeVirtual(species.vectorClass(), "blend", "(" + VECTOR + MASK + ")" + species.descriptor());
    code.castExact(species);
  }

  private void withScalar(Species species, String method, double value) {
    JvmType type = JvmType.of(species.element());
    code.constant(type, value);
    code.invokeVirtual(species.vectorClass(), method, "(" + type.descriptor() + ")" + species.descriptor());
    code.castExact(species);
  }

  private void lanewise(Species species, String operand) {
    code.invokeVirtual(species.vectorClass(), "lanewise",
        "(L" + OPERATORS + "$Binary;" + operand + ")" + species.descriptor());
    code.castExact(species);
  }

  private void operator(String name, String kind) {
    code.getStatic(OPERATORS, name, "L" + OPERATORS + "$" + kind + ";");
  }
}
