package dev.einfall.tests.programs;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.einfall.backends.CompiledKernel;
import dev.einfall.backends.c.CFile;
import dev.einfall.backends.c.CTarget;
import dev.einfall.backends.c.Instruction;
import dev.einfall.backends.jvm.JvmBackend;
import dev.einfall.backends.jvm.JvmOptions;
import dev.einfall.backends.reference.Array;
import dev.einfall.backends.reference.CascadeInterpreter;
import dev.einfall.backends.reference.KernelInterpreter;
import dev.einfall.frontend.EinReader;
import dev.einfall.frontend.LoopReader;
import dev.einfall.ir.CompileException;
import dev.einfall.ir.ElementType;
import dev.einfall.ir.Size;
import dev.einfall.ir.Source;
import dev.einfall.ir.cascade.Cascade;
import dev.einfall.ir.cascade.Tensor;
import dev.einfall.ir.loop.DotShape;
import dev.einfall.ir.loop.InstructionShape;
import dev.einfall.ir.loop.Kernel;
import dev.einfall.ir.loop.TileShape;
import dev.einfall.runtime.nativecode.CCompiler;
import dev.einfall.runtime.nativecode.CTargets;
import dev.einfall.runtime.nativecode.NativeBackend;
import dev.einfall.tests.Commands;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SplittableRandom;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.io.TempDir;

/// Every described instruction that this machine has computes what its description says it means, and so does what stands for it on other
/// machines.
class InstructionsTest {
  private static final int TRIALS = 20;

  @TempDir
  private Path directory;

  @TestFactory
  Stream<DynamicTest> instructionsDoWhatTheyMean() {
    Assumptions.assumeTrue(Commands.exists("cc"), "there is no C compiler here");
    CCompiler compiler = CCompiler.require("cc");
    CTarget here = compiler.target();
    Stream<Instruction> described = CTarget.NAMES.stream().flatMap(name -> CTargets.named(name).instructions().stream()).distinct();
    return Stream.concat(described, TILE_PRODUCTS.stream().map(meaning -> Instruction.of(read(meaning).name(), read(meaning), "")))
        .map(instruction -> DynamicTest.dynamicTest(instruction.name(), () -> {
          boolean isHere = here.instructions().contains(instruction);
          List<CTarget> targets = isHere ? List.of(here, CTargets.named("portable")) : List.of(CTargets.named("portable"));
          Kernel kernel = kernel(instruction.shape());
          List<CompiledKernel> codes = new ArrayList<>(List.of(
              new JvmBackend(JvmOptions.ofThisJvm().withVectors(true)).compile(List.of(kernel), _ -> { }).getFirst(),
              new JvmBackend(JvmOptions.ofThisJvm().withVectors(false)).compile(List.of(kernel), _ -> { }).getFirst()));
          targets.forEach(target -> codes.add(new NativeBackend(compiler, target, List.of(), Optional.empty()).compile(List.of(kernel)).getFirst()));
          for (int seed = 0; seed < TRIALS; seed++) {
            compare(instruction, kernel, codes, seed);
          }
        }));
  }

  /// For which C has no operation on vectors, whether these are as wide as those of a machine or wider.
  @TestFactory
  Stream<DynamicTest> bytesArePermutedAndHalvesAddedInC() {
    Assumptions.assumeTrue(Commands.exists("cc"), "there is no C compiler here");
    CCompiler compiler = CCompiler.require("cc");
    return Stream.of(4, 8, 16, 32).map(lanes -> DynamicTest.dynamicTest("i32x" + lanes, () -> {
      Kernel kernel = LoopReader.read(new Source("bytes.loop", """
          kernel k(A: i32[%1$d], B: i32[%1$d], C: i32[%1$d], D: i32[%1$d], E: i32[%1$d], F: i32[%1$d]) {
            D[ramp(0, 1, %1$d)] = permute_bytes(B[ramp(0, 1, %1$d)], A[ramp(0, 1, %1$d)])
            F[ramp(0, 1, %1$d)] = permute_bytes(B[ramp(0, 1, %1$d)], A[ramp(0, 1, %1$d)], C[ramp(0, 1, %1$d)]%2$s) + permute_bytes(C[ramp(0, 1, %1$d)], A[ramp(0, 1, %1$d)], B[ramp(0, 1, %1$d)])
            E[ramp(0, 1, %1$d)] = add_halves(permute_bytes(C[ramp(0, 1, %1$d)], A[ramp(0, 1, %1$d)]), B[ramp(0, 1, %1$d)])
          }
          """.formatted(lanes, lanes > 16 ? "" : ", C[ramp(0, 1, %1$d)], B[ramp(0, 1, %1$d)]".formatted(lanes)))).kernels().getFirst();
      List<Array> inputs = Stream.of(1, 2, 3).map(seed -> random(ElementType.I32, seed, lanes)).toList();
      List<Array> expected = flat(kernel, inputs);
      KernelInterpreter.run(kernel, expected);
      for (CTarget target : List.of(compiler.target(), CTargets.named("portable"))) {
        List<Array> computed = flat(kernel, inputs);
        run(new NativeBackend(compiler, target, List.of(), Optional.empty()).compile(List.of(kernel)).getFirst(), computed);
        assertArrayEquals(expected.get(3).integers(), computed.get(3).integers());
        assertArrayEquals(expected.get(4).integers(), computed.get(4).integers());
        assertArrayEquals(expected.get(5).integers(), computed.get(5).integers());
      }
    }));
  }

