package dev.einfall.tests.runtime;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.einfall.frontend.EinReader;
import dev.einfall.frontend.Imports;
import dev.einfall.frontend.onnx.OnnxFile;
import dev.einfall.ir.ElementType;
import dev.einfall.ir.Source;
import dev.einfall.ir.cascade.Cascade;
import dev.einfall.ir.loop.Buffer;
import dev.einfall.ir.loop.Expr;
import dev.einfall.ir.loop.KernelPlan;
import dev.einfall.ir.loop.Stmt;
import dev.einfall.passes.Pipeline;
import dev.einfall.passes.PipelineOptions;
import dev.einfall.passes.Target;
import dev.einfall.passes.analysis.AccumulatorWidth;
import dev.einfall.passes.cascade.BindSizes;
import dev.einfall.runtime.Einfall;
import dev.einfall.runtime.Npy;
import dev.einfall.runtime.Options;
import dev.einfall.runtime.Program;
import dev.einfall.runtime.Tensor;
import dev.einfall.runtime.nativecode.CCompiler;
import dev.einfall.runtime.nativecode.Toolchain;
import dev.einfall.tests.JvmRun;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// The policy `integer`: a layer of all-MiniLM-L6-v2, as its program has it, computes with whole numbers alone.
class QuantizeIntegerTest {
  private static final int TOKENS = 7;
  private static final Pattern FLOATS = Pattern.compile("\\b([FD](ADD|SUB|MUL|DIV|REM|NEG|LOAD|STORE|CONST_\\d|CMP[LG]|ALOAD|ASTORE)|[IL]2[FD]|[FD]2[ILFD])\\b|(Float|Double)Vector");

  @TempDir
  private Path directory;

  /// The functions of the model's program, and a layer as its `main`.
  private Path layer() throws IOException {
    String model = Files.readString(MiniLm.PROGRAM);
    String functions = model.substring(model.indexOf("def linear"), model.indexOf("# Words, positions")) + model.substring(model.indexOf("def heads"), model.indexOf("# The mean over"));
    return Files.writeString(directory.resolve("layer.ein"), model.substring(model.indexOf("weights"), model.indexOf("tokenizer")) + "\n" + functions + """
        def main(x: f32[B, T, 384], mask: i64[B, T]) -> (y: f32[B, T, 384]) {
          return layer(x, mask) in "encoder.layer.0"
        }
        """);
  }

  private CommandLineRun quantize(Path program, String policy) throws IOException {
    try (Tensor x = Tensor.of(QuantizedNet.normal(TOKENS * 384, 4), 1, TOKENS, 384); Tensor mask = mask()) {
      Npy.write(directory.resolve("x.npy"), x);
      Npy.write(directory.resolve("mask.npy"), mask);
    }
    return CommandLineRun.of("quantize", program.toString(), "--policy", policy, "--in", "x=" + directory.resolve("x.npy"), "--in", "mask=" + directory.resolve("mask.npy"), "-o",
        directory.resolve("out").toString());
  }

  /// The last token is none.
  private static Tensor mask() {
    return Tensor.of(new long[] {1, 1, 1, 1, 1, 1, 0}, 1, TOKENS);
  }

  private static int[] whole(Path program, byte[] x, Options options) {
    try (Program compiled = Einfall.compile(program, options); Tensor mask = mask();
        Tensor bytes = Tensor.copyOf(ElementType.I8, MemorySegment.ofArray(x), 1, TOKENS, 384);
        Tensor y = compiled.run(Map.of("x", bytes, "mask", mask)).get("y")) {
      assertEquals(ElementType.I32, y.type());
      return y.data().toArray(ValueLayout.JAVA_INT);
    }
  }

  private static float[] floats(Path program, float[] x) {
    try (OnnxFile weights = OnnxFile.open(MiniLm.weights()); Program compiled = Einfall.compile(program, Options.defaults().withWarmUp(false).withWeights(weights));
        Tensor mask = mask(); Tensor floats = Tensor.of(x, 1, TOKENS, 384);
        Tensor y = compiled.run(Map.of("x", floats, "mask", mask)).get("y")) {
      return y.floats();
    }
  }

