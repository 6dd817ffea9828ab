package dev.einfall.runtime.tuning;

import dev.einfall.passes.Decision;
import java.util.Locale;
import java.util.stream.Collectors;

/// What a decision is about, in words that are the same in every run of the compiler, and for equal decisions, such as those of the equal
/// layers of a network.
///
/// @param subject that of the decision, without the number that tells tensors of one name apart
/// @param alternatives a digest of what there is to choose from, and of what the cost model takes it for
public record Question(String subject, String alternatives) {
  private static final int DIGITS = 16;

  /// In which shape the JIT takes a kernel well.
  ///
  /// @param digest of the kernel
  public static Question ofShape(String digest) {
    return new Question("shape of a kernel", digest.substring(0, DIGITS));
  }

  public static Question of(Decision decision) {
    String alternatives = decision.alternatives().stream()
        .map(one -> String.format(Locale.ROOT, "%s %.4g", one.name(), one.cycles())).collect(Collectors.joining("\n"));
    return new Question(decision.subject().replaceFirst("_[0-9]+$", ""), TextDigest.of(alternatives).substring(0, DIGITS));
  }
}
