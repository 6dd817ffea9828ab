package dev.einfall.backends.jvm;

import org.objectweb.asm.ConstantDynamic;
import org.objectweb.asm.Label;
import org.objectweb.asm.MethodVisitor;
import org.objectweb.asm.Opcodes;

/// Writes the instructions of one method and gives out its local variables.
final class Code {
  private final MethodVisitor method;
  private int nextSlot;
  /// The class that the last instruction cast to, if it did.
  private ConstantDynamic lastCast;

  Code(MethodVisitor method) {
    this.method = method;
  }

  /// A new local variable of `slots` slots (2 for `long` and `double`), free again after [#release].
  int local(int slots) {
    int slot = nextSlot;
    nextSlot += slots;
    return slot;
  }

  /// The point to [#release] to.
  int mark() {
    return nextSlot;
  }

  /// Frees the local variables made since `mark`.
  void release(int mark) {
    nextSlot = mark;
  }

  /// Takes the next instruction.
  private MethodVisitor next() {
    lastCast = null;
    return method;
  }

  void op(int opcode) {
    next().visitInsn(opcode);
  }

  void load(JvmType type, int slot) {
    next().visitVarInsn(type.load(), slot);
  }

  void store(JvmType type, int slot) {
    next().visitVarInsn(type.store(), slot);
  }

  void loadReference(int slot) {
    next().visitVarInsn(Opcodes.ALOAD, slot);
  }

  void storeReference(int slot) {
    next().visitVarInsn(Opcodes.ASTORE, slot);
  }

  void increment(int slot) {
    next().visitIincInsn(slot, 1);
  }

  void constant(int value) {
    if (value >= -1 && value <= 5) {
      op(Opcodes.ICONST_0 + value);
    } else if (value == (byte) value) {
      next().visitIntInsn(Opcodes.BIPUSH, value);
    } else if (value == (short) value) {
      next().visitIntInsn(Opcodes.SIPUSH, value);
    } else {
      next().visitLdcInsn(value);
    }
  }

  void constant(long value) {
    if (value == 0 || value == 1) {
      op(value == 0 ? Opcodes.LCONST_0 : Opcodes.LCONST_1);
    } else {
      next().visitLdcInsn(value);
    }
  }

  void constant(float value) {
    if (Float.floatToRawIntBits(value) == 0) {
      op(Opcodes.FCONST_0);
    } else {
      next().visitLdcInsn(value);
    }
  }

  void constant(double value) {
    if (Double.doubleToRawLongBits(value) == 0) {
      op(Opcodes.DCONST_0);
    } else {
      next().visitLdcInsn(value);
    }
  }

  /// The number `value` as a constant of `type`.
  void constant(JvmType type, double value) {
    switch (type) {
      case INT -> constant((int) value);
      case LONG -> constant((long) value);
      case FLOAT -> constant((float) value);
      case DOUBLE -> constant(value);
    }
  }

  /// A loop of `iterations` that does nothing; none if these are not positive. HotSpot compiles a method by how often it was called and how often
  /// its loops went around; code that is interpreted is slow, but for this loop, of which nothing is left when it is compiled.
  void count(long iterations) {
    if (iterations <= 0) {
      return;
    }
    int mark = mark();
    int count = local(1);
    Label again = new Label();
    Label done = new Label();
    constant(0);
    store(JvmType.INT, count);
    label(again);
    load(JvmType.INT, count);
    constant((int) iterations);
    jump(Opcodes.IF_ICMPGE, done);
    increment(count);
    jump(Opcodes.GOTO, again);
    label(done);
    release(mark);
  }

  /// A constant that the constant pool holds: a string or a dynamic constant.
  void poolConstant(Object value) {
    next().visitLdcInsn(value);
  }

  void getStatic(String owner, String name, String descriptor) {
    next().visitFieldInsn(Opcodes.GETSTATIC, owner, name, descriptor);
  }

  void invokeStatic(String owner, String name, String descriptor) {
    next().visitMethodInsn(Opcodes.INVOKESTATIC, owner, name, descriptor, false);
  }

  void invokeVirtual(String owner, String name, String descriptor) {
    next().visitMethodInsn(Opcodes.INVOKEVIRTUAL, owner, name, descriptor, false);
  }

  void invokeInterface(String owner, String name, String descriptor) {
    next().visitMethodInsn(Opcodes.INVOKEINTERFACE, owner, name, descriptor, true);
  }

  void checkCast(String type) {
    next().visitTypeInsn(Opcodes.CHECKCAST, type);
  }

  /// Casts the vector on top of the stack to the class of `species` itself, which no source code can name.
  void castExact(Species species) {
    castTo(species.exactClass(), species.vectorClass());
  }

  /// Casts the mask on top of the stack to that of the vectors of `species`.
  void castExactMask(Species species) {
    castTo(species.exactMaskClass(), Species.PACKAGE + "VectorMask");
  }

  private void castTo(ConstantDynamic exactClass, String type) {
    if (!exactClass.equals(lastCast)) {
      poolConstant(exactClass);
      op(Opcodes.SWAP);
      invokeVirtual("java/lang/Class", "cast", "(Ljava/lang/Object;)Ljava/lang/Object;");
      checkCast(type);
      lastCast = exactClass;
    }
  }

  void jump(int opcode, Label target) {
    next().visitJumpInsn(opcode, target);
  }

  void label(Label label) {
    next().visitLabel(label);
  }

  /// The instructions from here on stand for `line` of the source; 0 for none.
  void line(int line) {
    if (line > 0) {
      Label here = new Label();
      label(here);
      next().visitLineNumber(line, here);
    }
  }
}
