package dev.einfall.runtime;

import dev.einfall.backends.reference.Array;
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

  /// The ways to compile a program that differ in their results: under each contract; and under `reassociate`, without one of the
  /// passes that need it.
  public static Map<String, Options> choices(Options options) {
    Map<String, Options> choices = new LinkedHashMap<>();
    for (Numerics numerics : Numerics.values()) {
      choices.put(numerics.name().toLowerCase(Locale.ROOT), options.withNumerics(numerics));
    }
    Options usual = options.withNumerics(Numerics.REASSOCIATE);
    List<String> exact = passes(options.withNumerics(Numerics.STRICT));
    for (String pass : passes(usual)) {
      if (!exact.contains(pass)) {
        Set<String> without = new TreeSet<>(usual.without());
        without.add(pass);
        choices.put("without " + pass, usual.without(without));
      }
    }
    return choices;
  }

  private static List<String> passes(Options options) {
    Pipeline pipeline = new Pipeline(Einfall.pipelineOptions(options), _ -> {}, _ -> {});
    List<Pass> passes = new ArrayList<>(pipeline.cascadePasses(new TreeMap<>()));
    passes.addAll(pipeline.kernelPasses(Schedule.NONE));
    return passes.stream().map(Pass::name).distinct().toList();
  }

  /// Compiles and runs a program with all `choices`.
  ///
  /// @param compile the program, compiled with some options
  /// @param choices options by the name that the report shows
  /// @throws IllegalArgumentException when the inputs do not fit the program
  /// @throws dev.einfall.ir.CompileException when the program is wrong
  public static ErrorReport of(Function<Options, Program> compile, Map<String, Options> choices, Map<String, Tensor> inputs) {
    Options any = choices.values().iterator().next();
    try (Program reference = compile.apply(any.withBackend(Options.Backend.REFERENCE))) {
      Map<String, Array> exact = reference.exact(inputs);
      Map<String, List<OutputError>> errors = new LinkedHashMap<>();
      choices.forEach((name, options) -> {
        try (Program program = compile.apply(options.withBackend(Options.Backend.JVM).withWarmUp(false))) {
          errors.put(name, errors(exact, program.run(inputs)));
        }
      });
      return new ErrorReport(reference.outputs(), errors);
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
