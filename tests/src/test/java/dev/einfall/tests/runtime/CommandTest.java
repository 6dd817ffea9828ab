package dev.einfall.tests.runtime;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.einfall.runtime.Npy;
import dev.einfall.runtime.Tensor;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.StringReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.regex.MatchResult;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import javax.xml.parsers.DocumentBuilderFactory;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.xml.sax.InputSource;

class CommandTest {
  private static final String EXAMPLES = "../grammar/examples/";
  private static final String SOFTMAX = EXAMPLES + "softmax.ein";

  @TempDir
  private Path directory;

  @Test
  void runsAProgramOnRandomInput() {
    CommandLineRun run = CommandLineRun.of("run", SOFTMAX, "--in", "X=rand:2x5");
    assertEquals(0, run.exitCode(), run.err());
    assertTrue(run.out().startsWith("Y: f32[2, 5] = 0.1996"), run.out());
    assertTrue(run.out().matches("(?s).*compiled in \\d+ ms, first result after \\d+ ms, latency [\\d.]+ ms.*"), run.out());
    assertEquals(run.out().lines().findFirst(),
        CommandLineRun.of("run", SOFTMAX, "--in", "X=rand", "--size", "M=2", "--size", "N=5").out().lines().findFirst());
  }

  @Test
  void readsAndWritesNpyFiles() throws IOException {
    Path x = directory.resolve("x.npy");
    try (Tensor tensor = Tensor.of(new float[] {0, (float) Math.log(3)}, 1, 2)) {
      Npy.write(x, tensor);
    }
    for (String backend : List.of("jvm", "reference")) {
      Path out = directory.resolve(backend);
      CommandLineRun run = CommandLineRun.of("run", SOFTMAX, "--in", "X=" + x, "--out", out.toString(), "--backend", backend);
      assertEquals(0, run.exitCode(), run.err());
      try (Tensor y = Npy.read(out.resolve("Y.npy"))) {
        assertArrayEquals(new float[] {0.25f, 0.75f}, y.floats(), 1e-6f);
      }
    }
  }

  @Test
  void runsAModelOnText() {
    CommandLineRun run = CommandLineRun.of("run", EXAMPLES + "minilm.ein", "--weights", MiniLm.weights().toString(),
        "--text", "bake bread", "--text", "sourdough", "--backend", "reference");
    assertEquals(0, run.exitCode(), run.err());
    List<String> lines = run.out().lines().toList();
    assertEquals("cosine similarity", lines.get(0));
    assertTrue(lines.get(1).matches("  bake bread +1\\.000 +0\\.\\d{3}"), run.out());
    assertTrue(lines.get(2).matches("  sourdough +0\\.\\d{3} +1\\.000"), run.out());
    assertTrue(lines.get(3).startsWith("compiled in"), run.out());
  }

  @Test
  void measures() {
    CommandLineRun run = CommandLineRun.of("bench", SOFTMAX, "--in", "X=rand:8x8", "--runs", "5", "--threads", "1");
    assertEquals(0, run.exitCode(), run.err());
    assertTrue(run.out().matches("softmax threads=1 compile_ms=\\d+ first_result_ms=\\d+ latency_ms=[\\d.]+ min_ms=[\\d.]+ runs=5\\n"),
        run.out());
  }

  @Test
  void timesPasses() {
    CommandLineRun run = CommandLineRun.of("bench", SOFTMAX, "--in", "X=rand:8x8", "--runs", "1", "--threads", "1", "--time-passes");
    assertTrue(run.out().matches("(?s).*\\n +choose-mappings +2 x +[\\d.]+ ms +[\\d.]+ %\\n.*"), run.out());
    assertTrue(run.out().matches("(?s).*\\n +no pass +[\\d.]+ ms +[\\d.]+ %\\n"), run.out());
  }

  @Test
  void emitsEveryStage() {
    CommandLineRun cascade = CommandLineRun.of("emit", SOFTMAX, "--as", "cascade");
    assertTrue(cascade.out().startsWith("def softmax(X: f32[M, N])"), cascade.out() + cascade.err());
    CommandLineRun loops = CommandLineRun.of("emit", SOFTMAX, "--as", "loops", "--size", "M=3", "--size", "N=8");
    assertTrue(loops.out().contains("kernel ") && loops.out().contains("plan softmax {"), loops.out() + loops.err());
    CommandLineRun bytecode = CommandLineRun.of("emit", SOFTMAX, "--as", "bytecode", "--size", "M=3", "--size", "N=8");
    assertTrue(bytecode.out().contains("RETURN"), bytecode.out() + bytecode.err());
  }

