package dev.einfall.tests.jvm;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.ArrayList;
import java.util.List;
import org.objectweb.asm.ClassReader;
import org.objectweb.asm.Opcodes;
import org.objectweb.asm.Type;
import org.objectweb.asm.tree.AbstractInsnNode;
import org.objectweb.asm.tree.ClassNode;
import org.objectweb.asm.tree.MethodInsnNode;
import org.objectweb.asm.tree.MethodNode;
import org.objectweb.asm.tree.analysis.Analyzer;
import org.objectweb.asm.tree.analysis.AnalyzerException;
import org.objectweb.asm.tree.analysis.Frame;
import org.objectweb.asm.tree.analysis.SourceInterpreter;
import org.objectweb.asm.tree.analysis.SourceValue;

/// Looks for calls of vectors and masks whose class C2 does not know while it parses: where vectors of two widths have been used in a JVM,
/// such calls stay calls, every vector becomes an object, and a kernel takes many times as long.
final class KnownReceivers {
  private static final String PACKAGE = "jdk/incubator/vector/";

  private KnownReceivers() {}

  /// Fails if `classFile` calls a vector or mask of an unknown class.
  static void require(byte[] classFile) {
    ClassNode code = new ClassNode();
    new ClassReader(classFile).accept(code, 0);
    List<String> unknown = new ArrayList<>();
    for (MethodNode method : code.methods) {
      unknown.addAll(unknown(code.name, method));
    }
    assertEquals(List.of(), unknown);
  }

  private static List<String> unknown(String owner, MethodNode method) {
    List<String> unknown = new ArrayList<>();
    try {
      Frame<SourceValue>[] frames = new Analyzer<>(new Definitions()).analyze(owner, method);
      for (int i = 0; i < frames.length; i++) {
        if (frames[i] != null && method.instructions.get(i) instanceof MethodInsnNode call && isOfVector(call)) {
          int arguments = Type.getArgumentTypes(call.desc).length;
          SourceValue receiver = frames[i].getStack(frames[i].getStackSize() - 1 - arguments);
          if (receiver.insns.size() != 1 || !isKnown(receiver.insns.iterator().next())) {
            unknown.add(method.name + " " + i + ": " + call.name);
          }
        }
      }
    } catch (AnalyzerException e) {
      throw new AssertionError(method.name, e);
    }
    return unknown;
  }

  private static boolean isOfVector(MethodInsnNode call) {
    return call.getOpcode() == Opcodes.INVOKEVIRTUAL && call.owner.startsWith(PACKAGE);
  }

  private static boolean isKnown(AbstractInsnNode definition) {
    return definition.getOpcode() == Opcodes.CHECKCAST && definition.getPrevious() instanceof MethodInsnNode cast
        && cast.owner.equals("java/lang/Class") && cast.name.equals("cast");
  }

  /// Follows each value from where it is computed, through local variables.
  private static final class Definitions extends SourceInterpreter {
    Definitions() {
      super(Opcodes.ASM9);
    }

    @Override
    public SourceValue copyOperation(AbstractInsnNode instruction, SourceValue value) {
      return value;
    }
  }
}
