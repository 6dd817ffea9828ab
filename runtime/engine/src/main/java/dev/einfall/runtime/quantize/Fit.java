package dev.einfall.runtime.quantize;

import dev.einfall.ir.CompileException;
import dev.einfall.runtime.Options;
import java.util.List;
import java.util.Optional;
import java.util.stream.LongStream;

/// Whether the groups and blocks of a format divide the rank along which they lie.
///
/// @param kind what is stored, for messages
/// @param key its name
/// @param length of a row
record Fit(String kind, String key, int rows, int length, Encoding encoding) {
  private static final String GROUP = "group";

  static Fit of(Target target) {
    return new Fit("weight", target.weight().key(), target.rows(), target.length(), target.encoding());
  }

  /// @throws CompileException when they do not; the message says which sizes would
  void require(Options options) {
    Optional<Long> group = Optional.ofNullable(encoding.sizes().get(GROUP)).filter(size -> !size.equals(Encoding.CHANNEL)).map(Long::parseLong);
    if (group.isPresent() && (group.get() == 0 || length % group.get() != 0)) {
      throw error("groups of " + group.get() + " do not divide it; " + near(group.get(), length) + " would");
    }
    try (EncodingProgram program = new EncodingProgram(encoding, rows, length, options)) {
      program.count();
    } catch (CompileException e) {
      throw error("the format does not fit that: " + e.diagnostics().getFirst().message());
    }
  }

  private CompileException error(String reason) {
    return CompileException.of(kind + " '" + key + "' has " + length + " elements along the rank that " + encoding + " groups, and " + reason
        + ". To leave the " + kind + " as it is: --keep '" + key + "'");
  }

  private static String near(long group, long length) {
    List<Long> divisors = LongStream.rangeClosed(1, length).filter(size -> length % size == 0).boxed().toList();
    long below = divisors.stream().filter(size -> size <= group).reduce((_, last) -> last).orElse(1L);
    long above = divisors.stream().filter(size -> size >= group).findFirst().orElse(length);
    return below == above ? "groups of " + below : "groups of " + below + " or " + above;
  }
}
