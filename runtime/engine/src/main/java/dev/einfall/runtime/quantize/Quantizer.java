package dev.einfall.runtime.quantize;

import dev.einfall.frontend.EinProgram;
import dev.einfall.frontend.EinReader;
import dev.einfall.frontend.Imports;
import dev.einfall.frontend.LibraryFormats;
import dev.einfall.frontend.weights.SafetensorsWriter;
import dev.einfall.frontend.weights.StoredTensor;
import dev.einfall.frontend.weights.WeightsFile;
import dev.einfall.ir.CompileException;
import dev.einfall.ir.Size;
import dev.einfall.ir.cascade.Cascade;
import dev.einfall.ir.cascade.CascadePrinter;
import dev.einfall.ir.cascade.Shorthand;
import dev.einfall.passes.cascade.BindSizes;
import dev.einfall.runtime.Einfall;
import dev.einfall.runtime.Options;
import java.io.IOException;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.stream.Stream;

/// Quantizes a program after training: writes its weights in other formats, and the program that reads them.
///
/// What is done, in order:
/// 1. A [Policy] is read ([PolicyText]). One of whole numbers alone goes its own way ([IntegerQuantizer]).
/// 2. A [Target] is a weight that [Product]s sum over; they multiply it with an [Activation].
/// 3. The program is run with the calibration data, for [Statistics] of activations.
/// 4. A [Preparation] is what happens before anything is rounded, a [ChannelMap] for each [Step]; [OrderedChannels], [SharedScales] and [FoldedScales] put it into weights that come before. [StaticScales] are those of what is left to round.
/// 5. [BitsOfWeights] chooses how many bits each weight has under a [Budget].
/// 6. A [QuantizedWeight] is what a format stores ([Rounding], by an [EncodingProgram]), with its branch ([LowRank], [OutlierColumns]).
/// 7. [Rewriting] makes the program that reads all that, [CacheRewriting] that whose caches have a format, [ProgramText] writes it, and [Comparison] runs it beside the one that was.
public final class Quantizer {
  /// The name of the file of weights, beside the program.
  static final String WEIGHTS = "model.safetensors";

  private final Cascade cascade;
  private final EinProgram program;
  private final WeightsFile weights;
  private final Policy policy;
  private final Calibration calibration;
  private final Options options;
  private final QuantizationProgress progress;

  private Quantizer(EinProgram program, Cascade cascade, WeightsFile weights, Policy policy, Calibration calibration, Options options, QuantizationProgress progress) {
    this.program = program;
    this.cascade = cascade;
    this.weights = weights;
    this.policy = policy;
    this.calibration = calibration;
    this.options = options;
    this.progress = progress;
  }

  /// Quantizes the program in `file` and writes a program of the same name, and the weights that it reads, to `directory`. Weights that are finished are kept
  /// there meanwhile, and found when the same is asked for again. The same bytes are written for any number of threads.
  ///
  /// @param options how the program is compiled to be run with the calibration data; its weights, if there are some
  /// @throws CompileException when the program or its weights are wrong, or the policy does not fit them
  /// @throws IOException when a file cannot be written
  public static QuantizationReport quantize(Path file, Policy policy, Calibration calibration, Path directory, Options options, QuantizationProgress progress)
      throws IOException {
    EinProgram program = EinReader.read(Einfall.source(file), options.function(), Imports.files());
    if (!program.neededSizes().isEmpty()) {
      throw CompileException.of(file + " is another program for each number of " + program.neededSizes() + ": only one that is the same for all is quantized");
    }
    Path place = Optional.ofNullable(file.getParent()).orElse(Path.of(""));
    Optional<WeightsFile> opened = options.weights().isPresent() ? Optional.empty() : program.weights().map(named -> options.opener().open(named, place));
    try {
      WeightsFile weights = options.weights().or(() -> opened)
          .or(() -> policy.caches().filter(_ -> program.cascade().weights().isEmpty()).map(_ -> new NoWeights()))
          .orElseThrow(() -> CompileException.of("there are no weights to quantize: " + file + " names no file"));
      Cascade bound = bound(program.cascade(), weights);
      Path output = directory.resolve(file.getFileName());
      if (Files.exists(output) && Files.isSameFile(output, file)) {
        throw CompileException.of("the quantized program would replace " + file + ": give another directory");
      }
      return new Quantizer(program, bound, weights, policy, calibration, options, progress).write(file, output);
    } finally {
      opened.ifPresent(WeightsFile::close);
    }
  }

