package dev.einfall.tests.cuda;

import java.io.File;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;

/// Compilers of this machine.
final class Compiler {
  private Compiler() {}

  /// Whether this machine has `name`; says on the standard output that tests are skipped if not.
  static boolean isThere(String name) {
    boolean isThere = Arrays.stream(System.getenv().getOrDefault("PATH", "").split(File.pathSeparator))
        .anyMatch(folder -> Files.isExecutable(Path.of(folder, name)));
    if (!isThere) {
      System.out.println("Skipping tests of CUDA C++: there is no " + name + " on this machine.");
    }
    return isThere;
  }

  /// What the compiler says.
  ///
  /// @throws IllegalStateException with that, when it fails
  static String run(List<String> command) throws IOException {
    Path said = Files.createTempFile("compiler", ".txt");
    try {
      int exit = new ProcessBuilder(command).redirectErrorStream(true).redirectOutput(said.toFile()).start().waitFor();
      String text = Files.readString(said, StandardCharsets.ISO_8859_1);
      if (exit != 0) {
        throw new IllegalStateException(String.join(" ", command) + "\n" + text.substring(0, Math.min(6000, text.length())));
      }
      return text;
    } catch (InterruptedException e) {
      throw new IllegalStateException("interrupted", e);
    } finally {
      Files.delete(said);
    }
  }
}
