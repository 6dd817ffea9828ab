package dev.einfall.backends.jvm;

import dev.einfall.backends.kernel.Cell;
import dev.einfall.ir.BinaryOp;
import dev.einfall.ir.ElementType;
import dev.einfall.ir.InternalException;
import dev.einfall.ir.UnaryOp;
import dev.einfall.ir.loop.Buffer;
import dev.einfall.ir.loop.Expr;
import org.objectweb.asm.Label;
import org.objectweb.asm.Opcodes;

/// Writes the code of scalar expressions: each leaves its value, held as [JvmType] says, on the operand stack.
final class ScalarEmitter {
  private static final String ARITHMETIC = "dev/einfall/backends/jvm/Arithmetic";
  private static final String MATH = "java/lang/Math";

  private final Frame frame;
  private final Code code;
  private final MemoryEmitter memory;
  private final VectorEmitter vectors;
  private final ConversionEmitter conversions;

  ScalarEmitter(Frame frame) {
    this.frame = frame;
    this.code = frame.code();
    this.memory = new MemoryEmitter(frame, this);
    this.vectors = new VectorEmitter(frame, this, memory);
    this.conversions = new ConversionEmitter(code);
  }

  MemoryEmitter memory() {
    return memory;
  }

  VectorEmitter vectors() {
    return vectors;
  }

  void emit(Expr expr) {
    JvmType type = JvmType.of(expr.type().element());
    switch (expr) {
      case Expr.FloatLiteral(ElementType element, double value) -> code.constant(type, rounded(element, value));
      case Expr.IntLiteral(_, long value) -> {
        if (type == JvmType.LONG) {
          code.constant(value);
        } else {
          code.constant((int) value);
        }
      }
      case Expr.Ref(var var) -> code.load(type, frame.slot(var));
      case Expr.Load(Buffer buffer, var indices) when buffer.space() == Buffer.Space.REGISTER ->
          code.load(type, frame.slot(Cell.of(buffer, indices)));
      case Expr.Load(Buffer buffer, var indices) -> memory.load(buffer, indices);
      case Expr.Unary unary -> emitUnary(unary, type);
      case Expr.Binary binary -> emitBinary(binary);
      case Expr.Fma fma -> {
        emit(fma.a());
        emit(fma.b());
        emit(fma.c());
        String letter = type.descriptor();
        code.invokeStatic(MATH, "fma", "(" + letter + letter + letter + ")" + letter);
        conversions.normalize(fma.type().element());
      }
      case Expr.Select select -> emitSelect(select);
      case Expr.Cast cast -> {
        emit(cast.operand());
        conversions.cast(cast.operand().type().element(), cast.element());
      }
      case Expr.Bitcast bitcast -> {
        emit(bitcast.operand());
        conversions.bitcast(bitcast.operand().type().element(), bitcast.element());
      }
      case Expr.ReduceLanes reduce -> vectors.emitReduction(reduce);
      case Expr.Ramp _, Expr.Broadcast _, Expr.Zip _, Expr.Permute _, Expr.PermuteBytes _, Expr.AddHalves _, Expr.Dot _, Expr.TileProduct _ -> throw new InternalException("scalar " + expr);
    }
  }

  /// Jumps to `target` unless the `bool` `condition` holds.
  void jumpUnless(Expr condition, Label target) {
    if (condition instanceof Expr.Binary(BinaryOp op, Expr left, Expr right) && op.isComparison()) {
      emit(left);
      emit(right);
      code.jump(comparison(negate(op), op, JvmType.of(left.type().element())), target);
    } else if (condition instanceof Expr.Binary(BinaryOp op, Expr left, Expr right) && op == BinaryOp.AND) {
      jumpUnless(left, target);
      jumpUnless(right, target);
    } else {
      emit(condition);
      code.jump(Opcodes.IFEQ, target);
    }
  }

