package dev.einfall.tests.cascade;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.einfall.frontend.EinReader;
import dev.einfall.ir.Source;
import dev.einfall.ir.cascade.Cascade;
import dev.einfall.ir.cascade.Tensor;
import dev.einfall.passes.analysis.PassCount;
import java.util.Optional;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/// The passes of a cascade as a line of text.
final class CountedPasses {

  private CountedPasses() {}

  static Cascade read(String text) {
    return EinReader.read(new Source("test.ein", text), Optional.empty()).cascade();
  }

  /// Asserts the passes along each dimension of each input, as in `Q 1 1, K 3 1`; inputs that `expected` leaves out at its end are not
  /// looked at.
  static void assertPasses(String expected, String program) {
    Cascade cascade = read(program);
    String all = text(cascade, PassCount.of(cascade));
    assertEquals(expected, Stream.of(all.split(", ")).limit(expected.split(", ").length).collect(Collectors.joining(", ")));
  }

  /// Each input with the passes along each of its dimensions.
  static String text(Cascade cascade, PassCount counts) {
    return cascade.inputs().stream().map(input -> text(input, counts)).collect(Collectors.joining(", "));
  }

  private static String text(Tensor tensor, PassCount counts) {
    return Stream.concat(Stream.of(tensor.name()), counts.counts(tensor).stream().map(count -> String.valueOf(count.passes())))
        .collect(Collectors.joining(" "));
  }
}
