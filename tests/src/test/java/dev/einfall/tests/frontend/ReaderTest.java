package dev.einfall.tests.frontend;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.einfall.frontend.EinProgram;
import dev.einfall.frontend.EinReader;
import dev.einfall.frontend.Imports;
import dev.einfall.ir.CompileException;
import dev.einfall.ir.Source;
import dev.einfall.ir.Span;
import dev.einfall.ir.cascade.Cascade;
import dev.einfall.ir.cascade.CascadePrinter;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import org.junit.jupiter.api.Assertions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;

/// What the forms of the language mean, seen in the cascade that they become.
final class ReaderTest {

  @Test
  void anIndexOnlyOnTheRightOfAProductIsSummed() {
    assertStatement("Y[m, n] = sum[k](A[m, k] * B[k, n])",
        "def f(A: f32[M, K], B: f32[K, N]) -> f32[M, N]", "Y[m, n] = A[m, k] * B[k, n]");
  }

  @Test
  void openTypesFollowTheOtherOperand() {
    assertStatement("Y[i] = X[i] * sqrt(f64(N)) + f64(i) - f64(1.0) / f64(3.0)",
        "def f(X: f64[N]) -> f64[N]", "Y[i] = X[i] * sqrt(N) + i - 1.0 / 3.0");
    assertStatement("Y[i] = X[i] * i64(2) + i64(i)", "def f(X: i64[N]) -> i64[N]", "Y[i] = X[i] * 2 + i");
  }

  @Test
  void anInnerIndexHidesAnOuterOneOfItsName() {
    assertStatement("Y[n] = X[n] - max[n_1](X[n_1])", "def f(X: f32[N]) -> f32[N]", "Y[n] = X[n] - max[n](X[n])");
  }

  @Test
  void restStandsForAnyRanks() {
    assertStatement("Y[a, b, k] = X[a, b, k] + B[k]",
        "def f(X: f32[A, B, K], B: f32[K]) -> f32[A, B, K]", "Y[..., k] = X[..., k] + B[k]");
    assertStatement("Y[] = sum[a, b](X[a, b])", "def f(X: f32[A, B]) -> f32[]", "Y[] = sum[...](X[...])");
  }

  @Test
  void outsideValuesAndBoundsOfIndices() {
    assertStatement("Y[i] = (X[i - 1] or 0.0) + X[i]",
        "def f(X: f32[N]) -> f32[N]", "Y[i] = (X[i - 1] or 0) + X[i]", "Y[i] = X[i - 1] or 0.0 + X[i]");
  }

  @Test
  void viewsAreIndexArithmetic() {
    assertStatement("Y[b, i in 0..3, i_1 in 0..4] = X[b, i * 4 + i_1]",
        "def f(X: f32[B, 12]) -> f32[B, 3, 4]", "Y = reshape(X, [B, 3, 4])");
    assertStatement("Y[i in 0..12 * B] = X[i / 12, i % 12]",
        "def f(X: f32[B, 12]) -> f32[12 * B]", "Y = reshape(X, [B * 12])");
    assertStatement("Y[i, b] = X[b, i]", "def f(X: f32[B, 12]) -> f32[12, B]", "Y = transpose(X, [1, 0])");
    assertStatement("Y[i in 0..4] = X[2, i + 8]", "def f(X: f32[3, 12]) -> f32[4]", "Y = X[2, 8..12]");
    assertStatement("Y[i in 0..M + N] = where(i < M, A[i], B[i - M])",
        "def f(A: f32[M], B: f32[N]) -> f32[M + N]", "Y = concat(A, B, 0)");
  }

  @Test
  void callsAreInlinedAndLoopsUnrolledWithTheirWeights() {
    Cascade cascade = read("""
        def scale(x: f32[N]) -> f32[N] {
          weight w: f32[N] = "w"
          y[n] = x[n] * w[n]
          return y
        }
        def main(X: f32[4]) -> f32[4] {
          for l in 0..2 in "layer.{l}" {
            X = scale(X) in "inner.{l + 1}"
          }
          return X
        }
        """).cascade();
    assertEquals(List.of("layer.0.inner.1.w", "layer.1.inner.2.w"),
        cascade.weights().stream().map(Cascade.Weight::key).toList());
    assertEquals(2, cascade.einsums().size());
  }

  @Test
  void aWeightThatIsNamedTwiceIsOneTensor() {
    Cascade cascade = read("""
        def scale(x: f32[4]) -> f32[4] {
          weight w: f32[4] = "w"
          y[n] = x[n] * w[n]
          return y
        }
        def main(X: f32[4]) -> f32[4] {
          return scale(scale(X))
        }
        """).cascade();
    assertEquals(1, cascade.weights().size());
  }