  private void emitUnary(Expr.Unary unary, JvmType type) {
    UnaryOp op = unary.op();
    ElementType element = unary.type().element();
    emit(unary.operand());
    String same = "(" + type.descriptor() + ")" + type.descriptor();
    switch (op) {
      case NEG -> code.op(type.arithmetic(Opcodes.INEG));
      case NOT -> {
        code.constant(1);
        code.op(Opcodes.IXOR);
      }
      case ABS -> code.invokeStatic(MATH, "abs", same);
      case SIGN -> code.invokeStatic(ARITHMETIC, "sign", same);
      case EXP, LOG, SQRT, TANH, SIN, COS, FLOOR, CEIL -> inDouble(type, MATH, op.text());
      case ROUND -> inDouble(type, MATH, "rint");
      case RSQRT -> inDouble(type, ARITHMETIC, "rsqrt");
      case ERF -> inDouble(type, "dev/einfall/ir/Erf", "erf");
      case POPCOUNT -> emitPopcount(element, type);
    }
    conversions.normalize(element);
  }

  /// Narrow types stand in an `int` with their sign: only their own bits count.
  private void emitPopcount(ElementType element, JvmType type) {
    if (type == JvmType.LONG) {
      code.invokeStatic("java/lang/Long", "bitCount", "(J)I");
      code.op(Opcodes.I2L);
      return;
    }
    if (element.bytes() < Integer.BYTES) {
      code.constant((1 << 8 * element.bytes()) - 1);
      code.op(Opcodes.IAND);
    }
    code.invokeStatic("java/lang/Integer", "bitCount", "(I)I");
  }

  private void inDouble(JvmType type, String owner, String function) {
    if (type == JvmType.FLOAT) {
      code.op(Opcodes.F2D);
    }
    code.invokeStatic(owner, function, "(D)D");
    if (type == JvmType.FLOAT) {
      code.op(Opcodes.D2F);
    }
  }

  private void emitBinary(Expr.Binary binary) {
    BinaryOp op = binary.op();
    ElementType element = binary.left().type().element();
    if (op.isComparison()) {
      emitTruth(binary);
      return;
    }
    JvmType type = JvmType.of(element);
    emit(binary.left());
    emit(binary.right());
    switch (op) {
      case ADD -> code.op(type.arithmetic(Opcodes.IADD));
      case SUB -> code.op(type.arithmetic(Opcodes.ISUB));
      case MUL -> code.op(type.arithmetic(Opcodes.IMUL));
      case DIV -> divide(binary, type, "floorDiv", Opcodes.IDIV);
      case MOD -> divide(binary, type, "floorMod", Opcodes.NOP);
      case MIN, MAX -> code.invokeStatic(MATH, op.text(), twice(type));
      case POW -> power(type);
      case AND -> code.op(type.arithmetic(Opcodes.IAND));
      case OR -> code.op(type.arithmetic(Opcodes.IOR));
      case XOR -> code.op(type.arithmetic(Opcodes.IXOR));
      case SHL -> shift(type, element, Opcodes.ISHL);
      case SHR -> shift(type, element, Opcodes.ISHR);
      case EQ, NE, LT, LE, GT, GE -> throw new InternalException("comparison " + binary);
    }
    conversions.normalize(element);
  }

  private void divide(Expr.Binary binary, JvmType type, String name, int floatOpcode) {
    if (binary.left().type().element().isFloat() && floatOpcode != Opcodes.NOP) {
      code.op(type.arithmetic(floatOpcode));
    } else {
      boolean plain = binary.right() instanceof Expr.IntLiteral(_, long divisor) && divisor != 0;
      code.invokeStatic(plain ? MATH : ARITHMETIC, name, twice(type));
    }
  }

  private void power(JvmType type) {
    if (type == JvmType.DOUBLE) {
      code.invokeStatic(MATH, "pow", "(DD)D");
    } else {
      code.invokeStatic(ARITHMETIC, "pow", "(FF)F");
    }
  }

  private void shift(JvmType type, ElementType element, int intOpcode) {
    if (type == JvmType.LONG) {
      code.op(Opcodes.L2I);
    } else {
      code.constant(8 * element.bytes() - 1);
      code.op(Opcodes.IAND);
    }
    code.op(type.arithmetic(intOpcode));
  }

  private static String twice(JvmType type) {
    return "(" + type.descriptor() + type.descriptor() + ")" + type.descriptor();
  }

  private void emitSelect(Expr.Select select) {
    if (isAboutIndices(select.condition())) {
      emit(select.condition());
      emit(select.whenTrue());
      emit(select.whenFalse());
      String type = JvmType.of(select.type().element()).descriptor();
      code.invokeStatic(ARITHMETIC, "select", "(I" + type + type + ")" + type);
      return;
    }
    Label otherwise = new Label();
    Label end = new Label();
    jumpUnless(select.condition(), otherwise);
    emit(select.whenTrue());
    code.jump(Opcodes.GOTO, end);
    code.label(otherwise);
    emit(select.whenFalse());
    code.label(end);
  }