  /// The same bits by the reference interpreter, as bytecode with vectors of any width and any number of threads, and by way of C.
  @Test
  void isTheSameEverywhereAndNearTheLayerInFloats() throws IOException {
    Path program = layer();
    CommandLineRun run = quantize(program, "integer");
    assertEquals(0, run.exitCode(), run.err());
    Path written = directory.resolve("out").resolve("layer.ein");
    Matcher unit = Pattern.compile("# 'x' is in whole numbers, in units of ([\\d.E-]+)\\.\n").matcher(Files.readString(written));
    assertTrue(unit.find());
    float[] x = QuantizedNet.normal(TOKENS * 384, 4);
    byte[] bytes = new byte[x.length];
    IntStream.range(0, x.length).forEach(i -> bytes[i] = (byte) Math.round(x[i] / Double.parseDouble(unit.group(1))));
    int[] reference = whole(written, bytes, JvmRun.options(1, 0).withBackend(Options.Backend.REFERENCE));
    assertArrayEquals(reference, whole(written, bytes, JvmRun.options(1, 64)));
    assertArrayEquals(reference, whole(written, bytes, JvmRun.options(2, 16)));
    if (CCompiler.find("cc").isPresent()) {
      assertArrayEquals(reference, whole(written, bytes, JvmRun.options(2, 0).withBackend(Options.Backend.C).withToolchain(Toolchain.usual().withFlags(List.of("-O1")))));
    }
    float[] expected = floats(program, x);
    for (int t = 0; t < TOKENS; t++) {
      double cosine = cosine(expected, reference, t);
      assertTrue(cosine > 0.99, "the cosine of token " + t + " is " + cosine);
    }
    assertTrue(run.out().matches("(?s).*encoder\\.layer\\.0\\.output\\.dense\\.MatMul +i8 +\\[1536, 384\\] +2359296 +589824 .*"), run.out());
    computesNoFloat(written);
  }

  private static double cosine(float[] left, int[] right, int token) {
    double both = 0;
    double ofLeft = 0;
    double ofRight = 0;
    for (int i = token * 384; i < (token + 1) * 384; i++) {
      both += (double) left[i] * right[i];
      ofLeft += (double) left[i] * left[i];
      ofRight += (double) right[i] * right[i];
    }
    return both / Math.sqrt(ofLeft * ofRight);
  }

  /// In no loop, and by no instruction of bytecode; and no sum leaves its type.
  private void computesNoFloat(Path written) throws IOException {
    Cascade cascade = EinReader.read(new Source(written.toString(), Files.readString(written)), Optional.empty(), Imports.files()).cascade();
    List<AccumulatorWidth.Sum> sums = AccumulatorWidth.of(new BindSizes(new TreeMap<>(Map.of("B", 1L, "T", 512L))).apply(cascade, _ -> { }));
    assertTrue(sums.size() > 10);
    assertEquals(List.of(), sums.stream().filter(AccumulatorWidth.Sum::mayOverflow).map(sum -> sum.tensor().name() + " in " + sum.range()).toList());
    KernelPlan plan = new Pipeline(PipelineOptions.of(Target.of(64, 2)), _ -> { }, _ -> { }).compile(cascade, new TreeMap<>(Map.of("B", 1L, "T", 17L)));
    for (KernelPlan.Launch launch : plan.launches()) {
      assertEquals(List.of(), launch.kernel().body().nodes().flatMap(Stmt::exprs).flatMap(Expr::nodes).filter(expr -> expr.type().element().isFloat()).toList());
      assertEquals(List.of(), launch.kernel().parameters().stream().filter(buffer -> buffer.type().isFloat()).map(Buffer::name).toList());
    }
    String bytecode = CommandLineRun.of("emit", written.toString(), "--as", "bytecode", "--size", "B=1", "--size", "T=17").out();
    assertTrue(bytecode.contains("IADD"), bytecode);
    assertEquals(Optional.empty(), bytecode.lines().filter(line -> FLOATS.matcher(line).find()).findFirst());
  }

  @Test
  void refusesWhatCannotBe() throws IOException {
    Path program = Files.writeString(directory.resolve("net.ein"), """
        def main(x: f32[B, T, 384], mask: i64[B, T]) -> (y: f32[B, T, 384]) {
          y[b, t, d] = x[b, t, d] / (1 + exp(-x[b, t, d])) * f32(mask[b, t])
          return y
        }
        """);
    // A program without weights has nothing to store.
    assertError("there are no weights to quantize", quantize(program, "integer"));
    Path layer = layer();
    Files.writeString(layer, Files.readString(layer).replace("(1 + erf(x[b, t, d] / sqrt(2)))", "(1 + sin(x[b, t, d]))"));
    CommandLineRun sine = quantize(layer, "integer");
    assertError("error: 'h' has no counterpart in whole numbers: expected sums, products of two tensors", sine);
    assertTrue(sine.err().contains("  y[b, t, d] = 0.5 * x[b, t, d] * (1 + sin(x[b, t, d]))\n"), sine.err());
    assertError("the policy 'integer,w8' has integer and w8", quantize(layer, "integer,w8"));
    assertError("the policy integer has weights and activations of its own", quantize(layer, "integer,hadamard"));
    assertError("to find the units of whole numbers needs calibration data", CommandLineRun.of("quantize", layer.toString(), "--policy", "integer", "-o", directory.resolve("out").toString()));
  }

  private static void assertError(String expected, CommandLineRun run) {
    assertTrue(run.err().contains(expected), run.err());
    assertEquals(1, run.exitCode(), run.err());
  }
}
