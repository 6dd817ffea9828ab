package dev.einfall.tests.frontend;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.einfall.frontend.EinProgram;
import dev.einfall.frontend.EinReader;
import dev.einfall.frontend.Imports;
import dev.einfall.frontend.LoopFile;
import dev.einfall.frontend.LoopReader;
import dev.einfall.ir.Source;
import dev.einfall.ir.cascade.Cascade;
import dev.einfall.ir.cascade.CascadePrinter;
import dev.einfall.ir.cascade.CascadeVerifier;
import dev.einfall.ir.loop.LoopPrinter;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

/// What is printed reads back as the same: the examples, the blocks of the language reference, and loop text.
final class RoundTripTest {
  private static final Path GRAMMAR = Path.of("..", "grammar");

  @TestFactory
  List<DynamicTest> examples() throws IOException {
    try (Stream<Path> files = Files.list(GRAMMAR.resolve("examples"))) {
      return files.sorted().map(file -> DynamicTest.dynamicTest(file.getFileName().toString(),
          () -> checkCascade(file.toString(), Files.readString(file)))).toList();
    }
  }

  @TestFactory
  List<DynamicTest> languageReference() throws IOException {
    return FencedBlocks.of(GRAMMAR.resolve("LANGUAGE.md"), "ein").stream()
        .map(block -> DynamicTest.dynamicTest(block.place(), () -> checkCascade(block.place(), block.text())))
        .toList();
  }

  @TestFactory
  List<DynamicTest> loopText() throws IOException {
    return FencedBlocks.of(GRAMMAR.resolve("README.md"), "loop").stream()
        .map(block -> DynamicTest.dynamicTest(block.place(), () -> checkLoops(block.place(), block.text())))
        .toList();
  }

  @Test
  void everyFormOfLoopText() {
    checkLoops("forms", """
        kernel forms(X: f32[16], Y: f32[16], S: f32[], I: i64[4], B: bool[4], H: f64[4]) {
          parallel for i in 0..4 {
            unrolled for j in 0..4 {
              vectorized for k in 0..4 {
                alloc T: f32[4] in local {
                  T[k] = X[(i * 4 + j) / 2 % 4]
                  if i < 3 && !(j == 2) || false {
                    Y[i] = T[k] - (1.5 - -2.0e-10)
                  } else {
                    Y[i] = select(B[i] != true, inf, nan)
                  }
                }
              }
            }
            let v: f32x8 = X[ramp(0, 1, 8)] * broadcast(S[], 8)
            let s: f32 = reduce_add(v) + reduce_max(-v)
            require I[i] >= i64(0) && I[i] < i64(5000000000), "an \\"id\\" out of range", I[i]
            H[i] = f64(s) * f64(0.1) + f64(f32(3.0)) + -(f64(2.0))
            Y[ramp(8, 1, 8)] = fma(v, abs(v), max(v, broadcast(0.0, 8)))
            Y[0] = bitcast_f32(bitcast_i32(s) + i32(I[i]))
            Y[ramp(0, 1, 8)] = zip_low(v, zip_high(v, -v))
            Y[ramp(0, 1, 8)] = permute(ramp(i32(I[i]) && 1, 1, 8), permute(ramp(0, 1, 8), v), -v)
            Y[ramp(0, 1, 8)] = f32(permute_bytes(ramp(i, 1, 8), ramp(0, 12345, 8)))
            Y[ramp(0, 1, 8)] = f32(permute_bytes(ramp(i, 1, 8), ramp(0, 12345, 8), ramp(i, 7, 8)))
            Y[ramp(0, 1, 8)] = f32(add_halves(ramp(i, 1, 8), ramp(0, 12345, 8)))
            Y[ramp(0, 1, 4)] = dot(X[ramp(0, 1, 4)], bf16(v), bf16(v))
            Y[ramp(0, 1, 4)] = tile_product(X[ramp(0, 1, 4)], bf16(v), bf16(v), 2, 1)
            Y[ramp(0, 1, 4)] = tile_product(X[ramp(0, 1, 4)], bf16(v), bf16(v), 2, 4)
          }
        }
        """);
  }

  @Test
  void everyFormOfAPlan() {
    checkLoops("plan", """
        kernel twice(W: f32[4], P: f32[4]) {
          for i in 0..4 {
            P[i] = W[i] * 2.0
          }
        }

        kernel row(X: f32[4], P: f32[4], T: f32[4], C: f32[4]) {
          for i in 0..4 {
            T[i] = X[i] + P[i]
            C[i] = T[i]
          }
        }

        plan step {
          input B: f32[4]
          input X: f32[4]
          weight W: f32[4] = "layer.0"
          constant P: f32[4]
          output C: f32[4] = "cache" from B
          buffer T: f32[4] at 0
          arena 64
          setup twice(W, P)
          launch row(X, P, T, C)
        }
        """);
  }

  private static void checkCascade(String name, String text) {
    Cascade cascade = read(name, text);
    CascadeVerifier.verify(cascade);
    String printed = CascadePrinter.print(cascade);
    assertEquals(printed, CascadePrinter.print(read("printed " + name, printed)));
  }

  private static Cascade read(String name, String text) {
    EinProgram program = EinReader.read(new Source(name, text), Optional.empty(), Imports.files());
    SortedMap<String, Long> sizes = new TreeMap<>();
    program.neededSizes().forEach(size -> sizes.put(size, 5L));
    return program.cascade(sizes);
  }

  private static void checkLoops(String name, String text) {
    String printed = print(LoopReader.read(new Source(name, text)));
    assertEquals(printed, print(LoopReader.read(new Source("printed " + name, printed))));
    assertEquals(text.strip(), printed.strip());
  }

  private static String print(LoopFile file) {
    return file.plan().map(LoopPrinter::print)
        .orElseGet(() -> file.kernels().stream().map(LoopPrinter::print).collect(Collectors.joining("\n")));
  }
}
