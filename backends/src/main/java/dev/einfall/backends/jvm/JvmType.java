package dev.einfall.backends.jvm;

import dev.einfall.ir.ElementType;
import org.objectweb.asm.Opcodes;

/// How the JVM holds a scalar. `f16` and `bf16` are held as `float`, small integers and `bool` as `int`, each with a
/// value that its own type has.
enum JvmType {
  INT("I", 1, Opcodes.ILOAD, Opcodes.ISTORE, 0),
  LONG("J", 2, Opcodes.LLOAD, Opcodes.LSTORE, 1),
  FLOAT("F", 1, Opcodes.FLOAD, Opcodes.FSTORE, 2),
  DOUBLE("D", 2, Opcodes.DLOAD, Opcodes.DSTORE, 3);

  private final String descriptor;
  private final int slots;
  private final int load;
  private final int store;
  private final int offset;

  JvmType(String descriptor, int slots, int load, int store, int offset) {
    this.descriptor = descriptor;
    this.slots = slots;
    this.load = load;
    this.store = store;
    this.offset = offset;
  }

  static JvmType of(ElementType element) {
    return switch (element) {
      case F64 -> DOUBLE;
      case F32, F16, BF16 -> FLOAT;
      case I64 -> LONG;
      case I32, I16, I8, U8, BOOL -> INT;
    };
  }

  String descriptor() {
    return descriptor;
  }

  int slots() {
    return slots;
  }

  int load() {
    return load;
  }

  int store() {
    return store;
  }

  /// The opcode for this type of an operation that is `IADD`, `ISUB`, `IMUL`, `IDIV`, `INEG` for `int`.
  int arithmetic(int intOpcode) {
    return intOpcode + offset;
  }
}
