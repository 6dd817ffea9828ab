package dev.einfall.frontend;

import java.util.Optional;
import org.antlr.v4.runtime.Token;

/// What somebody who writes a form of another language may be looking for.
final class Advice {
  private Advice() {}

  /// A clause for an error at `found`, or nothing.
  ///
  /// @param before the token before it, or null
  static String on(Token before, Token found) {
    return forms(before == null ? "" : before.getText(), found.getText()).map(text -> "; " + text).orElse("");
  }

  private static Optional<String> forms(String before, String found) {
    return Optional.ofNullable(switch (found) {
      case ";" -> "a statement ends with its line";
      case "*" -> before.equals("*") ? "a power is `pow(x, y)`" : null;
      case "/" -> before.equals("/") ? "a comment begins with `#`, and `/` of whole numbers rounds down" : null;
      case "=" -> "+-*/%".contains(before) && !before.isEmpty() ? "write `y = y " + before + " ...`" : "a comparison is `==`";
      case "+", "-" -> before.equals("]") || before.equals(found) ? "a definition is `y = y " + found + " ...`" : null;
      case "==" -> "a definition is `y = ...`";
      case "?", "if" -> "a choice between values is `where(condition, x, y)`";
      case "and", "&" -> "and is `&&`";
      case "or", "|" -> "or is `||`; after an access, `or` gives the value outside";
      case "not", "~" -> "not is `!`";
      case "^" -> "a power is `pow(x, y)`, and the bits that differ are `xor(x, y)`";
      case "<", ">" -> before.equals(found) ? "bits are shifted by `shl(x, n)` and `shr(x, n)`" : null;
      case "@" -> "a product of matrices is `C[m, n] = A[m, k] * B[k, n]`";
      case "[" -> before.equals("]") ? "all indices stand in one pair of brackets: `X[i, j]`" : null;
      case "." -> "a name has no parts, except that of an import";
      case "'", "`", "\u2018", "\u2019", "\u201C", "\u201D" -> "a string stands between `\"`";
      case "\u00D7", "\u00B7" -> "a product is `*`";
      case "\u2212", "\u2013" -> "minus is `-`";
      case "\u2264" -> "write `<=`";
      case "\u2265" -> "write `>=`";
      case "\u2260" -> "write `!=`";
      case "func", "function", "fn", "fun", "void" -> "a function begins with `def`";
      case "let", "var", "val" -> "a definition begins with the tensor's name";
      default -> word(before);
    });
  }

  private static String word(String before) {
    return switch (before) {
      case "let", "var", "val" -> "a definition begins with the tensor's name";
      case "func", "function", "fn", "fun" -> "a function begins with `def`";
      case "and" -> "and is `&&`";
      case "not" -> "not is `!`";
      default -> null;
    };
  }
}
