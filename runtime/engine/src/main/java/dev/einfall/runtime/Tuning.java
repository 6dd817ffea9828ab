package dev.einfall.runtime;

import dev.einfall.runtime.tuning.RecordFile;
import dev.einfall.runtime.tuning.Tuner;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;

/// Measures what a program may be made of, for one set of inputs after another, and records what is best:
///
/// ```java
/// Options options = Options.defaults().withTuning(Optional.of(directory));
/// try (Tuning tuning = Tuning.of(file, options)) {
///   tuning.tune(inputs, Duration.ofSeconds(60), progress);
/// }
/// Program program = Einfall.compile(file, options);
/// ```
public final class Tuning implements AutoCloseable {
  private final Program program;
  private final PlanCompiler compiler;
  private final Path directory;

  Tuning(Program program, PlanCompiler compiler, Path directory) {
    this.program = program;
    this.compiler = compiler;
    this.directory = directory;
  }

  /// For the program in `file`.
  ///
  /// @param options with the directory for the records
  /// @throws dev.einfall.ir.CompileException when the file cannot be read, the program is wrong, or its weights are
  /// @throws IllegalArgumentException when the options name no directory, or a backend that makes no choices
  public static Tuning of(Path file, Options options) {
    return Einfall.tuning(file, options);
  }

  /// What the inputs are for.
  public List<Port> inputs() {
    return program.inputs();
  }

  /// Where what is measured with `inputs` is recorded.
  public Path record(Map<String, Tensor> inputs) {
    return compiler.record(directory, program.sizes(inputs)).file();
  }

  /// Measures for about `budget`. What was measured before, with inputs of these shapes, is not measured again.
  ///
  /// @throws IllegalArgumentException when the inputs are not those of the program
  /// @throws java.io.UncheckedIOException when the record cannot be written
  public Tuner.Report tune(Map<String, Tensor> inputs, Duration budget, Tuner.Progress progress) {
    SortedMap<String, Long> sizes = program.sizes(inputs);
    RecordFile record = compiler.record(directory, sizes);
    compiler.told(record);
    return program.with(inputs, ordered ->
        new Tuner(new ProgramWorkbench(compiler, sizes, ordered), record, System::nanoTime, progress).tune(budget.toNanos()));
  }

  @Override
  public void close() {
    program.close();
  }
}
