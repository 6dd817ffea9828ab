package dev.einfall.runtime.quantize;

import dev.einfall.frontend.EinProgram;
import dev.einfall.frontend.weights.SafetensorsWriter;
import dev.einfall.frontend.weights.WeightsFile;
import dev.einfall.ir.BinaryOp;
import dev.einfall.ir.CompileException;
import dev.einfall.ir.cascade.Cascade;
import dev.einfall.ir.cascade.Definition;
import dev.einfall.ir.cascade.Expr;
import dev.einfall.ir.cascade.Reduction;
import dev.einfall.ir.cascade.Tensor;
import dev.einfall.runtime.Options;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;

/// Makes programs of whole numbers: finds the units of bytes on the calibration data, and has [IntegerRewriting] do the rest.
record IntegerQuantizer(Cascade cascade, WeightsFile weights, Calibration calibration, Options options, QuantizationProgress progress) {

  /// @param weights those of the new program
  private record Made(IntegerRewriting.Result result, IntegerWeights weights) {

    /// What callers have to know of its inputs and outputs.
    List<String> notes() {
      return result.units().entrySet().stream().map(unit -> "'" + unit.getKey() + "' is in whole numbers, in units of " + unit.getValue().floatValue()).toList();
    }
  }

  /// Writes the program in `file` so, and the weights that it reads.
  ///
  /// @throws CompileException when a part of the program has no counterpart in whole numbers, or there is no calibration data
  QuantizationReport write(Path file, EinProgram program, Policy policy, Path output) throws IOException {
    Made made = quantized();
    Files.createDirectories(output.toAbsolutePath().getParent());
    SafetensorsWriter.write(output.resolveSibling(Quantizer.WEIGHTS), made.weights().stored());
    List<QuantizationReport.Row> rows = made.weights().rows();
    new ProgramText(file, program, policy, calibration, rows, List.of(), List.of(), List.of(), made.notes()).write(made.result().program(), Optional.of(Quantizer.WEIGHTS), output);
    long all = made.weights().stored().stream().mapToLong(tensor -> tensor.data().byteSize()).sum();
    return new QuantizationReport(output, policy, rows, 0, all - rows.stream().mapToLong(QuantizationReport.Row::bytesAfter).sum(), List.of(), Optional.empty());
  }

  private Made quantized() {
    if (calibration.isEmpty()) {
      throw CompileException.of("to find the units of whole numbers needs calibration data: give some by --calibrate");
    }
    List<Activation> read = read().stream().map(tensor -> new Activation(tensor, Optional.empty(), List.of())).toList();
    Statistics seen = Statistics.of(cascade, read, new Statistics.Wanted(false, true), calibration, weights, options, progress);
    Map<Tensor, Double> peaks = new LinkedHashMap<>();
    for (Activation activation : read) {
      seen.peaks(activation.tensor()).ifPresent(columns -> {
        double most = 0;
        for (float column : columns) {
          most = Math.max(most, column);
        }
        peaks.put(activation.tensor(), most);
      });
    }
    IntegerRewriting rewriting = new IntegerRewriting(cascade, peaks, weights);
    return new Made(rewriting.apply(), rewriting.weights());
  }

  /// The tensors of floats that products read, or callers give, and that have numbers in a row.
  private Set<Tensor> read() {
    Set<Tensor> own = cascade.weights().stream().map(Cascade.Weight::tensor).collect(Collectors.toSet());
    Set<Tensor> read = new LinkedHashSet<>(cascade.inputs().stream().filter(input -> input.type().isFloat()).toList());
    cascade.definitions().stream().flatMap(Definition::exprs).flatMap(Expr::nodes).forEach(node -> {
      if (node instanceof Expr.Reduce(Reduction reduction, _, Expr.Binary(BinaryOp op, Expr left, Expr right)) && reduction == Reduction.SUM && op == BinaryOp.MUL) {
        for (Expr factor : List.of(left, right)) {
          if (factor instanceof Expr.Access access && !own.contains(access.tensor()) && access.tensor().type().isFloat()) {
            read.add(access.tensor());
          }
        }
      }
    });
    read.removeIf(tensor -> tensor.shape().isEmpty() || tensor.shape().getLast().constant().isEmpty());
    return read;
  }
}
