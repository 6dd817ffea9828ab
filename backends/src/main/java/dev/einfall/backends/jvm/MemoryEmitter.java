package dev.einfall.backends.jvm;

import dev.einfall.backends.kernel.LinearIndex;
import dev.einfall.ir.ElementType;
import dev.einfall.ir.InternalException;
import dev.einfall.ir.loop.Buffer;
import dev.einfall.ir.loop.Expr;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import org.objectweb.asm.ConstantDynamic;
import org.objectweb.asm.Handle;
import org.objectweb.asm.Opcodes;

/// Writes addresses and scalar accesses to memory. All memory is one segment that starts at address 0, so that an offset
/// in it is an address; the `KernelVerifier` has proved every access to be in bounds.
final class MemoryEmitter {
  static final String SEGMENT = "Ljava/lang/foreign/MemorySegment;";
  private static final ConstantDynamic EVERYTHING = new ConstantDynamic("_", SEGMENT,
      new Handle(Opcodes.H_INVOKESTATIC, "java/lang/invoke/MethodHandles", "classData",
          "(Ljava/lang/invoke/MethodHandles$Lookup;Ljava/lang/String;Ljava/lang/Class;)Ljava/lang/Object;", false));
  private static final String VALUE_LAYOUT = "java/lang/foreign/ValueLayout";
  private static final String ARITHMETIC = "dev/einfall/backends/jvm/Arithmetic";

  private final Frame frame;
  private final Code code;
  private final ScalarEmitter scalars;

  MemoryEmitter(Frame frame, ScalarEmitter scalars) {
    this.frame = frame;
    this.code = frame.code();
    this.scalars = scalars;
  }

  void pushEverything() {
    code.poolConstant(EVERYTHING);
  }

  /// Pushes the address of the (first lane's) element. Terms that change less often come first, so that the compiler
  /// moves their sum out of loops; the constant comes last and becomes a displacement. Where constants are negative, the sum with the least of
  /// them, which all accesses have in common, is told not to be.
  void pushAddress(Buffer buffer, List<Expr> indices) {
    LinearIndex index = LinearIndex.flat(buffer, indices)
        .orElseThrow(() -> new InternalException("access to " + buffer + " at " + indices));
    int bytes = buffer.type().bytes();
    long lowest = index.terms().isEmpty() ? 0 : frame.lowest(buffer);
    code.load(JvmType.LONG, frame.address(buffer));
    List<Map.Entry<Expr, Long>> terms = index.terms().entrySet().stream().sorted(Comparator.comparingInt(term -> depth(term.getKey()))).toList();
    for (int i = 0; i < terms.size(); i++) {
      if (i == terms.size() - 1 && lowest < 0) {
        code.constant(lowest);
        code.op(Opcodes.LADD);
        frame.boundAddress();
      }
      addTerm(terms.get(i), bytes);
    }
    long constant = index.constant() * bytes + frame.offset(buffer) - lowest;
    if (constant != 0) {
      code.constant(constant);
      code.op(Opcodes.LADD);
    }
  }

  private void addTerm(Map.Entry<Expr, Long> term, int bytes) {
    scalars.emit(term.getKey());
    code.op(Opcodes.I2L);
    code.constant(term.getValue() * bytes);
    code.op(Opcodes.LMUL);
    code.op(Opcodes.LADD);
  }

  /// Inner loops have their counters in later local variables.
  private int depth(Expr term) {
    return term.nodes().mapToInt(node -> node instanceof Expr.Ref(var var) ? frame.slot(var) : 0).max().orElse(0);
  }

  void load(Buffer buffer, List<Expr> indices) {
    ElementType element = buffer.type();
    pushEverything();
    pushLayout(element);
    pushAddress(buffer, indices);
    code.invokeInterface("java/lang/foreign/MemorySegment", "get",
        "(" + layoutType(element) + "J)" + stored(element));
    switch (element) {
      case F64, F32, I64, I32, I16, I8 -> {}
      case F16 -> code.invokeStatic("java/lang/Float", "float16ToFloat", "(S)F");
      case BF16 -> code.invokeStatic(ARITHMETIC, "bf16ToFloat", "(S)F");
      case U8 -> {
        code.constant(0xff);
        code.op(Opcodes.IAND);
      }
      case BOOL -> code.invokeStatic(ARITHMETIC, "truth", "(I)I");
    }
  }

  void store(Buffer buffer, List<Expr> indices, Expr value) {
    ElementType element = buffer.type();
    pushEverything();
    pushLayout(element);
    pushAddress(buffer, indices);
    scalars.emit(value);
    switch (element) {
      case F64, F32, I64, I32, I16, I8, BOOL -> {}
      case F16 -> code.invokeStatic("java/lang/Float", "floatToFloat16", "(F)S");
      case BF16 -> code.invokeStatic(ARITHMETIC, "floatToBf16", "(F)S");
      case U8 -> code.op(Opcodes.I2B);
    }
    code.invokeInterface("java/lang/foreign/MemorySegment", "set",
        "(" + layoutType(element) + "J" + stored(element) + ")V");
  }

  private void pushLayout(ElementType element) {
    String name = switch (element) {
      case F64 -> "JAVA_DOUBLE_UNALIGNED";
      case F32 -> "JAVA_FLOAT_UNALIGNED";
      case I64 -> "JAVA_LONG_UNALIGNED";
      case I32 -> "JAVA_INT_UNALIGNED";
      case F16, BF16, I16 -> "JAVA_SHORT_UNALIGNED";
      case I8, U8, BOOL -> "JAVA_BYTE";
    };
    code.getStatic(VALUE_LAYOUT, name, layoutType(element));
  }

  private static String layoutType(ElementType element) {
    return "L" + VALUE_LAYOUT + "$Of" + switch (element) {
      case F64 -> "Double";
      case F32 -> "Float";
      case I64 -> "Long";
      case I32 -> "Int";
      case F16, BF16, I16 -> "Short";
      case I8, U8, BOOL -> "Byte";
    } + ";";
  }

  private static String stored(ElementType element) {
    return switch (element) {
      case F64 -> "D";
      case F32 -> "F";
      case I64 -> "J";
      case I32 -> "I";
      case F16, BF16, I16 -> "S";
      case I8, U8, BOOL -> "B";
    };
  }
}
