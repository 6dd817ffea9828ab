package dev.einfall.tests.runtime;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.einfall.command.EinfallCommand;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;

/// A JVM that was started without the Vector API runs programs all the same, and says what it needs.
class WithoutFlagsTest {

  @Test
  void runsWithoutVectorsAndNamesTheFlag() throws IOException, InterruptedException {
    String[] run = {"run", "../grammar/examples/softmax.ein", "--in", "X=rand:3x40"};
    Process process = new ProcessBuilder(
        Path.of(System.getProperty("java.home"), "bin", "java").toString(), "-cp", System.getProperty("java.class.path"),
        EinfallCommand.class.getName(), run[0], run[1], run[2], run[3]).redirectErrorStream(true).start();
    String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertEquals(0, process.waitFor(), output);
    assertTrue(output.contains("warning: compiling without vectors"), output);
    assertTrue(output.contains("--add-modules jdk.incubator.vector"), output);
    String result = CommandLineRun.of(run).out().lines().findFirst().orElseThrow();
    assertTrue(output.lines().anyMatch(line -> line.startsWith(result.substring(0, 40))), output);
  }
}