  @Test
  void emitsCodeForAContract() {
    String[] sum = {"emit", SOFTMAX, "--as", "loops", "--size", "M=1", "--size", "N=8", "--vector-bytes", "32", "--numerics"};
    assertTrue(CommandLineRun.of(with(sum, "reassociate")).out().contains("reduce_add"));
    assertFalse(CommandLineRun.of(with(sum, "strict")).out().contains("reduce_add"));
    assertEquals(2, CommandLineRun.of(with(sum, "exact")).exitCode());
  }

  @Test
  void explainsErrors() {
    CommandLineRun run = CommandLineRun.of("explain", SOFTMAX, "--error", "--in", "X=normal:4x40*100");
    assertEquals(0, run.exitCode(), run.err());
    assertTrue(run.out().startsWith("error against double precision\nY: f32[M, N]\n"), run.out());
    assertTrue(run.out().matches("(?s).*\n  strict +\\d\\.\\de-.*\n  without fuse-multiply-adds .*"), run.out());
    assertTrue(CommandLineRun.of("explain", SOFTMAX, "--error").err().contains("--size M=8"));
  }

  @Test
  void plotsWhereTimeIsLost() throws IOException {
    String[] html = {"emit", SOFTMAX, "--as", "html", "--size", "M=50", "--size", "N=70", "--threads", "1"};
    assertFalse(CommandLineRun.of(html).out().contains("Where time is lost"));
    CommandLineRun run = CommandLineRun.of(with(html, "--measure"));
    assertEquals(0, run.exitCode(), run.err());
    String page = run.out();
    String section = page.substring(page.indexOf("<section class=\"card waterline\">"));
    assertTrue(section.matches("(?s).*<rect class=\"lost\" .*<rect class=\"(arithmetic|memory)\" .*<td><code>Y</code> softmax.ein:\\d+:\\d+</td>"
        + "<td class=\"number\">1</td>.*"), section);
    wrong("--measure is for --as html", "emit", SOFTMAX, "--as", "dot", "--measure");
    wrong("--in and --text are for --as html --measure", "emit", SOFTMAX, "--as", "html", "--in", "X=rand:2x2");
    wrong("give a number for each of [M, N]", "emit", SOFTMAX, "--as", "html", "--measure");
  }

  private static String[] with(String[] arguments, String last) {
    return Stream.concat(Stream.of(arguments), Stream.of(last)).toArray(String[]::new);
  }

  @Test
  void emitsAGraph() throws IOException {
    CommandLineRun written = CommandLineRun.of("emit", SOFTMAX, "--as", "dot");
    assertEquals(0, written.exitCode(), written.err());
    assertTrue(written.out().startsWith("digraph \"softmax\" {\n"), written.out());
    assertTrue(written.out().contains("input_X -> einsum_0 [label=\"f32[M, N]\"]"), written.out());
    assertTrue(written.out().contains("einsum_1 -> \"output_Y\""), written.out());
    assertFalse(written.out().contains("subgraph"), written.out());
    Path file = directory.resolve("softmax.dot");
    CommandLineRun fused = CommandLineRun.of("emit", SOFTMAX, "--as", "dot", "--size", "M=3", "--size", "N=8", "--after-passes",
        "-o", file.toString());
    assertEquals("", fused.out() + fused.err());
    assertTrue(Files.readString(file).contains("subgraph cluster_0 {"), Files.readString(file));
  }

  @Test
  void emitsAPage() throws Exception {
    CommandLineRun run = CommandLineRun.of("emit", EXAMPLES + "attention.ein", "--as", "html", "--vector-bytes", "32", "--threads", "1",
        "--size", "B=1", "--size", "H=2", "--size", "P=16", "--size", "M=16", "--size", "E=8", "--size", "F=8");
    assertEquals(0, run.exitCode(), run.err());
    String page = run.out();
    assertTrue(page.startsWith("<!DOCTYPE html>") && page.endsWith("</html>\n"), page);
    assertFalse(page.replace("http://www.w3.org/2000/svg", "").contains("http"), "the page needs the network");
    assertFalse(page.contains("\nnull") || page.contains(">null"), "a part of the page is missing");
    assertTrue(page.contains("Z[b, h, p, f] = sum[m](A[b, h, p, m] * V[b, h, m, f]) / sum[m](A[b, h, p, m])"), page);
    assertTrue(page.contains("one kernel, 3 Einsums for each b, h, p") && page.contains("attention.ein:3"), page);
    List<String> drawings = Pattern.compile("(?s)<svg.*?</svg>").matcher(page).results().map(MatchResult::group).toList();
    assertEquals(2, drawings.size());
    for (String drawing : drawings) {
      DocumentBuilderFactory.newInstance().newDocumentBuilder().parse(new InputSource(new StringReader(drawing)));
    }
  }

