package dev.einfall.tests;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;

/// Runs commands of this machine.
public final class Commands {
  private Commands() {}

  private record Result(int code, String text) {}

  /// Whether there is a command of this name.
  public static boolean exists(String command) {
    try {
      return result(Path.of("."), List.of(command, "--version")).code == 0;
    } catch (UncheckedIOException _) {
      return false;
    }
  }

  /// What a command prints, which must end well.
  public static String run(Path directory, List<String> command) {
    Result result = result(directory, command);
    assertEquals(0, result.code, () -> String.join(" ", command) + "\n" + result.text);
    return result.text;
  }

  /// What a command prints, which must end with an error.
  public static String failing(Path directory, List<String> command) {
    Result result = result(directory, command);
    assertNotEquals(0, result.code, () -> String.join(" ", command) + "\n" + result.text);
    return result.text;
  }

  private static Result result(Path directory, List<String> command) {
    try {
      Process process = new ProcessBuilder(command).directory(directory.toFile()).redirectErrorStream(true).start();
      process.getOutputStream().close();
      String text = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
      return new Result(process.waitFor(), text);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException(e);
    }
  }
}
