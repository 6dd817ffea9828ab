package dev.einfall.command;

import dev.einfall.runtime.ComputeReport;
import dev.einfall.runtime.Einfall;
import dev.einfall.runtime.ErrorReport;
import dev.einfall.runtime.Options;
import dev.einfall.runtime.Program;
import dev.einfall.runtime.Tensor;
import java.nio.file.Path;
import java.util.Map;
import java.util.function.Function;

/// What `einfall explain` prints of errors: what each choice of the compiler costs in accuracy, for the inputs given or for random ones.
final class Errors {
  private Errors() {}

  static ErrorReport report(Path file, Options options, InputOptions inputOptions, Places places) {
    return with(inputs -> ErrorReport.of(choice -> Einfall.compile(file, choice), options, inputs), file, options, inputOptions, places);
  }

  /// What rounding the factors of products changes.
  static ComputeReport ofRounding(Path file, Options options, InputOptions inputOptions, Places places) {
    return with(inputs -> ComputeReport.of(choice -> Einfall.compile(file, choice), options, inputs), file, options, inputOptions, places);
  }

  private static <R> R with(Function<Map<String, Tensor>, R> report, Path file, Options options, InputOptions inputOptions, Places places) {
    Map<String, Tensor> inputs = inputs(file, options, inputOptions, places);
    try {
      return report.apply(inputs);
    } catch (IllegalArgumentException e) {
      throw new UserError(e.getMessage());
    } finally {
      inputs.values().forEach(Tensor::close);
    }
  }

  private static Map<String, Tensor> inputs(Path file, Options options, InputOptions inputOptions, Places places) {
    try (Program program = Einfall.compile(file, options.withBackend(Options.Backend.REFERENCE))) {
      return inputOptions.inputsOrRandom(program.inputs(), () -> Session.tokenizer(file, options.function(), places));
    }
  }
}
