package dev.einfall.command;

import dev.einfall.runtime.Port;
import dev.einfall.runtime.Tensor;
import dev.einfall.runtime.quantize.Calibration;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Supplier;
import picocli.CommandLine.Option;

/// The options that say what a program is run with to see what it computes.
final class CalibrationOptions {
  private static final int BATCH = 16;
  private static final String MASK = "attention_mask";

  @Option(names = "--calibrate", paramLabel = "FILE", description = "Texts that the program is meant for, one a line; its tokenizer makes inputs of them.")
  Optional<Path> file = Optional.empty();

  @Option(names = "--samples", paramLabel = "N", description = "How many texts are taken, from the start; ${DEFAULT-VALUE} if not given.")
  int samples = 128;

  /// The data, of texts or of the inputs given one by one.
  Calibration calibration(List<Port> ports, InputOptions given, Supplier<Tokenizer> tokenizer) {
    if (file.isPresent()) {
      return texts(lines(file.get()), ports, tokenizer);
    }
    Map<String, Tensor> inputs = given.inputs(ports, tokenizer);
    return inputs.isEmpty() ? Calibration.none()
        : new Calibration("inputs given", List.of(inputs), given.texts.isEmpty() ? Optional.empty() : Optional.of(MASK));
  }

  private List<String> lines(Path path) {
    try {
      List<String> lines = Files.readAllLines(path).stream().map(String::strip).filter(line -> !line.isEmpty()).limit(samples).toList();
      if (lines.isEmpty()) {
        throw new UserError("--calibrate " + path + ": there is no text in it");
      }
      return lines;
    } catch (IOException e) {
      throw new UserError("--calibrate " + path + ": cannot read it: " + e.getMessage());
    }
  }

  /// All texts are as long as the longest, so that one program is compiled for all batches but the last.
  private Calibration texts(List<String> lines, List<Port> ports, Supplier<Tokenizer> tokenizer) {
    Map<String, Tensor> all = tokenizer.get().inputs(lines, ports);
    List<Map<String, Tensor>> batches = new ArrayList<>();
    for (int start = 0; start < lines.size(); start += BATCH) {
      Map<String, Tensor> batch = new LinkedHashMap<>();
      int first = start;
      all.forEach((name, tensor) -> batch.put(name, rows(tensor, first, Math.min(lines.size(), first + BATCH))));
      batches.add(batch);
    }
    all.values().forEach(Tensor::close);
    return new Calibration(lines.size() + " texts of " + file.orElseThrow().getFileName(), batches, Optional.of(MASK));
  }

  private static Tensor rows(Tensor tensor, int from, int to) {
    long bytes = tensor.data().byteSize() / tensor.shape().getFirst();
    MemorySegment data = tensor.data().asSlice(from * bytes, (to - from) * bytes);
    return Tensor.copyOf(tensor.type(), data, to - from, tensor.shape().get(1));
  }
}
