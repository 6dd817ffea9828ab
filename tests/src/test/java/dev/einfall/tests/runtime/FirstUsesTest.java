package dev.einfall.tests.runtime;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.einfall.backends.jvm.JvmBackend;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorSpecies;
import org.junit.jupiter.api.Test;

/// What code that is compiled late is like does not depend on the species and operators that programs before it have used: none is new to compiled code. HotSpot counts each that is, for good.
class FirstUsesTest {
  private static final String PREPARED = "prepared";
  /// Where the Vector API finds out that a species or an operator is new.
  private static final String SPECIES = "dummyVector";
  private static final String OPERATOR = "ImplCache.find";

  @Test
  void noSpeciesAndNoOperatorIsNewToCompiledCode() throws IOException, InterruptedException {
    assertEquals(List.of(), surprises(PREPARED));
  }

  /// Were it otherwise, nothing would be left to test.
  @Test
  void withoutPreparationTheyAre() throws IOException, InterruptedException {
    List<String> surprises = surprises("not prepared");
    assertTrue(surprises.stream().anyMatch(line -> line.contains(SPECIES)), surprises::toString);
    assertTrue(surprises.stream().anyMatch(line -> line.contains(OPERATOR)), surprises::toString);
  }

  /// The lines of HotSpot's log about branches that were taken in compiled code and never before, where the Vector API makes what it lacks.
  private static List<String> surprises(String argument) throws IOException, InterruptedException {
    Process process = new ProcessBuilder(Path.of(System.getProperty("java.home"), "bin", "java").toString(), "-Xbatch", "-Xlog:deoptimization=debug",
        "--add-modules", "jdk.incubator.vector", "-cp", System.getProperty("java.class.path"), Uses.class.getName(), argument).redirectErrorStream(true).start();
    String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertEquals(0, process.waitFor(), output);
    assertTrue(output.contains(Uses.DONE), output);
    return output.lines().filter(line -> line.contains("unstable_if") && (line.contains(SPECIES) || line.contains(OPERATOR))).toList();
  }

  /// Uses one species and one operator until they are compiled, then others.
  static final class Uses {
    static final String DONE = "sums: ";
    private static final int UNTIL_COMPILED = 40_000;

    static void main(String[] arguments) {
      if (arguments[0].equals(PREPARED)) {
        JvmBackend.prepare();
      }
      int sum = 0;
      for (int i = 0; i < UNTIL_COMPILED; i++) {
        sum += use(IntVector.SPECIES_256, VectorOperators.ADD);
      }
      sum += use(IntVector.SPECIES_64, VectorOperators.ADD);
      sum += use(IntVector.SPECIES_256, VectorOperators.XOR);
      System.out.println(DONE + sum);
    }

    private static int use(VectorSpecies<Integer> species, VectorOperators.Binary operator) {
      IntVector ones = IntVector.broadcast(species, 1);
      return ones.lanewise(operator, ones).lane(0);
    }
  }
}
