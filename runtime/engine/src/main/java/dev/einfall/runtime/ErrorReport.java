package dev.einfall.runtime;

import dev.einfall.backends.reference.Array;
import dev.einfall.passes.Decision;
import dev.einfall.passes.Numerics;
import dev.einfall.passes.Pass;
import dev.einfall.passes.Pipeline;
import dev.einfall.passes.lower.Schedule;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.function.Function;

/// What the choices of the compiler cost in accuracy: how far the outputs of a program, compiled in several ways, are from those of
/// the reference interpreter in double precision, for some inputs.
///
/// @param outputs what is compared
/// @param errors for each way, by its name, the error of each output
public record ErrorReport(List<Port> outputs, Map<String, List<OutputError>> errors) {
  private static final String HEAD = "max absolute   max scaled   ULP: median        99 %         max";

  /// Compiles and runs a program in all ways that differ in their results: under each contract; and, under `reassociate`, without one
  /// of the passes that need it, or with another alternative than one of them chose.
  ///
  /// @param compile the program, compiled with some options
  /// @param options what is the same for all
  /// @throws IllegalArgumentException when the inputs do not fit the program
  /// @throws dev.einfall.ir.CompileException when the program is wrong
  public static ErrorReport of(Function<Options, Program> compile, Options options, Map<String, Tensor> inputs) {
    try (Program reference = compile.apply(options.withBackend(Options.Backend.REFERENCE))) {
      Runs runs = new Runs(compile, inputs, reference.exact(inputs), new LinkedHashMap<>());
      for (Numerics numerics : Numerics.values()) {
        runs.add(numerics.name().toLowerCase(Locale.ROOT), options.withNumerics(numerics));
      }
      Options usual = options.withNumerics(Numerics.REASSOCIATE);
      List<String> passes = inexactPasses(options);
      for (String pass : passes) {
        Set<String> without = new TreeSet<>(usual.without());
        without.add(pass);
        runs.add("without " + pass, usual.without(without));
      }
      for (Decision decision : runs.decisions(usual)) {
        if (passes.contains(decision.subject().split(" ")[0])) {
          decision.alternatives().stream().map(Decision.Alternative::name).filter(name -> !name.equals(decision.chosen()))
              .forEach(name -> runs.add(decision.subject() + ": " + name, forced(usual, decision.subject(), name)));
        }
      }
      return new ErrorReport(reference.outputs(), runs.errors);
    }
  }

  private static Options forced(Options options, String subject, String alternative) {
    Map<String, String> forced = new LinkedHashMap<>(options.decisions().forced());
    forced.put(subject, alternative);
    return options.withDecisions(options.decisions().withForced(forced));
  }

  /// The passes that run under `reassociate` and not under `strict`.
  private static List<String> inexactPasses(Options options) {
    List<String> exact = passes(options.withNumerics(Numerics.STRICT));
    return passes(options.withNumerics(Numerics.REASSOCIATE)).stream().filter(pass -> !exact.contains(pass)).toList();
  }

  private static List<String> passes(Options options) {
    Pipeline pipeline = new Pipeline(Einfall.pipelineOptions(options), _ -> {}, _ -> {});
    List<Pass> passes = new ArrayList<>(pipeline.cascadePasses(new TreeMap<>()));
    passes.addAll(pipeline.kernelPasses(Schedule.NONE));
    return passes.stream().map(Pass::name).distinct().toList();
  }

  /// The program, and what came of running it.
  private record Runs(Function<Options, Program> compile, Map<String, Tensor> inputs, Map<String, Array> exact,
      Map<String, List<OutputError>> errors) {

    void add(String name, Options options) {
      try (Program program = compile.apply(compiled(options))) {
        errors.put(name, ErrorReport.errors(exact, program.run(inputs)));
      }
    }

    /// What there is to choose from, the first time for each subject.
    List<Decision> decisions(Options options) {
      Map<String, Decision> decisions = new LinkedHashMap<>();
      Options listening = options.withDecisions(
          options.decisions().withListener(decision -> decisions.putIfAbsent(decision.subject(), decision)));
      try (Program program = compile.apply(compiled(listening))) {
        program.prepareFor(inputs);
      }
      return List.copyOf(decisions.values());
    }

    private static Options compiled(Options options) {
      return options.withBackend(Options.Backend.JVM).withWarmUp(false);
    }
  }

  private static List<OutputError> errors(Map<String, Array> exact, Map<String, Tensor> actual) {
    try {
      return exact.entrySet().stream().map(output -> {
        Array expected = output.getValue();
        return OutputError.of(expected, Array.read(expected.type(), actual.get(output.getKey()).data(), expected.shape()));
      }).toList();
    } finally {
      actual.values().forEach(Tensor::close);
    }
  }

  /// A table for each output, with a line for each choice. Choices that give the errors of one before them only say so.
  public String text() {
    StringBuilder text = new StringBuilder("error against double precision\n");
    int width = errors.keySet().stream().mapToInt(String::length).max().orElse(0);
    for (int i = 0; i < outputs.size(); i++) {
      int output = i;
      text.append(outputs.get(i)).append('\n');
      boolean isFloat = outputs.get(i).type().isFloat();
      if (isFloat) {
        text.append(" ".repeat(width + 4)).append(HEAD).append('\n');
      }
      errors.forEach((choice, list) -> text.append("  ").append(choice).append(" ".repeat(width - choice.length() + 2))
          .append(line(choice, list.get(output), isFloat)).append('\n'));
    }
    return text.toString();
  }

  private String line(String choice, OutputError error, boolean isFloat) {
    String first = errors.keySet().stream().filter(other -> errors.get(other).equals(errors.get(choice))).findFirst().orElse(choice);
    return !first.equals(choice) ? "as " + first : isFloat ? numbers(error) : different(error);
  }

  private static String numbers(OutputError error) {
    String line = String.format(Locale.ROOT, "%12.2g %12.2g %13.2f %11.2f %11.2f",
        error.maxAbsolute(), error.maxScaled(), error.medianUlps(), error.highUlps(), error.maxUlps());
    return error.wrong() == 0 ? line : line + "   " + different(error) + " in NaN or infinity";
  }

  private static String different(OutputError error) {
    return error.wrong() + " of " + error.elements() + " differ";
  }
}
