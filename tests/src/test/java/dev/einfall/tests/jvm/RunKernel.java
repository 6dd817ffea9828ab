package dev.einfall.tests.jvm;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.einfall.backends.CompiledKernel;
import dev.einfall.backends.jvm.JvmBackend;
import dev.einfall.backends.jvm.JvmOptions;
import dev.einfall.backends.reference.Array;
import dev.einfall.backends.reference.KernelInterpreter;
import dev.einfall.frontend.LoopReader;
import dev.einfall.ir.ElementType;
import dev.einfall.ir.Source;
import dev.einfall.ir.loop.Buffer;
import dev.einfall.ir.loop.Kernel;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;

/// Runs kernels as bytecode, beside the reference interpreter.
final class RunKernel {
  private RunKernel() {}

  static Kernel read(String text) {
    return LoopReader.read(new Source("test.loop", text)).kernels().getFirst();
  }

  /// Checks that bytecode with and without vectors computes what the interpreter does. The first parameters are `inputs`,
  /// the others start as zeros.
  ///
  /// @return the remarks about the vector code
  static List<String> compare(String text, double tolerance, Array... inputs) {
    Kernel kernel = read(text);
    List<Array> expected = arrays(kernel, inputs);
    KernelInterpreter.run(kernel, expected);
    List<Array> vectors = arrays(kernel, inputs);
    List<String> remarks = run(kernel, true, vectors);
    List<Array> scalars = arrays(kernel, inputs);
    run(kernel, false, scalars);
    for (int i = inputs.length; i < expected.size(); i++) {
      requireClose(text, kernel.parameters().get(i), expected.get(i), vectors.get(i), tolerance);
      requireClose(text, kernel.parameters().get(i), expected.get(i), scalars.get(i), tolerance);
    }
    return remarks;
  }

  /// Runs all tasks of `kernel` over `arrays`, which are changed in place, and returns the remarks.
  static List<String> run(Kernel kernel, boolean vectors, List<Array> arrays) {
    List<String> remarks = new ArrayList<>();
    JvmBackend backend = new JvmBackend(JvmOptions.ofThisJvm().withVectors(vectors));
    KnownReceivers.require(backend.classFile(kernel));
    CompiledKernel code = backend.compile(List.of(kernel), remark -> remarks.add(remark.message())).getFirst();
    try (Arena arena = Arena.ofConfined()) {
      List<MemorySegment> memory = arrays.stream()
          .map(array -> arena.allocate(Math.max(1, (long) array.elements() * array.type().bytes()), 64)).toList();
      long scratch = arena.allocate(Math.max(1, code.scratchBytes()), 64).address();
      long[] addresses = memory.stream().mapToLong(MemorySegment::address).toArray();
      for (int i = 0; i < arrays.size(); i++) {
        arrays.get(i).write(memory.get(i));
      }
      code.run(addresses, scratch, 0, code.tasks());
      for (int i = 0; i < arrays.size(); i++) {
        Array array = arrays.get(i);
        Array result = Array.read(array.type(), memory.get(i), array.shape());
        if (array.type().isFloat()) {
          System.arraycopy(result.numbers(), 0, array.numbers(), 0, array.elements());
        } else {
          System.arraycopy(result.integers(), 0, array.integers(), 0, array.elements());
        }
      }
    }
    return remarks;
  }

  /// Numbers of both signs, among them halves and what is large.
  static Array numbers(ElementType type, int count, long seed) {
    SplittableRandom random = new SplittableRandom(seed);
    Array array = new Array(type, count);
    double[] special = {0, 0.5, -0.5, 1.5, -1.5, 2.5, -2.5, 100.25, -100.75, 300, -300, -1};
    for (int i = 0; i < count; i++) {
      if (type.isFloat()) {
        array.numbers()[i] = i < special.length ? special[i] : random.nextInt(-64, 64) / 16.0;
      } else {
        array.integers()[i] = type.isBool() ? random.nextInt(2) : type == ElementType.U8 ? random.nextInt(256)
            : random.nextInt(-128, 128);
      }
    }
    return array;
  }

  /// Numbers that are not zero, of both signs.
  static Array divisors(ElementType type, int count) {
    SplittableRandom random = new SplittableRandom(99);
    Array array = new Array(type, count);
    for (int i = 0; i < count; i++) {
      int value = type == ElementType.U8 || random.nextBoolean() ? random.nextInt(1, 8) : -random.nextInt(1, 8);
      if (type.isFloat()) {
        array.numbers()[i] = value / 4.0;
      } else {
        array.integers()[i] = type.isBool() ? value & 1 : value;
      }
    }
    return array;
  }

  private static List<Array> arrays(Kernel kernel, Array... inputs) {
    List<Array> arrays = new ArrayList<>();
    for (Buffer parameter : kernel.parameters()) {
      int i = arrays.size();
      arrays.add(i < inputs.length ? rounded(inputs[i])
          : new Array(parameter.type(), parameter.extents().stream().mapToInt(Integer::intValue).toArray()));
    }
    return arrays;
  }

  private static Array rounded(Array array) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment memory = arena.allocate(Math.max(1, (long) array.elements() * array.type().bytes()), 8);
      array.write(memory);
      return Array.read(array.type(), memory, array.shape());
    }
  }

  private static void requireClose(String text, Buffer buffer, Array expected, Array actual, double tolerance) {
    for (int i = 0; i < expected.elements(); i++) {
      String place = buffer + " at " + i + " of\n" + text;
      if (expected.type().isFloat()) {
        double want = expected.numbers()[i];
        double got = actual.numbers()[i];
        double allowed = Math.max(tolerance, unit(expected.type())) * Math.max(1, Math.abs(want));
        assertTrue(want == got || Double.isNaN(want) && Double.isNaN(got) || Double.isFinite(want) && Math.abs(want - got) <= allowed,
            () -> place + "expected " + want + " got " + got);
      } else {
        assertEquals(expected.integers()[i], actual.integers()[i], place);
      }
    }
  }

  private static double unit(ElementType type) {
    return switch (type) {
      case F16 -> 0x1p-10;
      case BF16 -> 0x1p-7;
      case F32 -> 0x1p-22;
      case F64, I64, I32, I16, I8, U8, BOOL -> 0;
    };
  }
}
