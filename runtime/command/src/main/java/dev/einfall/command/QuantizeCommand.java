package dev.einfall.command;

import dev.einfall.command.explain.QuantizationText;
import dev.einfall.frontend.EinReader;
import dev.einfall.frontend.Imports;
import dev.einfall.runtime.Einfall;
import dev.einfall.runtime.Options;
import dev.einfall.runtime.Port;
import dev.einfall.runtime.quantize.Calibration;
import dev.einfall.runtime.quantize.Encoding;
import dev.einfall.runtime.quantize.Policy;
import dev.einfall.runtime.quantize.QuantizationProgress;
import dev.einfall.runtime.quantize.QuantizationReport;
import dev.einfall.runtime.quantize.Quantizer;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/// `einfall quantize`: writes a program with its weights in formats of few bits.
@Command(name = "quantize", mixinStandardHelpOptions = true,
    description = "Writes a program whose weights are stored in formats of few bits, and a file with these weights. What is finished is not made again, also"
        + " after an interruption.")
final class QuantizeCommand implements Callable<Integer> {
  private static final String NONE = "none";

  @Spec
  private CommandSpec spec;

  @Mixin
  private ProgramOptions programOptions;

  @Mixin
  private InputOptions inputOptions;

  @Mixin
  private CalibrationOptions calibrationOptions;

  @Option(names = "--policy", required = true, paramLabel = "NAME",
      description = "What is stored how: w8, w8a8, w4, w4-clip, w4-awq, w4-gptq, integer, ... or a format, such as nf4(group = 64); with commas, steps before that: smooth,"
          + " outliers=N, order, hadamard; and static, awq, low-rank=R, svd=R, budget=13%, cache=FORMAT, rematerialise, or a method. For example smooth,w8a8.")
  private String policy;

  @Option(names = {"-o", "--out"}, required = true, paramLabel = "DIR", description = "Where the program and its weights are written.")
  private Path directory;

  @Option(names = "--method", paramLabel = "NAME", description = "How elements are rounded: ${COMPLETION-CANDIDATES}.")
  private Optional<Policy.Method> method = Optional.empty();

  @Option(names = "--activations", paramLabel = "FORMAT",
      description = "What is multiplied with weights is rounded to this format, such as int8(group = channel); or none.")
  private Optional<String> activations = Optional.empty();

  @Option(names = "--tables", paramLabel = "FORMAT", description = "How weights are stored of which rows are looked up; or none.")
  private Optional<String> tables = Optional.empty();

  @Option(names = "--scaled", description = "Scale weights along the rank that is summed, and what is multiplied with them the other way round.")
  private boolean scaled;

  @Option(names = "--low-rank", paramLabel = "R", description = "Add a product of two matrices of this rank to each weight, for what its format cannot say.")
  private Optional<Integer> lowRank = Optional.empty();

  @Option(names = "--keep", paramLabel = "KEY", description = "A weight or cache that stays as it is; * stands for any characters.")
  private List<String> kept = new ArrayList<>();

  @Override
  public Integer call() throws IOException {
    PrintWriter err = spec.commandLine().getErr();
    Places places = Places.of(err);
    Options options = programOptions.options(places, err);
    Policy chosen = policy();
    try (Calibration calibration = calibrationOptions.calibration(ports(), inputOptions,
        () -> Session.tokenizer(programOptions.file, programOptions.function, places))) {
      QuantizationReport report = Quantizer.quantize(programOptions.file, chosen, calibration, directory, options, new Lines(err));
      spec.commandLine().getOut().print(QuantizationText.of(report));
      spec.commandLine().getOut().flush();
    } catch (UncheckedIOException | IllegalArgumentException e) {
      throw new UserError(e.getMessage());
    }
    return 0;
  }

  /// A line for all that is finished.
  private record Lines(PrintWriter err) implements QuantizationProgress {

    @Override
    public void finished(int done, int all, QuantizationReport.Row weight) {
      err.printf(Locale.ROOT, "%d of %d  %s: %s, error %.4f%n", done, all, weight.key(), weight.format(), weight.error());
      err.flush();
    }

    @Override
    public void ran(String what, int done, int all) {
      err.printf(Locale.ROOT, "%d of %d  %s%n", done, all, what);
      err.flush();
    }
  }

  private List<Port> ports() {
    return EinReader.read(Einfall.source(programOptions.file), programOptions.function, Imports.files()).inputs().stream()
        .map(tensor -> new Port(tensor.name(), tensor.type(), tensor.shape())).toList();
  }

  private Policy policy() {
    Policy named = Policy.parse(policy);
    Policy rounded = method.map(named::withMethod).orElse(named);
    Policy active = activations.map(text -> rounded.withActivations(encoding(text))).orElse(rounded);
    Policy tabled = tables.map(text -> active.withTables(encoding(text))).orElse(active);
    if (lowRank.isPresent() && lowRank.get() < 0) {
      throw new UserError("--low-rank is " + lowRank.get() + ": expected 0 or more");
    }
    Policy wide = scaled ? tabled.withScaled(true) : tabled;
    return lowRank.map(wide::withRank).orElse(wide).withKept(kept);
  }

  private static Optional<Encoding> encoding(String text) {
    return text.equals(NONE) ? Optional.empty() : Optional.of(Encoding.parse(text));
  }
}
