package dev.einfall.frontend;

import dev.einfall.ir.Source;
import dev.einfall.ir.Span;
import java.util.List;
import org.antlr.v4.runtime.Token;

/// Refuses a text whose brackets and signs are nested too deeply to parse by recursion.
final class Nesting {
  private static final int MOST = 100;

  private Nesting() {}

  static void check(Source source, List<? extends Token> tokens, Diagnostics diagnostics) {
    int depth = 0;
    int signs = 0;
    for (Token token : tokens) {
      if (token.getChannel() != Token.DEFAULT_CHANNEL) {
        continue;
      }
      String text = token.getText();
      depth += switch (text) {
        case "(", "[", "{" -> 1;
        case ")", "]", "}" -> -1;
        default -> 0;
      };
      signs = text.equals("-") || text.equals("!") ? signs + 1 : 0;
      if (depth > MOST || signs > MOST) {
        diagnostics.report(new Span(source, token.getStartIndex(), token.getStopIndex() + 1),
            "this is nested more than " + MOST + " deep; name the parts in statements of their own");
        return;
      }
    }
  }
}
