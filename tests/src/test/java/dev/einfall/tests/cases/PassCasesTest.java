package dev.einfall.tests.cases;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.einfall.passes.PassCase;
import dev.einfall.passes.PassCatalog;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.parallel.Execution;
import org.junit.jupiter.api.parallel.ExecutionMode;

/// Runs every case below `cases/passes`. With `-Dgolden.update=true`, rewrites what each expects.
@Execution(ExecutionMode.CONCURRENT)
class PassCasesTest {
  private static final Path CASES = Path.of("cases", "passes");

  @TestFactory
  List<DynamicTest> cases() throws IOException {
    try (Stream<Path> files = Files.walk(CASES)) {
      return files.filter(file -> file.toString().endsWith(".ein") || file.toString().endsWith(".loop")).sorted()
          .map(file -> DynamicTest.dynamicTest(CASES.relativize(file).toString(), file.toUri(), () -> check(file)))
          .toList();
    }
  }

  private static void check(Path file) throws IOException {
    PassCase passCase = PassCase.read(Files.readString(file));
    String actual = new CaseRunner(PassCatalog::parse).run(file.getFileName().toString(), passCase);
    if (Boolean.getBoolean("golden.update")) {
      Files.writeString(file, passCase.withAfter(actual).text());
    } else {
      assertEquals(passCase.after().orElse("no expectation: run with -Dgolden.update=true"), actual);
    }
  }
}