  @Test
  void emitsAPageOfAnyProgram() throws IOException {
    Path program = Files.writeString(directory.resolve("f.ein"), """
        # A <b>bold</b> claim.
        def f(X: f32[N]) -> f32[N] {
          weight W: f32[N] = "<script>alert(1)</script>"
          Y[n] = where(X[n] < W[n] && X[n] > 0, X[n], 0)
          return Y
        }
        """);
    CommandLineRun run = CommandLineRun.of("emit", program.toString(), "--as", "html");
    assertEquals(0, run.exitCode(), run.err());
    assertTrue(run.out().contains("A &lt;b&gt;bold&lt;/b&gt; claim.") && run.out().contains("give them with"), run.out());
    assertTrue(run.out().contains("&lt;script&gt;alert(1)") && !run.out().contains("<script>alert(1)"), run.out());
    assertTrue(run.out().contains("X[n] &lt; W[n] &amp;&amp; X[n] &gt; 0.0"), run.out());
    assertTrue(run.out().contains("4·N bytes"), run.out());
    wrong("cannot write ", "emit", SOFTMAX, "--as", "html", "-o", directory.resolve("no/where.html").toString());
    wrong("give a number for each of [M, N]", "emit", SOFTMAX, "--as", "dot", "--after-passes");
  }

  @Test
  void runsPasses() throws IOException {
    Path program = Files.writeString(directory.resolve("f.ein"), """
        # SIZES: N=8
        def f(X: f32[N]) -> f32[N] {
          Y[n] = X[n] * (1 + 2)
          return Y
        }
        """);
    CommandLineRun run = CommandLineRun.of("opt", program.toString(), "--passes", "normalize-reductions,fold-constants",
        "--print-after", "all", "--time-passes");
    assertEquals(0, run.exitCode(), run.err());
    assertTrue(run.out().contains("# after normalize-reductions on f (unchanged)"), run.out());
    assertTrue(run.out().contains("# after fold-constants on f\ndef f(X: f32[8]) -> f32[8] {\n  Y[n] = X[n] * 3.0"), run.out());
    assertTrue(run.out().matches("(?s).*# fold-constants +[\\d.]+ ms\n.*"), run.out());
    CommandLineRun changed = CommandLineRun.of("opt", program.toString(), "--passes", "normalize-reductions,fold-constants",
        "--print-changed");
    assertFalse(changed.out().contains("normalize-reductions"), changed.out());
    assertTrue(changed.out().contains("# after fold-constants on f"), changed.out());
    CommandLineRun lowered = CommandLineRun.of("opt", program.toString(), "--passes", "name-ranks,lower-einsums,simplify-indices");
    assertTrue(lowered.out().contains("plan f {"), lowered.out() + lowered.err());
  }

  @Test
  void runsThePassesOfEveryCase() throws IOException {
    try (Stream<Path> cases = Files.walk(Path.of("cases", "passes"))) {
      for (Path file : cases.filter(Files::isRegularFile).sorted().toList()) {
        int expected = Files.readString(file).contains("\n# ERROR:") ? 1 : 0;
        CommandLineRun run = CommandLineRun.of("opt", file.toString(), "--print-after", "all");
        assertEquals(expected, run.exitCode(), file + ": " + run.err());
      }
    }
  }

