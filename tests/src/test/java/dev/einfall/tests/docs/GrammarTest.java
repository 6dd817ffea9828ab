package dev.einfall.tests.docs;

import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.einfall.grammar.EinfallParser;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;

/// The language reference says how large the grammar is.
class GrammarTest {

  @Test
  void theReferenceCountsTheRules() throws IOException {
    String stated = "has " + EinfallParser.ruleNames.length + " rules.";
    assertTrue(Files.readString(Path.of("../grammar/LANGUAGE.md")).contains(stated), "LANGUAGE.md should say: " + stated);
  }
}
