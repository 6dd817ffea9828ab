package dev.einfall.runtime.nativecode;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;

/// One run of a compiler on a text, in a directory of its own, which is gone afterwards.
///
/// @param source the name of the file with the text
/// @param result the name of the file that the compiler makes
public record CompilerRun(String source, String result) {
  private static final int MOST_SECONDS = 600;

  /// The words of a command that makes `result` of `source`.
  public interface Command {
    List<String> of(Path source, Path result);
  }

  /// The error of a command that failed, or ran for too long, having said something.
  public interface Refusal {
    RuntimeException of(String command, String said);
  }

  /// What the compiler makes of `text`.
  ///
  /// @throws IOException if the compiler cannot be run, or files cannot be written
  public byte[] run(String text, Command command, Refusal refusal) throws IOException {
    Path directory = Files.createTempDirectory("einfall");
    try {
      Path made = directory.resolve(result);
      execute(directory, command.of(Files.writeString(directory.resolve(source), text), made), refusal);
      return Files.readAllBytes(made);
    } finally {
      delete(directory);
    }
  }

  /// What it says goes to a file: who reads it from a pipe waits for a compiler that never ends.
  private static void execute(Path directory, List<String> command, Refusal refusal) throws IOException {
    Path said = directory.resolve("said");
    Process process = new ProcessBuilder(command).redirectErrorStream(true).redirectOutput(said.toFile()).start();
    try {
      if (!process.waitFor(MOST_SECONDS, TimeUnit.SECONDS) || process.exitValue() != 0) {
        throw refusal.of(String.join(" ", command), new String(Files.readAllBytes(said), StandardCharsets.UTF_8));
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException("interrupted while " + command.getFirst() + " ran", e);
    } finally {
      process.destroyForcibly();
    }
  }

  private static void delete(Path directory) {
    try (var files = Files.list(directory)) {
      for (Path file : files.toList()) {
        Files.deleteIfExists(file);
      }
      Files.deleteIfExists(directory);
    } catch (IOException _) {
      // The system clears its temporary files.
    }
  }
}
