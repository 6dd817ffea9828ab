package dev.einfall.runtime.quantize;

import dev.einfall.ir.CompileException;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// What the weights of products may take together, with all that their formats store.
///
/// @param amount bytes, or hundredths of what they took
/// @param isPart whether it is the latter
public record Budget(double amount, boolean isPart) {
  private static final Pattern TEXT = Pattern.compile("([0-9]{1,15}(?:\\.[0-9]{1,9})?)\\s*(%?)");

  /// The budget that `text` says: `13%`, or `2000000`.
  ///
  /// @throws CompileException when it says none
  static Budget parse(String text) {
    Matcher matcher = TEXT.matcher(text);
    if (!matcher.matches() || matcher.group(2).isEmpty() && matcher.group(1).contains(".")) {
      throw CompileException.of("the policy has 'budget=" + text + "': expected bytes, such as budget=2000000, or a part, such as budget=13%");
    }
    return new Budget(Double.parseDouble(matcher.group(1)), !matcher.group(2).isEmpty());
  }

  /// @param before what the weights took
  long bytes(long before) {
    return (long) (isPart ? before * amount / 100 : amount);
  }

  @Override
  public String toString() {
    String number = amount == Math.rint(amount) ? Long.toString((long) amount) : Double.toString(amount);
    return "budget " + number + (isPart ? "%" : " bytes");
  }
}
