package dev.einfall.tests.runtime;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.einfall.frontend.Formatter;
import dev.einfall.ir.Source;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/// What `einfall quantize` makes of the text of a program, in a directory that has its weights.
record QuantizedProgram(Path directory) {

  CommandLineRun run(String program, String policy, String... more) throws IOException {
    List<String> arguments = new ArrayList<>(List.of("quantize", Files.writeString(directory.resolve("step.ein"), program).toString(), "--policy", policy, "-o",
        directory.resolve("out").toString()));
    arguments.addAll(List.of(more));
    return CommandLineRun.of(arguments.toArray(String[]::new));
  }

  /// The program that is written, which is laid out as the formatter does.
  Path written(String program, String policy, String... more) throws IOException {
    CommandLineRun run = run(program, policy, more);
    assertEquals(0, run.exitCode(), run.err());
    Path file = directory.resolve("out").resolve("step.ein");
    String text = Files.readString(file);
    assertEquals(text, Formatter.format(new Source("written", text)));
    return file;
  }
}
