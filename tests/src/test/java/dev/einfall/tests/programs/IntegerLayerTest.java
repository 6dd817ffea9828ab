package dev.einfall.tests.programs;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.einfall.frontend.EinReader;
import dev.einfall.frontend.onnx.OnnxFile;
import dev.einfall.ir.Source;
import dev.einfall.ir.cascade.Cascade;
import dev.einfall.ir.loop.Buffer;
import dev.einfall.ir.loop.Expr;
import dev.einfall.ir.loop.Kernel;
import dev.einfall.ir.loop.KernelPlan;
import dev.einfall.ir.loop.Stmt;
import dev.einfall.passes.Pipeline;
import dev.einfall.passes.PipelineOptions;
import dev.einfall.passes.Target;
import dev.einfall.passes.analysis.AccumulatorWidth;
import dev.einfall.passes.cascade.BindSizes;
import dev.einfall.runtime.Options;
import dev.einfall.runtime.nativecode.CCompiler;
import dev.einfall.runtime.nativecode.Toolchain;
import dev.einfall.tests.JvmRun;
import dev.einfall.tests.runtime.CommandLineRun;
import dev.einfall.tests.runtime.MiniLm;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.regex.Pattern;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// The first layer of all-MiniLM-L6-v2 in whole numbers.
class IntegerLayerTest {
  private static final int TOKENS = 7;
  private static final String PROGRAM = """
      import std.integer

      def main(x: i8[T, 384], A: i8[4, 384, 384], a: i32[4, 384], norm: i32[4, 384], B: i8[384, 1536], b: i32[1536], C: i8[1536, 384], c: i32[384],
          column: i32[5, 384], wide: i32[1536], rate: i32[6]) -> i32[T, 384] {
        return integer_encoder_layer(x, A, a, norm, B, b, C, c, column, wide, rate, 12)
      }
      """;
  /// What the layer has another function for.
  private static final String SHIFTMAX = """
      import std.integer

      def main(s: i32[12, T, T]) -> i32[12, T, T] {
        return shiftmax(s, 256, 12, 15)
      }
      """;
  private static final Pattern FLOATS = Pattern.compile("\\b([FD](ADD|SUB|MUL|DIV|REM|NEG|LOAD|STORE|CONST_\\d|CMP[LG]|ALOAD|ASTORE)|[IL]2[FD]|[FD]2[ILFD])\\b|(Float|Double)Vector");

  private static final Pattern FLOATS_IN_C = Pattern.compile("\\b(float|double|_Float16|__m(128|256|512)d?)\\b");

  private static FloatLayer layer() {
    try (OnnxFile weights = OnnxFile.open(MiniLm.weights())) {
      return FloatLayer.first(weights, new int[] {101, 2129, 2079, 1045, 8670, 3489, 102});
    }
  }

  private static double[] result(FloatLayer layer, Options options) {
    return Arrays.stream(JvmRun.outputs(PROGRAM, layer.quantized(), options).getFirst().integers()).asDoubleStream().map(i -> i / 4096).toArray();
  }

  /// The same bits by the reference interpreter, as bytecode with vectors of any width and any number of threads, and by way of C.
  @Test
  void isTheSameEverywhereAndNearTheLayerInFloats() {
    FloatLayer layer = layer();
    double[] reference = result(layer, JvmRun.options(1, 0).withBackend(Options.Backend.REFERENCE));
    assertArrayEquals(reference, result(layer, JvmRun.options(1, 64)));
    assertArrayEquals(reference, result(layer, JvmRun.options(2, 16)));
    if (CCompiler.find("cc").isPresent()) {
      Options options = JvmRun.options(2, 0).withBackend(Options.Backend.C).withToolchain(Toolchain.usual().withFlags(List.of("-O1")));
      assertArrayEquals(reference, result(layer, options));
    }
    double[] expected = layer.output();
    for (int t = 0; t < TOKENS; t++) {
      double cosine = dot(reference, expected, t) / Math.sqrt(dot(reference, reference, t) * dot(expected, expected, t));
      assertTrue(cosine > 0.985, "the cosine of token " + t + " is " + cosine);
    }
  }

  private static double dot(double[] x, double[] y, int token) {
    return IntStream.range(token * 384, token * 384 + 384).mapToDouble(i -> x[i] * y[i]).sum();
  }

  @Test
  void noSumLeavesItsType() {
    Cascade cascade = EinReader.read(new Source("layer.ein", PROGRAM), Optional.empty()).cascade();
    List<AccumulatorWidth.Sum> sums = AccumulatorWidth.of(new BindSizes(new TreeMap<>(Map.of("T", 512L))).apply(cascade, _ -> { }));
    assertTrue(sums.size() > 10);
    assertEquals(List.of(), sums.stream().filter(AccumulatorWidth.Sum::mayOverflow).map(sum -> sum.tensor().name() + " in " + sum.range()).toList());
  }

  @ParameterizedTest
  @ValueSource(strings = {PROGRAM, SHIFTMAX})
  void computesNoFloat(String program) throws IOException {
    Cascade cascade = EinReader.read(new Source("layer.ein", program), Optional.empty()).cascade();
    for (int vectorBytes : new int[] {4, 32, 64}) {
      KernelPlan plan = new Pipeline(PipelineOptions.of(Target.of(vectorBytes, 2)), _ -> { }, _ -> { })
          .compile(cascade, new TreeMap<>(Map.of("T", 17L)));
      for (KernelPlan.Launch launch : plan.launches()) {
        Kernel kernel = launch.kernel();
        assertEquals(List.of(), floats(kernel), kernel.name());
        assertEquals(List.of(), kernel.parameters().stream().filter(buffer -> buffer.type().isFloat()).map(Buffer::name).toList());
      }
    }
  }

  private static List<Expr> floats(Kernel kernel) {
    return kernel.body().nodes().flatMap(Stmt::exprs).flatMap(Expr::nodes).filter(expr -> expr.type().element().isFloat()).toList();
  }

  @ParameterizedTest
  @ValueSource(strings = {PROGRAM, SHIFTMAX})
  void emitsNoInstructionOnFloats(String program, @TempDir Path directory) throws IOException {
    Path file = Files.writeString(directory.resolve("layer.ein"), program);
    String bytecode = CommandLineRun.of("emit", file.toString(), "--as", "bytecode", "--size", "T=17").out();
    assertTrue(bytecode.contains("IADD"), bytecode);
    assertEquals(Optional.empty(), bytecode.lines().filter(line -> FLOATS.matcher(line).find()).findFirst());
  }

  /// The only float of the file is that of errors, which all files declare.
  @ParameterizedTest
  @ValueSource(strings = {PROGRAM, SHIFTMAX})
  void emitsNoFloatInC(String program, @TempDir Path directory) throws IOException {
    Path file = Files.writeString(directory.resolve("layer.ein"), program);
    assertEquals(0, CommandLineRun.of("emit", file.toString(), "--as", "c", "-o", directory.resolve("c").toString(), "--size", "T=17").exitCode());
    String text = Files.readString(directory.resolve("c").resolve("layer.c")) + Files.readString(directory.resolve("c").resolve("layer.h"));
    assertTrue(text.contains("int32_t"), text);
    assertEquals(List.of("  double number;"), text.lines().filter(line -> FLOATS_IN_C.matcher(line).find()).toList());
  }
}
