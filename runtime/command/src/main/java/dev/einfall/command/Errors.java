package dev.einfall.command;

import dev.einfall.runtime.Einfall;
import dev.einfall.runtime.ErrorReport;
import dev.einfall.runtime.Options;
import dev.einfall.runtime.Program;
import dev.einfall.runtime.Tensor;
import java.io.PrintWriter;
import java.util.Map;

/// What `einfall explain --error` adds: what each choice of the compiler costs in accuracy, for the inputs given or for random ones.
final class Errors {
  private Errors() {}

  static ErrorReport report(ProgramOptions programOptions, InputOptions inputOptions, PrintWriter err) {
    Places places = Places.of(err);
    Options options = programOptions.options(places, err);
    Map<String, Tensor> inputs = inputs(programOptions, inputOptions, options, places);
    try {
      return ErrorReport.of(choice -> Einfall.compile(programOptions.file, choice), ErrorReport.choices(options), inputs);
    } catch (IllegalArgumentException e) {
      throw new UserError(e.getMessage());
    } finally {
      inputs.values().forEach(Tensor::close);
    }
  }

  private static Map<String, Tensor> inputs(
      ProgramOptions programOptions, InputOptions inputOptions, Options options, Places places) {
    try (Program program = Einfall.compile(programOptions.file, options.withBackend(Options.Backend.REFERENCE))) {
      return inputOptions.inputsOrRandom(program,
          () -> Session.tokenizer(programOptions.file, programOptions.function, places));
    }
  }
}