  @Test
  void writesAReproducerWhenAPassFails() throws IOException {
    Path kernel = Files.writeString(directory.resolve("bad.loop"), """
        kernel bad(X: f32[4], Y: f32[4]) {
          for i in 0..4 {
            Y[i] = X[i + 1]
          }
        }
        """);
    CommandLineRun run = CommandLineRun.of("opt", kernel.toString(), "--passes", "simplify-indices");
    assertEquals(3, run.exitCode(), run.out());
    assertTrue(run.err().contains("pass simplify-indices failed on bad"), run.err());
    Matcher named = Pattern.compile("A reproducer is in (\\S+\\.loop): run").matcher(run.err());
    assertTrue(named.find(), run.err());
    Path reproducer = Path.of(named.group(1));
    assertTrue(Files.readString(reproducer).startsWith("# RUN: simplify-indices\n"), Files.readString(reproducer));
    CommandLineRun again = CommandLineRun.of("opt", reproducer.toString());
    assertEquals(3, again.exitCode(), again.out());
    assertTrue(again.err().contains("pass simplify-indices failed on bad"), again.err());
    assertFalse(again.err().contains("\tat "), again.err());
  }

  @Test
  void printsEveryError() throws IOException {
    Path program = Files.writeString(directory.resolve("bad.ein"), """
        def f(X: f32[N]) -> f32[N] {
          Y[n] = Z[n]
          W[n] = X[n, n]
          return Y
        }
        """);
    CommandLineRun run = CommandLineRun.of("check", program.toString(), SOFTMAX, directory.resolve("none.ein").toString());
    assertEquals(1, run.exitCode());
    assertTrue(run.err().contains("bad.ein:2:10: error:") && run.err().contains("bad.ein:3:10: error:"), run.err());
    assertTrue(run.err().contains("there is no such file"), run.err());
    assertTrue(run.err().endsWith("\n3 errors in 2 of 3 files\n"), run.err());
    assertTrue(run.err().contains("\n    Y[n] = Z[n]\n           ^\n"), run.err());
    CommandLineRun one = CommandLineRun.of("check", directory.resolve("none.ein").toString());
    assertTrue(one.err().endsWith("\n1 error in 1 file\n"), one.err());
    CommandLineRun fine = CommandLineRun.of("check", SOFTMAX, EXAMPLES + "mlp.ein");
    assertEquals(0, fine.exitCode());
    assertEquals("", fine.out() + fine.err());
  }

  @Test
  void readsProgramsThatNeedSizesAndFilesThatAreImported() throws IOException {
    Files.writeString(directory.resolve("blocks.ein"), """
        def total<T>(x: T[N]) -> T {
          if N == 1 {
            return x[0]
          }
          return total(x[0..N / 2]) + total(x[N / 2..N])
        }
        """);
    String program = Files.writeString(directory.resolve("program.ein"),
        "import blocks\ndef main(X: f32[N]) -> f32 {\n  return total(X)\n}\n").toString();
    CommandLineRun check = CommandLineRun.of("check", program, directory.resolve("blocks.ein").toString());
    assertEquals(0, check.exitCode(), check.err());
    assertTrue(check.err().contains("depends on the size N is not checked"), check.err());
    assertEquals("", CommandLineRun.of("check", program, "--size", "N=3").err());
    wrong("the program depends on sizes: give a number for each of [N], such as --size N=128", "emit", program, "--as", "cascade");
    assertTrue(CommandLineRun.of("emit", program, "--as", "cascade", "--size", "N=3").out().contains("def main(X: f32[3])"));
    assertEquals(0, CommandLineRun.of("emit", program, "--as", "loops", "--size", "N=3").exitCode());
    assertEquals(0, CommandLineRun.of("opt", program, "--passes", "fold-constants", "--size", "N=3").exitCode());
    assertEquals(0, CommandLineRun.of("run", program, "--in", "X=rand", "--size", "N=3").exitCode());
    wrong("blocks.ein:5:", "run", Files.writeString(directory.resolve("wrong.ein"),
        "import blocks\ndef main(X: bool[N]) -> bool {\n  return total(X)\n}\n").toString(), "--in", "X=rand:4");
  }

  @Test
  void formats() throws IOException {
    String messy = "def f(X:f32[N])->f32[N]{\n# why\nY[n]=X[n]  return Y}";
    String tidy = "def f(X: f32[N]) -> f32[N] {\n  # why\n  Y[n] = X[n]\n  return Y\n}\n";
    Path program = Files.writeString(directory.resolve("f.ein"), messy);
    CommandLineRun check = CommandLineRun.of("fmt", "--check", program.toString(), SOFTMAX);
    assertEquals(1, check.exitCode(), check.err());
    assertEquals(program + "\n", check.out());
    assertEquals(messy, Files.readString(program));
    CommandLineRun format = CommandLineRun.of("fmt", program.toString(), SOFTMAX);
    assertEquals(0, format.exitCode(), format.err());
    assertEquals(program + "\n", format.out());
    assertEquals(tidy, Files.readString(program));
    CommandLineRun again = CommandLineRun.of("fmt", program.toString());
    assertEquals("", again.out() + again.err());
  }

