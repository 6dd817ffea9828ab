package dev.einfall.runtime.tuning;

import dev.einfall.ir.InternalException;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.List;

/// Digests that are short and equal for equal texts.
public final class TextDigest {
  private static final int DIGITS_OF_LINES = 32;

  private TextDigest() {}

  /// 64 hexadecimal digits.
  public static String of(String text) {
    try {
      byte[] digest = MessageDigest.getInstance("SHA-256").digest(text.getBytes(StandardCharsets.UTF_8));
      return HexFormat.of().formatHex(digest);
    } catch (NoSuchAlgorithmException e) {
      throw new InternalException("every JVM has SHA-256", e);
    }
  }

  /// 32 hexadecimal digits for several lines: a file's name.
  public static String ofLines(List<String> lines) {
    return of(String.join("\n", lines)).substring(0, DIGITS_OF_LINES);
  }
}