  /// `cascade` with the numbers of the sizes that its weights tell.
  private static Cascade bound(Cascade cascade, WeightsFile weights) {
    SortedMap<String, Long> sizes = new TreeMap<>();
    for (Cascade.Weight weight : cascade.weights()) {
      StoredTensor stored = weights.require(weight.key());
      List<Size> shape = weight.tensor().shape();
      for (int i = 0; i < Math.min(shape.size(), stored.shape().size()); i++) {
        if (shape.get(i).constant().isEmpty() && shape.get(i).names().contains(shape.get(i).toString())) {
          sizes.putIfAbsent(shape.get(i).toString(), stored.shape().get(i));
        }
      }
    }
    return new BindSizes(sizes).apply(cascade, _ -> { });
  }

  private Quantizer withWeights(WeightsFile newWeights) {
    return new Quantizer(program, cascade, newWeights, policy, calibration, options, progress);
  }

  private QuantizationReport write(Path file, Path output) throws IOException {
    if (policy.isInteger()) {
      policy.require();
      return new IntegerQuantizer(cascade, weights, calibration, options, progress).write(file, program, policy, output);
    }
    List<Target> alone = Target.of(cascade, policy);
    if (alone.isEmpty() && policy.caches().isEmpty()) {
      throw CompileException.of("there are no weights to quantize in " + file + ": none that a sum of products reads"
          + (policy.kept().isEmpty() ? "" : " is not kept"));
    }
    policy.require();
    withCaches(new Rewriting.Result(cascade, Shorthand.none()), file);
    alone.forEach(this::requireFit);
    Files.createDirectories(output.toAbsolutePath().getParent());
    Map<Product, Activation> activations = activations(alone);
    Statistics statistics = statistics(alone, activations);
    OrderedChannels ordered = policy.untilOrder().isEmpty() ? OrderedChannels.none(weights)
        : OrderedChannels.of(cascade, Preparation.of(policy, policy.untilOrder(), Set.of(), alone, activations, statistics, this::matrix), weights);
    Quantizer inOrder = withWeights(ordered.weights());
    return inOrder.write(file, output, alone, activations, ordered.folds().isEmpty() ? statistics : inOrder.statistics(alone, activations), ordered);
  }

  /// @param ordered the channels that are in order
  private QuantizationReport write(Path file, Path output, List<Target> alone, Map<Product, Activation> activations, Statistics statistics, OrderedChannels ordered)
      throws IOException {
    Path directory = output.toAbsolutePath().getParent();
    Preparation prepared = Preparation.of(policy, policy.steps(), ordered.tensors(), alone, activations, statistics, this::matrix);
    SharedScales shared = SharedScales.of(cascade, alone, activations, prepared, statistics, weights, this::matrix, options);
    Preparation preparation = shared.preparation();
    List<Target> targets = shared.targets();
    StaticScales scales = policy.isStatic()
        ? StaticScales.of(cascade, policy.activations().orElseThrow(), targets, activations, preparation, calibration, weights, options, progress)
        : StaticScales.none();
    FinishedWeights finished = new FinishedWeights(directory.resolve("unfinished"));
    List<Target> chosen = policy.budget().isEmpty() ? targets : new BitsOfWeights(targets, target -> Mapped.of(matrix(target), sums(target, statistics, activations),
        preparation.maps(target, activations)), options, progress).under(policy.budget().get(), cascade, calibration, weights, finished,
        digests(targets, statistics, activations, preparation));
    FoldedScales folded = FoldedScales.of(cascade, targets, activations, preparation, weights);
    List<StoredTensor> tensors = new ArrayList<>();
    List<StoredTensor> steps = Stream.concat(folded.preparation().stored().stream(), scales.stored().stream()).toList();
    Quantizer last = withWeights(folded.weights());
    List<Target> sized = chosen.stream().map(target -> target.encoding().unknown().isEmpty() ? target
        : measured(target, Mapped.of(last.matrix(target), sums(target, statistics, activations), preparation.maps(target, activations)))).toList();
    List<QuantizationReport.Row> rows = last.quantized(sized, statistics, activations, preparation, finished, tensors);
    tensors.addAll(steps);
    long kept = last.keep(targets, tensors);
    Optional<String> stored = tensors.isEmpty() ? Optional.empty() : Optional.of(WEIGHTS);
    if (stored.isPresent()) {
      SafetensorsWriter.write(directory.resolve(WEIGHTS), tensors);
    }
    Rewriting.Result floating = new Rewriting(sized, activations, folded.preparation(), scales, policy).apply(cascade);
    CacheRewriting.Result result = withCaches(floating, file);
    new ProgramText(file, program, policy, calibration, rows, ordered.folds(), folded.folds(), result.inputs(), List.of()).write(result.program(), stored, output);
    finished.clear();
    long bytesOfSteps = steps.stream().mapToLong(tensor -> tensor.data().byteSize()).sum();
    return new QuantizationReport(output, policy, rows, kept, bytesOfSteps, result.inputs().stream().map(CacheInput::row).toList(),
        Comparison.of(file, output, calibration, result.inputs(), options));
  }

