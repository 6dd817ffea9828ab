package dev.einfall.tests.runtime;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ai.djl.huggingface.tokenizers.HuggingFaceTokenizer;
import ai.onnxruntime.OrtException;
import dev.einfall.frontend.onnx.OnnxFile;
import dev.einfall.ir.CompileException;
import dev.einfall.runtime.Einfall;
import dev.einfall.runtime.Options;
import dev.einfall.runtime.Program;
import dev.einfall.runtime.Tensor;
import java.io.IOException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;

/// A published transformer with its published weights gives what ONNX Runtime gives.
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class MiniLmTest {
  private static final double TOLERANCE = 1e-4;
  private static final List<String> SENTENCES = List.of(
      "Hello",
      "How do I bake bread?",
      "A recipe for sourdough",
      "Stocks fell on Monday",
      "The quick brown fox jumps over the lazy dog, again and again.",
      "ein Einfall ist eine plötzliche Idee".repeat(2),
      "Tensors of many shapes, and none that fits a vector. ".repeat(4),
      "What a compiler cannot prove, it must check; what it can prove, it need not. ".repeat(5),
      "A cascade is a list of sums of products, each one fed by those before it. ".repeat(9),
      "Rain fell on the hills all night, and in the morning the river ran high. ".repeat(15).strip());

  private final Map<Integer, Program> programs = new LinkedHashMap<>();
  private final Map<Batch, float[]> expected = new LinkedHashMap<>();
  private final List<Batch> alone = new ArrayList<>();
  private Batch padded;

  @BeforeAll
  void prepare() throws IOException, OrtException {
    try (HuggingFaceTokenizer tokenizer = HuggingFaceTokenizer.builder()
            .optTokenizerPath(MiniLm.tokenizer()).optTruncation(false).optPadding(true).build();
        OnnxPeer peer = new OnnxPeer(2);
        OnnxFile weights = OnnxFile.open(MiniLm.weights())) {
      SENTENCES.forEach(sentence -> alone.add(Batch.of(tokenizer.encode(sentence))));
      padded = Batch.of(tokenizer.batchEncode(SENTENCES.subList(1, 9)));
      for (Batch batch : alone) {
        expected.put(batch, peer.hidden(batch));
      }
      expected.put(padded, peer.hidden(padded));
      for (int threads : new int[] {1, 2}) {
        Options options = Options.defaults().withThreads(threads).withWeights(weights);
        programs.put(threads, Einfall.compile(MiniLm.PROGRAM, options));
      }
    }
  }

  @AfterAll
  void close() {
    programs.values().forEach(Program::close);
  }

  @Test
  void theSentencesAreOf3To250Tokens() {
    assertEquals(3, alone.getFirst().tokens());
    assertTrue(alone.getLast().tokens() >= 230 && alone.getLast().tokens() <= 260, alone.getLast().tokens() + " tokens");
    assertEquals(8, padded.size());
  }

  @Test
  void equalsOnnxRuntimeForOneSentence() {
    alone.forEach(batch -> check(batch, programs.get(2)));
  }

  /// Each length is compiled anew: a short one and a long one say what threads change.
  @Test
  void equalsOnnxRuntimeWithOneThread() {
    check(alone.get(1), programs.get(1));
    check(alone.getLast(), programs.get(1));
  }

  @Test
  void equalsOnnxRuntimeForAPaddedBatch() {
    check(padded, programs.get(2));
  }

  @Test
  void equalsOnnxRuntimeFrom8ThreadsAtOnce() throws InterruptedException, ExecutionException {
    try (ExecutorService threads = Executors.newFixedThreadPool(8)) {
      List<Future<?>> runs = new ArrayList<>();
      for (int thread = 0; thread < 8; thread++) {
        int first = thread;
        runs.add(threads.submit(() -> {
          for (int i = 0; i < alone.size(); i++) {
            check(alone.get((first + i) % alone.size()), programs.get(2));
          }
        }));
      }
      for (Future<?> run : runs) {
        run.get();
      }
    }
  }

  /// Code that is not warmed up is not judged either: a kernel that the just-in-time compiler made badly, or late on a busy machine, may be given loops that add in another order.
  @Test
  void doesNotDependOnTheNumberOfThreads() throws IOException {
    Batch batch = alone.get(5);
    try (OnnxFile weights = OnnxFile.open(MiniLm.weights());
        Program byOne = Einfall.compile(MiniLm.PROGRAM, Options.defaults().withThreads(1).withWarmUp(false).withWeights(weights));
        Program byTwo = Einfall.compile(MiniLm.PROGRAM, Options.defaults().withThreads(2).withWarmUp(false).withWeights(weights));
        Tensor one = run(batch, byOne).get("last_hidden_state");
        Tensor two = run(batch, byTwo).get("last_hidden_state")) {
      assertArrayEquals(one.floats(), two.floats());
    }
  }

  @Test
  void refusesAWordOutsideTheVocabulary() {
    Batch outside = new Batch(1, 3, new long[] {101, 30522, 102}, new long[] {1, 1, 1}, new long[3]);
    var e = assertThrows(IllegalArgumentException.class, () -> run(outside, programs.get(2)));
    assertTrue(e.getMessage().contains("30522"), e.getMessage());
    check(alone.getFirst(), programs.get(2));
  }

  @Test
  void refusesMoreTokensThanItHasPositions() {
    var e = assertThrows(CompileException.class, () -> run(Batch.random(1, 513), programs.get(2)));
    assertTrue(e.getMessage().contains("T=513") && e.getMessage().contains("`position`, which has size 512"), e.getMessage());
  }

  @Test
  void theReferenceEqualsOnnxRuntime() {
    try (OnnxFile weights = OnnxFile.open(MiniLm.weights());
        Program reference = Einfall.compile(MiniLm.PROGRAM,
            Options.defaults().withBackend(Options.Backend.REFERENCE).withWeights(weights))) {
      check(alone.get(1), reference);
    }
  }

  private void check(Batch batch, Program program) {
    float[] hidden = expected.get(batch);
    Map<String, Tensor> outputs = run(batch, program);
    try (Tensor state = outputs.get("last_hidden_state"); Tensor embedding = outputs.get("embedding")) {
      assertArrayEquals(hidden, state.floats(), (float) TOLERANCE);
      double[] wanted = batch.embedding(hidden);
      float[] got = embedding.floats();
      for (int i = 0; i < wanted.length; i++) {
        assertEquals(wanted[i], got[i], TOLERANCE);
      }
    }
  }

  private static Map<String, Tensor> run(Batch batch, Program program) {
    Map<String, Tensor> inputs = batch.inputs();
    try {
      return program.run(inputs);
    } finally {
      inputs.values().forEach(Tensor::close);
    }
  }
}