  /// Products of tiles of machines that are not at hand.
  private static final List<String> TILE_PRODUCTS = List.of("""
      def halves(c: f32[16, 8], a: f16[16, 4], b: f16[4, 8]) -> f32[16, 8] {
        d[i, j] = c[i, j] + sum[k](f32(a[i, k]) * f32(b[k, j]))
        return d
      }
      """, """
      def pairs(c: f32[4, 8], a: bf16[4, 2, 2], b: bf16[2, 8, 2]) -> f32[4, 8] {
        d[i, j] = c[i, j] + sum[k, p](f32(a[i, k, p]) * f32(b[k, j, p]))
        return d
      }
      """, """
      def quads(c: i32[2, 4], a: u8[2, 4, 4], b: i8[4, 4, 4]) -> i32[2, 4] {
        d[i, j] = c[i, j] + sum[k, p](i32(a[i, k, p]) * i32(b[k, j, p]))
        return d
      }
      """, """
      def doubles(c: f64[8, 8], a: f64[8, 4], b: f64[4, 8]) -> f64[8, 8] {
        d[i, j] = c[i, j] + sum[k](a[i, k] * b[k, j])
        return d
      }
      """);

  private static final String MAIN = """
      #include <stdio.h>
      static _Alignas(64) unsigned char memory[5][4096];
      int main(int count, char **files) {
        const int bytes[5] = {%s};
        for (int i = 0; i < 5; i++) {
          FILE *file = fopen(files[i + 1], i < 3 ? "rb" : "wb");
          void *parameters[5] = {memory[0], memory[1], memory[2], memory[3], memory[4]};
          if (count != 6 || file == NULL || (i == 3 && kernel_dot(parameters, NULL, 0, 1, NULL, NULL) != 0)) {
            return 1;
          }
          if ((i < 3 ? fread(memory[i], 1, bytes[i], file) : fwrite(memory[i], 1, bytes[i], file)) != (size_t) bytes[i] || fclose(file) != 0) {
            return 1;
          }
        }
        return 0;
      }
      """;

  /// Those of AArch64, which an emulator runs.
  @TestFactory
  Stream<DynamicTest> instructionsOfAnotherArchitectureDoWhatTheyMean() {
    Assumptions.assumeTrue(Commands.exists("aarch64-linux-gnu-gcc") && Commands.exists("qemu-aarch64"), "there is no compiler or emulator for AArch64 here");
    CTarget target = CTargets.named("neon-dot");
    return target.instructions().stream().map(instruction -> DynamicTest.dynamicTest(instruction.name(), () -> emulate(instruction, target)));
  }

  private void emulate(Instruction instruction, CTarget target) throws IOException {
    Kernel kernel = kernel(instruction.shape());
    String bytes = kernel.parameters().stream().map(buffer -> Long.toString(buffer.elements() * buffer.type().bytes())).collect(Collectors.joining(", "));
    Path folder = Files.createDirectory(directory.resolve(instruction.name()));
    Files.writeString(folder.resolve("dot.c"), CFile.ofKernels(List.of(kernel), target).text() + MAIN.formatted(bytes));
    List<String> command = new ArrayList<>(List.of("aarch64-linux-gnu-gcc", "-std=c11", "-O2", "-static", "-o", "dot", "dot.c", "-lm"));
    command.addAll(target.flags());
    assertEquals("", Commands.run(folder, command));
    for (int seed = 0; seed < 3; seed++) {
      List<Array> inputs = inputs(instruction, seed);
      List<Array> computed = flat(kernel, inputs);
      List<String> run = new ArrayList<>(List.of("qemu-aarch64", "./dot"));
      for (int i = 0; i < computed.size(); i++) {
        run.add("array" + i);
        write(computed.get(i), folder.resolve("array" + i));
      }
      assertEquals("", Commands.run(folder, run));
      for (int i = 3; i < computed.size(); i++) {
        Array like = computed.get(i);
        computed.set(i, Array.read(like.type(), MemorySegment.ofArray(Files.readAllBytes(folder.resolve("array" + i))), like.shape()));
      }
      requireClose(results(instruction, inputs), computed, "emulated");
    }
  }

