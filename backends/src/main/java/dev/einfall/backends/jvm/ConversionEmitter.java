package dev.einfall.backends.jvm;

import dev.einfall.ir.ElementType;
import org.objectweb.asm.Opcodes;

/// Writes conversions of the scalar on top of the operand stack.
final class ConversionEmitter {
  private static final String ARITHMETIC = "dev/einfall/backends/jvm/Arithmetic";

  private final Code code;

  ConversionEmitter(Code code) {
    this.code = code;
  }

  /// Makes the result of an operation in the JVM's wider type a value of `element`: rounds floats, wraps integers.
  void normalize(ElementType element) {
    switch (element) {
      case F64, F32, I64, I32, BOOL -> {}
      case F16 -> code.invokeStatic(ARITHMETIC, "roundToF16", "(F)F");
      case BF16 -> code.invokeStatic(ARITHMETIC, "roundToBf16", "(F)F");
      case I16 -> code.op(Opcodes.I2S);
      case I8 -> code.op(Opcodes.I2B);
      case U8 -> {
        code.constant(0xff);
        code.op(Opcodes.IAND);
      }
    }
  }

  /// Converts as [dev.einfall.ir.loop.Expr.Cast] says.
  void cast(ElementType from, ElementType to) {
    if (from == to) {
      return;
    }
    if (to.isBool()) {
      toTruth(JvmType.of(from));
    } else if (from.isFloat() && to.isInteger() && to.bytes() < 4) {
      saturate(JvmType.of(from), to);
    } else {
      convert(JvmType.of(from), JvmType.of(to));
      normalize(to);
    }
  }

  /// Takes the bits of a value of `from` as a value of `to`.
  void bitcast(ElementType from, ElementType to) {
    if (from == to) {
      return;
    }
    switch (from) {
      case F64 -> code.invokeStatic("java/lang/Double", "doubleToRawLongBits", "(D)J");
      case F32 -> code.invokeStatic("java/lang/Float", "floatToRawIntBits", "(F)I");
      case F16 -> code.invokeStatic("java/lang/Float", "floatToFloat16", "(F)S");
      case BF16 -> code.invokeStatic(ARITHMETIC, "floatToBf16", "(F)S");
      case I64, I32, I16, I8, U8, BOOL -> {}
    }
    switch (to) {
      case F64 -> code.invokeStatic("java/lang/Double", "longBitsToDouble", "(J)D");
      case F32 -> code.invokeStatic("java/lang/Float", "intBitsToFloat", "(I)F");
      case F16 -> code.invokeStatic("java/lang/Float", "float16ToFloat", "(S)F");
      case BF16 -> code.invokeStatic(ARITHMETIC, "bf16ToFloat", "(S)F");
      case BOOL -> code.invokeStatic(ARITHMETIC, "truth", "(I)I");
      case I64, I32, I16, I8, U8 -> normalize(to);
    }
  }

  private void toTruth(JvmType from) {
    switch (from) {
      case INT -> code.invokeStatic(ARITHMETIC, "truth", "(I)I");
      case LONG -> code.invokeStatic(ARITHMETIC, "truth", "(J)I");
      case FLOAT -> code.invokeStatic(ARITHMETIC, "truth", "(F)I");
      case DOUBLE -> code.invokeStatic(ARITHMETIC, "truth", "(D)I");
    }
  }

  private void saturate(JvmType from, ElementType to) {
    convert(from, JvmType.INT);
    code.constant(to == ElementType.U8 ? 0 : -1 << (8 * to.bytes() - 1));
    code.invokeStatic("java/lang/Math", "max", "(II)I");
    code.constant(to == ElementType.U8 ? 0xff : (1 << (8 * to.bytes() - 1)) - 1);
    code.invokeStatic("java/lang/Math", "min", "(II)I");
  }

  private void convert(JvmType from, JvmType to) {
    int opcode = switch (from) {
      case INT -> switch (to) {
        case INT -> Opcodes.NOP;
        case LONG -> Opcodes.I2L;
        case FLOAT -> Opcodes.I2F;
        case DOUBLE -> Opcodes.I2D;
      };
      case LONG -> switch (to) {
        case INT -> Opcodes.L2I;
        case LONG -> Opcodes.NOP;
        case FLOAT -> Opcodes.L2F;
        case DOUBLE -> Opcodes.L2D;
      };
      case FLOAT -> switch (to) {
        case INT -> Opcodes.F2I;
        case LONG -> Opcodes.F2L;
        case FLOAT -> Opcodes.NOP;
        case DOUBLE -> Opcodes.F2D;
      };
      case DOUBLE -> switch (to) {
        case INT -> Opcodes.D2I;
        case LONG -> Opcodes.D2L;
        case FLOAT -> Opcodes.D2F;
        case DOUBLE -> Opcodes.NOP;
      };
    };
    if (opcode != Opcodes.NOP) {
      code.op(opcode);
    }
  }
}