  /// Whether `condition` compares `i32` numbers only. Such a choice is computed without branches: of a branch never taken
  /// yet C2 makes a trap, moves its condition before the loop as if it were a range check, and throws the code away when it
  /// fails there, again and again.
  private static boolean isAboutIndices(Expr condition) {
    return switch (condition) {
      case Expr.Binary(BinaryOp op, Expr left, _) when op.isComparison() -> left.type().element() == ElementType.I32;
      case Expr.Binary(_, Expr left, Expr right) -> isAboutIndices(left) && isAboutIndices(right);
      case Expr.Unary(_, Expr operand) -> isAboutIndices(operand);
      default -> false;
    };
  }

  private void emitTruth(Expr.Binary comparison) {
    if (comparison.left().type().element() == ElementType.I32) {
      compareIndices(comparison);
      return;
    }
    Label otherwise = new Label();
    Label end = new Label();
    jumpUnless(comparison, otherwise);
    code.constant(1);
    code.jump(Opcodes.GOTO, end);
    code.label(otherwise);
    code.constant(0);
    code.label(end);
  }

  private void compareIndices(Expr.Binary comparison) {
    boolean swap = comparison.op() == BinaryOp.GT || comparison.op() == BinaryOp.LE;
    emit(swap ? comparison.right() : comparison.left());
    emit(swap ? comparison.left() : comparison.right());
    boolean equality = comparison.op() == BinaryOp.EQ || comparison.op() == BinaryOp.NE;
    code.invokeStatic(ARITHMETIC, equality ? "equal" : "less", "(II)I");
    if (comparison.op() == BinaryOp.NE || comparison.op() == BinaryOp.LE || comparison.op() == BinaryOp.GE) {
      code.constant(1);
      code.op(Opcodes.IXOR);
    }
  }

  /// The jump that is taken when `jumpOp` holds for the two values on the stack. Comparisons of floats give what makes
  /// `op`, the comparison in the program, false for NaN.
  private int comparison(BinaryOp jumpOp, BinaryOp op, JvmType type) {
    boolean less = op == BinaryOp.LT || op == BinaryOp.LE;
    switch (type) {
      case INT -> {}
      case LONG -> code.op(Opcodes.LCMP);
      case FLOAT -> code.op(less ? Opcodes.FCMPG : Opcodes.FCMPL);
      case DOUBLE -> code.op(less ? Opcodes.DCMPG : Opcodes.DCMPL);
    }
    boolean ints = type == JvmType.INT;
    return switch (jumpOp) {
      case EQ -> ints ? Opcodes.IF_ICMPEQ : Opcodes.IFEQ;
      case NE -> ints ? Opcodes.IF_ICMPNE : Opcodes.IFNE;
      case LT -> ints ? Opcodes.IF_ICMPLT : Opcodes.IFLT;
      case LE -> ints ? Opcodes.IF_ICMPLE : Opcodes.IFLE;
      case GT -> ints ? Opcodes.IF_ICMPGT : Opcodes.IFGT;
      case GE -> ints ? Opcodes.IF_ICMPGE : Opcodes.IFGE;
      case ADD, SUB, MUL, DIV, MOD, MIN, MAX, POW, AND, OR, XOR, SHL, SHR ->
          throw new InternalException(jumpOp + " is no comparison");
    };
  }

  private static BinaryOp negate(BinaryOp op) {
    return switch (op) {
      case EQ -> BinaryOp.NE;
      case NE -> BinaryOp.EQ;
      case LT -> BinaryOp.GE;
      case LE -> BinaryOp.GT;
      case GT -> BinaryOp.LE;
      case GE -> BinaryOp.LT;
      case ADD, SUB, MUL, DIV, MOD, MIN, MAX, POW, AND, OR, XOR, SHL, SHR ->
          throw new InternalException(op + " is no comparison");
    };
  }

  private static double rounded(ElementType element, double value) {
    return switch (element) {
      case F16 -> Arithmetic.roundToF16((float) value);
      case BF16 -> Arithmetic.roundToBf16((float) value);
      case F64, F32, I64, I32, I16, I8, U8, BOOL -> value;
    };
  }

}