  /// `program` with its caches in their format.
  ///
  /// @throws CompileException when they cannot be
  private CacheRewriting.Result withCaches(Rewriting.Result program, Path file) {
    if (policy.caches().isEmpty()) {
      return new CacheRewriting.Result(program, List.of());
    }
    Rematerialisation.Result floating = policy.rematerialised() ? Rematerialisation.of(program, file.toString(), policy::keeps)
        : new Rematerialisation.Result(program, List.of());
    Caches caches = Caches.of(floating.program().cascade(), file.toString(), policy::keeps);
    return new CacheRewriting(floating.program().cascade(), caches, policy.caches().get(), options).apply(floating.program()).with(floating.remade());
  }

  private void requireFit(Target target) {
    StoredTensor stored = weights.require(target.weight().key());
    List<Long> declared = target.weight().tensor().shape().stream().map(size -> (long) size.value()).toList();
    if (!stored.shape().equals(declared) || stored.type() != target.weight().tensor().type()) {
      throw CompileException.of("weight '" + stored.key() + "' of " + weights.name() + " is " + stored.type() + stored.shape() + ", declared "
          + target.weight().tensor().type() + declared);
    }
    Fit.of(target).require(options);
    if (!target.products().isEmpty() && policy.method() != Policy.Method.NEAREST && !target.encoding().format().hasCode()) {
      List<String> others = LibraryFormats.all().stream().filter(LibraryFormats.Declared::hasCode).map(LibraryFormats.Declared::name).sorted().toList();
      throw CompileException.of("the format " + target.encoding() + " has no `code`, for scales that are given: only the method nearest is for it; those which have are "
          + String.join(", ", others));
    }
  }

  /// What is multiplied with the weights, where that can be had.
  private static Map<Product, Activation> activations(List<Target> targets) {
    Map<Product, Activation> activations = new LinkedHashMap<>();
    targets.forEach(target -> target.products().stream().filter(Product::hasActivation).filter(product -> product.position() == target.order().getLast())
        .forEach(product -> activations.put(product, Activation.of(product))));
    return activations;
  }

  private Statistics statistics(List<Target> targets, Map<Product, Activation> activations) {
    policy.needsCalibration().filter(_ -> calibration.isEmpty()).ifPresent(what -> {
      throw CompileException.of(what + " needs calibration data: give some by --calibrate");
    });
    boolean needsSums = policy.method() != Policy.Method.NEAREST || policy.rank() > 0 || policy.scaled() || policy.budget().isPresent()
        || policy.activations().isEmpty() && policy.steps().stream().anyMatch(Step.Outliers.class::isInstance);
    Statistics.Wanted wanted = new Statistics.Wanted(needsSums, policy.steps().stream().anyMatch(step -> step.needsCalibration(policy.activations().isPresent())));
    List<Activation> seen = targets.stream().flatMap(target -> target.calibrated().stream()).map(activations::get).toList();
    return calibration.isEmpty() || !wanted.sums() && !wanted.extremes() || seen.isEmpty() ? Statistics.none()
        : Statistics.of(cascade, seen, wanted, calibration, weights, options, progress);
  }