  private static void write(Array array, Path file) throws IOException {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment memory = arena.allocate((long) array.elements() * array.type().bytes(), 64);
      array.write(memory);
      Files.write(file, memory.toArray(ValueLayout.JAVA_BYTE));
    }
  }

  /// The sums, and the two factors.
  private static List<Array> inputs(Instruction instruction, int seed) {
    return Stream.of(instruction.sum(), instruction.left(), instruction.right())
        .map(name -> instruction.meaning().inputs().stream().filter(input -> input.name().equals(name)).findFirst().orElseThrow())
        .map(input -> random(input.type(), seed + input.name().hashCode(), input.shape().stream().mapToInt(Size::value).toArray())).toList();
  }

  /// What the kernel computes, as two vectors.
  private static List<Array> results(Instruction instruction, List<Array> inputs) {
    Array once = meant(instruction, inputs);
    return List.of(once, switch (instruction.shape()) {
      case DotShape _ -> meant(instruction, List.of(inputs.get(0), repeated(inputs.get(1)), inputs.get(2)));
      case TileShape _ -> meant(instruction, List.of(once, inputs.get(1), inputs.get(2)));
    });
  }

  private static Kernel kernel(InstructionShape shape) {
    String text = switch (shape) {
      case DotShape dot -> text(dot);
      case TileShape tile -> text(tile);
    };
    return LoopReader.read(new Source("dot.loop", text)).kernels().getFirst();
  }

  /// Sums are added to once and, in a register, twice.
  private static String text(TileShape shape) {
    return """
        kernel tiles(C: %1$s[%4$d], A: %2$s[%5$d], B: %3$s[%6$d], D: %1$s[%4$d], E: %1$s[%4$d]) {
          let a: %2$sx%5$d = A[ramp(0, 1, %5$d)]
          alloc sum: %1$s[%4$d] in registers {
            sum[ramp(0, 1, %4$d)] = tile_product(C[ramp(0, 1, %4$d)], a, B[ramp(0, 1, %6$d)], %7$d, %8$d)
            D[ramp(0, 1, %4$d)] = sum[ramp(0, 1, %4$d)]
            sum[ramp(0, 1, %4$d)] = tile_product(sum[ramp(0, 1, %4$d)], A[ramp(0, 1, %5$d)], B[ramp(0, 1, %6$d)], %7$d, %8$d)
            E[ramp(0, 1, %4$d)] = sum[ramp(0, 1, %4$d)]
          }
        }
        """.formatted(shape.sum(), shape.left(), shape.right(), shape.sums().lanes(), shape.lefts().lanes(), shape.rights().lanes(), shape.rows(),
            shape.packed());
  }

  /// One vector repeats its first elements, as the other operand of a product of matrices does.
  private static String text(DotShape shape) {
    return """
        kernel dot(C: %1$s[%4$d], A: %2$s[%5$d], B: %3$s[%5$d], D: %1$s[%4$d], E: %1$s[%4$d]) {
          let a: %2$sx%5$d = A[ramp(0, 1, %5$d)]
          D[ramp(0, 1, %4$d)] = dot(C[ramp(0, 1, %4$d)], a, B[ramp(0, 1, %5$d)])
          E[ramp(0, 1, %4$d)] = dot(C[ramp(0, 1, %4$d)], A[broadcast(%6$d, %5$d) + ramp(0, 1, %5$d) %% broadcast(%6$d, %5$d)], B[ramp(0, 1, %5$d)])
        }
        """.formatted(shape.sum(), shape.left(), shape.right(), shape.lanes(), shape.lanes() * shape.terms(), shape.terms());
  }

  private static void compare(Instruction instruction, Kernel kernel, List<CompiledKernel> codes, int seed) {
    List<Array> inputs = inputs(instruction, seed);
    List<Array> results = results(instruction, inputs);
    List<Array> interpreted = flat(kernel, inputs);
    KernelInterpreter.run(kernel, interpreted);
    requireClose(results, interpreted, "interpreted");
    for (CompiledKernel code : codes) {
      List<Array> computed = flat(kernel, inputs);
      run(code, computed);
      requireClose(results, computed, code.getClass().getSimpleName());
    }
  }

  private static Array meant(Instruction instruction, List<Array> inputs) {
    Cascade meaning = instruction.meaning();
    List<String> names = List.of(instruction.sum(), instruction.left(), instruction.right());
    Map<Tensor, Array> values = new HashMap<>();
    meaning.inputs().forEach(input -> values.put(input, inputs.get(names.indexOf(input.name()))));
    return CascadeInterpreter.run(meaning, values).get(meaning.outputs().getFirst().tensor());
  }

  /// What the kernel's second dot reads: the second row in all rows.
  private static Array repeated(Array rows) {
    Array result = rows.copy();
    int terms = rows.extent(1);
    for (int i = 0; i < rows.elements(); i++) {
      if (rows.type().isFloat()) {
        result.numbers()[i] = rows.numbers()[terms + i % terms];
      } else {
        result.integers()[i] = rows.integers()[terms + i % terms];
      }
    }
    return result;
  }

  private static Array random(ElementType type, long seed, int... shape) {
    SplittableRandom random = new SplittableRandom(seed);
    Array array = new Array(type, shape);
    for (int i = 0; i < array.elements(); i++) {
      switch (type) {
        case U8 -> array.integers()[i] = random.nextInt(256);
        case I8 -> array.integers()[i] = random.nextInt(-128, 128);
        case I16 -> array.integers()[i] = seed % 2 == 0 ? random.nextInt(-32768, 32768) : -32768;
        case I32 -> array.integers()[i] = random.nextInt();
        case F16 -> array.numbers()[i] = Math.rint(random.nextGaussian() * 256) / 256;
        default -> array.numbers()[i] = type == ElementType.F32 || type == ElementType.F64 ? (float) random.nextGaussian()
            : Float.intBitsToFloat(Float.floatToRawIntBits((float) random.nextGaussian()) & 0xffff0000);
      }
    }
    return array;
  }

  /// The parameters of the kernel.
  private static List<Array> flat(Kernel kernel, List<Array> inputs) {
    List<Array> arrays = new ArrayList<>();
    for (Array input : inputs) {
      arrays.add(input.type().isFloat() ? Array.of(input.type(), input.numbers().clone(), input.elements())
          : Array.of(input.type(), input.integers().clone(), input.elements()));
    }
    int lanes = inputs.getFirst().elements();
    while (arrays.size() < kernel.parameters().size()) {
      arrays.add(new Array(inputs.getFirst().type(), lanes));
    }
    return arrays;
  }

  private static void run(CompiledKernel code, List<Array> arrays) {
    try (Arena arena = Arena.ofConfined()) {
      List<MemorySegment> memory = arrays.stream().map(array -> arena.allocate((long) array.elements() * array.type().bytes(), 64)).toList();
      for (int i = 0; i < arrays.size(); i++) {
        arrays.get(i).write(memory.get(i));
      }
      long scratch = arena.allocate(Math.max(1, code.scratchBytes()), 64).address();
      code.run(memory.stream().mapToLong(MemorySegment::address).toArray(), scratch, 0, code.tasks());
      for (int i = 3; i < arrays.size(); i++) {
        Array result = Array.read(arrays.get(i).type(), memory.get(i), arrays.get(i).shape());
        if (result.type().isFloat()) {
          System.arraycopy(result.numbers(), 0, arrays.get(i).numbers(), 0, result.elements());
        } else {
          System.arraycopy(result.integers(), 0, arrays.get(i).integers(), 0, result.elements());
        }
      }
    }
  }

  /// Integers are equal. Products of narrow floats are exact, so that each of the few sums loses a part in 2^23.
  private static void requireClose(List<Array> expected, List<Array> parameters, String what) {
    for (int result = 0; result < expected.size(); result++) {
      Array want = expected.get(result);
      Array got = parameters.get(3 + result);
      for (int i = 0; i < want.elements(); i++) {
        if (want.type().isFloat()) {
          double error = Math.abs(want.numbers()[i] - got.numbers()[i]);
          assertTrue(error <= 1e-5, what + " " + result + ": lane " + i + " is " + got.numbers()[i] + ", not " + want.numbers()[i]);
        } else {
          assertEquals(want.integers()[i], got.integers()[i], what + " " + result + ": lane " + i);
        }
      }
    }
  }

  /// What chooses from the bytes of its longest vectors, and only that, looks tables up byte by byte.
  @Test
  void targetsWithBytesThatArePermuted() {
    assertEquals(List.of("avx512-bits", "avx512-bf16-bits", "amx"), CTarget.NAMES.stream().filter(name -> CTargets.named(name).permutesBytes()).toList());
  }

  @Test
  void aMeaningOfNoKnownFormIsAnError() {
    CompileException error = assertThrows(CompileException.class, () -> Instruction.of("vpmaxsd", read("""
        def f(a: i32[16], b: i32[16]) -> i32[16] {
          c[i] = max(a[i], b[i])
          return c
        }
        """), "return a;"));
    assertTrue(error.getMessage().contains("the meaning of the instruction vpmaxsd is none that is known"), error.getMessage());
  }

  private static Cascade read(String meaning) {
    return EinReader.read(new Source("meaning", meaning), Optional.empty()).cascade();
  }
}
