package dev.einfall.backends.jvm;

import dev.einfall.ir.ElementType;
import dev.einfall.ir.UnaryOp;
import org.objectweb.asm.Opcodes;

/// Writes `floor`, `ceil` and `round` of the vector on top of the operand stack, which the Vector API does not have.
final class RoundingEmitter {
  private static final String MASK = "L" + Species.PACKAGE + "VectorMask;";
  private static final String OPERATORS = Species.PACKAGE + "VectorOperators";
  private static final String VECTOR = "L" + Species.PACKAGE + "Vector;";

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