  private static Optional<double[]> sums(Target target, Statistics statistics, Map<Product, Activation> activations) {
    return target.calibrated().map(activations::get).map(Activation::tensor).flatMap(statistics::sums);
  }

  private Matrix matrix(Target target) {
    return Matrix.of(weights.require(target.weight().key()), target.order());
  }

  /// With the sizes of its format that depend on its elements.
  private Target measured(Target target, Mapped weight) {
    try (EncodingProgram program = new EncodingProgram(target.encoding(), target.rows(), target.length(), options)) {
      return target.withEncoding(program.measured(weight.rows().elements()));
    }
  }

  private List<QuantizationReport.Row> quantized(List<Target> targets, Statistics statistics, Map<Product, Activation> activations, Preparation preparation,
      FinishedWeights finished, List<StoredTensor> tensors) {
    List<QuantizationReport.Row> rows = new ArrayList<>();
    Map<List<Object>, EncodingProgram> programs = new LinkedHashMap<>();
    try {
      for (Target target : targets) {
        EncodingProgram encoding = programs.computeIfAbsent(List.of(target.encoding(), target.rows(), target.length()),
            _ -> new EncodingProgram(target.encoding(), target.rows(), target.length(), options));
        Optional<double[]> sums = sums(target, statistics, activations);
        StoredTensor stored = weights.require(target.weight().key());
        List<ChannelMap> maps = preparation.maps(target, activations);
        List<StoredTensor> kept = finished.of(digest(target, stored, sums, maps), () ->
            QuantizedWeight.of(target, matrix(target), encoding, sums, policy, maps).kept(stored.key()));
        QuantizedWeight made = QuantizedWeight.of(stored.key(), kept);
        tensors.addAll(made.tensors());
        List<Long> shape = target.shape().stream().map(size -> (long) size.value()).toList();
        String format = target.encoding().type(target.length());
        rows.add(new QuantizationReport.Row(stored.key(), format, shape, stored.data().byteSize(), made.bytes(), made.error()));
        progress.finished(rows.size(), targets.size(), rows.getLast());
      }
    } finally {
      programs.values().forEach(EncodingProgram::close);
    }
    return rows;
  }

  /// Adds the weights that stay as they are, and gives their bytes.
  private long keep(List<Target> targets, List<StoredTensor> tensors) {
    List<String> changed = targets.stream().map(target -> target.weight().key()).toList();
    long bytes = 0;
    for (Cascade.Weight weight : cascade.weights()) {
      if (!changed.contains(weight.key())) {
        StoredTensor stored = weights.require(weight.key());
        tensors.add(new StoredTensor(weight.key(), stored.type(), stored.shape(), stored.data()));
        bytes += stored.data().byteSize();
      }
    }
    return bytes;
  }

  /// Of all that the bits of weights depend on.
  private String digests(List<Target> targets, Statistics statistics, Map<Product, Activation> activations, Preparation preparation) {
    StringBuilder all = new StringBuilder("bits\n").append(CascadePrinter.print(cascade));
    targets.forEach(target -> all.append(digest(target, weights.require(target.weight().key()), sums(target, statistics, activations),
        preparation.maps(target, activations))));
    try {
      return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(all.toString().getBytes(StandardCharsets.UTF_8)));
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException(e);
    }
  }

  /// Of all that a weight's stored form depends on.
  private String digest(Target target, StoredTensor stored, Optional<double[]> sums, List<ChannelMap> maps) {
    try {
      MessageDigest digest = MessageDigest.getInstance("SHA-256");
      String how = stored.key() + "\n" + stored.type() + stored.shape() + target.order() + target.lowRank() + target.scaled() + target.encoding() + "\n" + policy + "\n"
          + LibraryFormats.text(target.encoding().format());
      digest.update(how.getBytes(StandardCharsets.UTF_8));
      digest.update(stored.data().asByteBuffer());
      maps.forEach(map -> map.stored(stored.key()).forEach(tensor -> digest.update(tensor.data().toArray(ValueLayout.JAVA_BYTE))));
      sums.ifPresent(matrix -> {
        ByteBuffer bytes = ByteBuffer.allocate(matrix.length * Double.BYTES);
        bytes.asDoubleBuffer().put(matrix);
        digest.update(bytes);
      });
      return HexFormat.of().formatHex(digest.digest());
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException(e);
    }
  }
}
