package dev.einfall.command;

import dev.einfall.frontend.EinReader;
import dev.einfall.frontend.Imports;
import dev.einfall.runtime.Einfall;
import dev.einfall.runtime.Options;
import dev.einfall.runtime.Program;
import dev.einfall.runtime.Tensor;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;

/// A compiled program and its inputs, and how long it took to get there.
///
/// @param compileNanos the time from the program's text to code for the shapes of these inputs, without downloads
/// @param firstNanos the time from the program's text to the first result
record Session(Program program, Map<String, Tensor> inputs, Map<String, Tensor> outputs, long compileNanos, long firstNanos)
    implements AutoCloseable {

  /// Compiles, and runs once.
  static Session start(ProgramOptions programOptions, InputOptions inputOptions, PrintWriter err) {
    Places places = Places.of(err);
    Options options = programOptions.options(places, err);
    long before = places.fetching().sum();
    long start = System.nanoTime();
    Program program = Einfall.compile(programOptions.file, options);
    long compiled = System.nanoTime() - start - (places.fetching().sum() - before);
    try {
      Map<String, Tensor> inputs =
          inputOptions.inputs(program, () -> tokenizer(programOptions.file, programOptions.function, places));
      long resumed = System.nanoTime();
      program.prepareFor(inputs);
      long prepared = System.nanoTime() - resumed;
      Map<String, Tensor> outputs = program.run(inputs);
      return new Session(program, inputs, outputs, compiled + prepared, compiled + System.nanoTime() - resumed);
    } catch (IllegalArgumentException e) {
      program.close();
      throw new UserError(e.getMessage());
    } catch (RuntimeException e) {
      program.close();
      throw e;
    }
  }

  /// The tokenizer that the program names.
  static Tokenizer tokenizer(Path file, Optional<String> function, Places places) {
    String place = EinReader.read(Einfall.source(file), function, Imports.files()).tokenizer()
        .orElseThrow(() -> new UserError("--text needs a program that names its tokenizer: " + file + " does not"));
    return Tokenizer.open(places.file(place, Optional.ofNullable(file.getParent()).orElse(Path.of(""))));
  }

  @Override
  public void close() {
    outputs.values().forEach(Tensor::close);
    inputs.values().forEach(Tensor::close);
    program.close();
  }
}
