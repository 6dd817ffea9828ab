package dev.einfall.runtime;

import dev.einfall.ir.InternalException;
import dev.einfall.ir.loop.Kernel;
import dev.einfall.passes.plan.CanonicalKernel;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;

/// Digests that are short and equal for equal texts.
final class KernelDigest {
  private KernelDigest() {}

  /// The same for kernels that do the same to their parameters, such as those of the equal layers of a network.
  static String of(Kernel kernel) {
    return of(CanonicalKernel.text(kernel));
  }

  static String of(String text) {
    try {
      byte[] digest = MessageDigest.getInstance("SHA-256").digest(text.getBytes(StandardCharsets.UTF_8));
      return HexFormat.of().formatHex(digest);
    } catch (NoSuchAlgorithmException e) {
      throw new InternalException("every JVM has SHA-256", e);
    }
  }
}