  @Test
  void anOutputThatNoEinsumDefinesIsCopied() {
    Cascade cascade = read("""
        def f(X: f32[N]) -> (f32[N], b: f32[N], f32[N]) {
          Y[n] = X[n] + 1
          return X, Y, Y
        }
        """).cascade();
    assertEquals(3, cascade.einsums().size());
    assertEquals(3, cascade.outputs().stream().map(Cascade.Output::tensor).distinct().count());
    assertEquals(List.of("X", "b", "Y"), cascade.outputs().stream().map(Cascade.Output::name).toList());
  }

  @Test
  void theEntryIsMainOrTheLastFunctionOrTheOneAskedFor() {
    String two = "def a(X: f32[N]) -> f32[N] {\n  return X\n}\ndef b(X: f32[N]) -> f32[N] {\n  return X\n}\n";
    assertEquals("b", read(two).cascade().name());
    assertEquals("main", read("def main(X: f32[N]) -> f32[N] {\n  return X\n}\n" + two).cascade().name());
    assertEquals("a", EinReader.read(new Source("two.ein", two), Optional.of("a")).cascade().name());
    CompileException error = assertThrows(CompileException.class,
        () -> EinReader.read(new Source("two.ein", two), Optional.of("c")));
    assertTrue(error.getMessage().contains("no function `c`"), error.getMessage());
  }

  @Test
  void aFileNamesItsWeightsAndTokenizer() {
    EinProgram program = read("weights \"a\\{b\"\ntokenizer \"t.json\"\ndef f(X: f32[N]) -> f32[N] {\n  return X\n}\n");
    assertEquals(Optional.of("a{b"), program.weights());
    assertEquals(Optional.of("t.json"), program.tokenizer());
  }

  @Test
  void filesSeeTheNamesOfThoseThatTheyImportThemselves() {
    Map<String, String> files = Map.of(
        "a.ein", "import b\nconst K = 2\ndef f(x: f32[...]) -> f32[...] {\n  return g(x) * K\n}\n",
        "b.ein", "import a\nconst L = 3\ndef g(x: f32[...]) -> f32[...] {\n  return x * K * L\n}\n",
        "c.ein", "const K = 5\ndef f(x: f32[...]) -> f32[...] {\n  return x\n}\n");
    String head = "def main(X: f32[N]) -> f32[N] {\n  return ";
    assertEquals("result_1[n] = result[n] * 2.0", line(2, read("import a\n" + head + "f(X)\n}\n", files)));
    assertEquals("result[n] = X[n] * 5.0", line(1, read("import a\nimport c\nconst K = 5\n" + head + "X * K\n}\n", files)));
    assertMessage("no function is called `g`", () -> read("import a\n" + head + "g(X)\n}\n", files));
    assertMessage("`f` is in several imported files: a, c", () -> read("import a\nimport c\n" + head + "f(X)\n}\n", files));
    assertMessage("`K` is in several imported files: a, c", () -> read("import a\nimport c\n" + head + "X * K\n}\n", files));
    assertMessage("b.ein:1:1: error: expected",
        () -> read("import b\n" + head + "X\n}\n", Map.of("b.ein", "+")));
  }

  @Test
  void importsWithoutAnEndAndFilesThatCannotBeReadAreErrors() {
    String main = "import m1\ndef main(X: f32[N]) -> f32[N] {\n  return X\n}\n";
    assertMessage("a program has at most 500 files", () -> EinReader.read(new Source("main.ein", main), Optional.empty(),
        (path, _) -> Optional.of(new Source(path, "import m" + (1 + Integer.parseInt(path.replaceAll("\\D", "")))))));
    assertMessage("main.ein:1:8: error: cannot read m1.ein: it is full", () -> EinReader.read(
        new Source("main.ein", main), Optional.empty(), (path, _) -> {
          throw CompileException.of("cannot read " + path + ": it is full");
        }));
  }

  @Test
  void aLongChainOfConstantsIsAnError() {
    StringBuilder text = new StringBuilder();
    for (int i = 0; i < 10_000; i++) {
      text.append("const C%d = C%d + 1%n".formatted(i, i + 1));
    }
    text.append("const C10000 = 1\ndef main(X: f32[N]) -> f32[N] {\n  return X\n}\n");
    assertMessage("more than 100 constants depend on each other here", () -> read(text.toString()));
  }

  @Test
  void aProgramThatNeedsSizesIsReadForEach() {
    EinProgram program = read("""
        def main(X: f32[M, N]) -> (a: f32[M, N], f32[min(N, 8)]) {
          if N > 4 {
            X = reshape(reshape(X, [M, 2, N / 2]), [M, N])
          }
          Y[n in 0..min(N, 8)] = X[0, n]
          return X + 1, Y
        }
        """);
    assertEquals("[N]", program.neededSizes().toString());
    assertEquals("[X: f32[M, N]]", program.inputs().toString());
    assertEquals("[Result[name=a, type=f32, shape=[M, N]], Result[name=Y, type=f32, shape=[min(N, 8)]]]",
        program.results().toString());
    assertMessage("for N=7", () -> program.cascade(new TreeMap<>(Map.of("N", 7L))));
    assertMessage("this needs a number for the size N", program::cascade);
    Cascade small = program.cascade(new TreeMap<>(Map.of("N", 3L)));
    assertEquals("[X: f32[M, 3]]", small.inputs().toString());
    assertEquals(2, small.einsums().size());
    assertEquals(4, program.cascade(new TreeMap<>(Map.of("N", 16L, "M", 1L))).einsums().size());
  }