  @Test
  void formatsNothingThatIsWrong() throws IOException {
    String wrong = "def f(X:f32[N])->f32[N]{\n  Y[n]=X[n\n  return Y}";
    Path program = Files.writeString(directory.resolve("f.ein"), wrong);
    wrong("at the end of this line", "fmt", program.toString());
    wrong("there is no such file", "fmt", directory.resolve("none.ein").toString());
    assertEquals(wrong, Files.readString(program));
  }

  @Test
  void formatsTheStandardInput() {
    InputStream input = System.in;
    try {
      System.setIn(new ByteArrayInputStream("def f(x:f32)->f32{return x}".getBytes(StandardCharsets.UTF_8)));
      assertEquals("def f(x: f32) -> f32 { return x }\n", CommandLineRun.of("fmt", "-").out());
    } finally {
      System.setIn(input);
    }
  }

  @Test
  void tellsOfMistakesInOneMessage() throws IOException {
    Path text = Files.writeString(directory.resolve("x.npy"), "hello");
    Path cut = Files.writeString(directory.resolve("w.onnx"), "hello");
    wrong("cannot read none.ein: there is no such file", "run", "none.ein");
    wrong("the program softmax has no input 'Z'", "run", SOFTMAX, "--in", "Z=" + npy("z.npy"));
    wrong("the program has no input 'Z'", "run", SOFTMAX, "--in", "Z=rand:2x2");
    wrong("input 'X' is missing", "run", SOFTMAX);
    wrong("input 'X' has the shape [3], but 2 ranks are declared: [M, N]", "run", SOFTMAX, "--in", "X=rand:3");
    wrong("expected sizes such as 1x128", "run", SOFTMAX, "--in", "X=rand:3x");
    wrong("at most 268435456 random elements", "run", SOFTMAX, "--in", "X=rand:100000x100000");
    wrong("give a number for each size in X: f32[M, N]", "run", SOFTMAX, "--in", "X=rand");
    wrong("x.npy is not a .npy file", "run", SOFTMAX, "--in", "X=" + text);
    wrong("expected a file that ends in .npy", "run", SOFTMAX, "--in", "X=hello");
    wrong("expected NAME=FILE.npy", "run", SOFTMAX, "--in", "X");
    wrong("names its tokenizer", "run", SOFTMAX, "--text", "hello");
    wrong("as an ONNX file", "run", SOFTMAX, "--weights", cut.toString(), "--in", "X=rand:2x2");
    wrong("expected a file that ends in .onnx, .safetensors or .gguf", "run", SOFTMAX, "--weights", text.toString());
    wrong("is not of the form maven:GROUP:ARTIFACT:VERSION!PATH", "run", SOFTMAX, "--weights", "maven:x.onnx");
    wrong("--threads is 0", "run", SOFTMAX, "--threads", "0");
    wrong("give a number for each of [M, N], such as --size M=128", "emit", SOFTMAX, "--as", "loops");
    wrong("unknown pass hoist", "opt", SOFTMAX, "--passes", "hoist");
    wrong("no passes to run", "opt", SOFTMAX);
    wrong("unroll-loops runs on kernels, but this is a cascade", "opt", SOFTMAX, "--passes", "unroll-loops");
    assertEquals(2, CommandLineRun.of("run", SOFTMAX, "--backend", "gpu").exitCode());
    assertEquals(2, CommandLineRun.of("frobnicate").exitCode());
  }

  private String npy(String name) throws IOException {
    try (Tensor tensor = Tensor.of(new float[1], 1, 1)) {
      Npy.write(directory.resolve(name), tensor);
    }
    return directory.resolve(name).toString();
  }

  private static void wrong(String message, String... arguments) {
    CommandLineRun run = CommandLineRun.of(arguments);
    assertEquals(1, run.exitCode(), run.out() + run.err());
    assertTrue(run.err().contains("error: ") && run.err().contains(message), run.err());
    assertFalse(run.err().contains("\tat "), run.err());
  }
}