  @Test
  void comparisonsThatHoldForAllSizesNeedNone() {
    EinProgram program = read("""
        def main(X: f32[M, N]) -> f32[M, max(2 * N, 2)] {
          if N >= 1 && M + N > N && N != 0 && !(2 * M == 0) {
            return concat(X, X, 1)
          }
        }
        """);
    assertTrue(program.neededSizes().isEmpty());
  }

  @Test
  void aFileOfFunctionsIsChecked() {
    String text = "def f<T>(x: T[...], n: size, g: function) -> T[...] {\n  if n > 2 {\n    return g(x)\n  }\n  return x\n}\n";
    assertEquals(Optional.empty(), EinReader.check(new Source("f.ein", text), Imports.none(), new TreeMap<>()).cascade());
    assertMessage("nothing is called `y`",
        () -> EinReader.check(new Source("f.ein", text + "def h(x: f32[...]) -> f32[...] {\n  z[...] = x[...] * y\n  return z\n}\n"),
            Imports.none(), new TreeMap<>()));
  }

  @Test
  void aPassedFunctionOfTheLanguageIsCalled() {
    Cascade cascade = read("""
        def apply<T>(x: T[...], f: function) -> T[...] {
          return f(x) + T(1)
        }
        def main(X: f64[N]) -> f64[N] {
          return apply(X, exp)
        }
        """).cascade();
    assertEquals("result[n] = exp(X[n]) + f64(1.0)", line(1, cascade));
  }

  private static Cascade read(String text, Map<String, String> files) {
    return EinReader.read(new Source("main.ein", text), Optional.empty(),
        (path, _) -> Optional.ofNullable(files.get(path)).map(found -> new Source(path, found))).cascade();
  }

  private static String line(int number, Cascade cascade) {
    return CascadePrinter.print(cascade).lines().skip(number).findFirst().orElseThrow().strip();
  }

  private static void assertMessage(String expected, Executable action) {
    String message = assertThrows(CompileException.class, action).getMessage();
    assertTrue(message.contains(expected), message);
  }

  @Test
  void spansAreThePlacesInTheText() {
    String text = "# \uD83D\uDE00\ndef f(X: f32[N]) -> f32[N] {\n  Y[n] = X[n]\n  return Y\n}\n";
    Cascade cascade = read(text).cascade();
    assertEquals("Y[n] = X[n]", text(cascade.einsums().getFirst().span()));
    assertEquals("Y", text(cascade.einsums().getFirst().tensor().span()));
    assertEquals("X", text(cascade.inputs().getFirst().span()));
  }

  @Test
  void hostileNestingAndGrowthEndSoonAndInAnError() {
    String open = "def f(X: f32[N]) -> f32[N] {\n  Y[n] = ";
    String close = "\n  return Y\n}\n";
    List<String> texts = List.of(
        open + "(".repeat(100_000) + close,
        open + "-".repeat(100_000) + "X[n]" + close,
        open + "X[".repeat(100_000) + close,
        open + "X[n]" + " + X[n]".repeat(20_000) + close,
        open + "X[n]" + "}".repeat(50_000) + close,
        "def f(".repeat(50_000),
        "def f(X: f32[N]) -> f32[N] {\n" + "for i in 0..9999 {\n".repeat(20) + "X[n] = X[n] + 1" + "}".repeat(20)
            + "\n return X\n}\n",
        doublingCalls(60));
    for (String text : texts) {
      Assertions.assertTimeout(Duration.ofSeconds(30), () -> assertThrows(CompileException.class, () -> read(text)));
    }
  }

  /// Each function calls the one before twice.
  private static String doublingCalls(int functions) {
    StringBuilder text = new StringBuilder("def g0(X: f32[N]) -> f32[N] {\n  Y[n] = X[n] + 1\n  return Y\n}\n");
    for (int i = 1; i < functions; i++) {
      text.append("def g%d(X: f32[N]) -> f32[N] {%n  return g%d(g%d(X))%n}%n".formatted(i, i - 1, i - 1));
    }
    return text.toString();
  }

  private static String text(Span span) {
    return span.source().text().substring(span.start(), span.end());
  }

  private static void assertStatement(String expected, String head, String... statements) {
    for (String statement : statements) {
      String printed = CascadePrinter.print(read(head + " {\n  " + statement + "\n  return Y\n}\n").cascade());
      assertEquals(expected, printed.lines().skip(1).findFirst().orElseThrow().strip());
    }
  }

  private static EinProgram read(String text) {
    return EinReader.read(new Source("test.ein", text), Optional.empty());
  }
}
