package dev.einfall.frontend;

import dev.einfall.ir.Source;
import dev.einfall.ir.Span;
import java.util.List;
import org.antlr.v4.runtime.Token;

/// Refuses a text whose brackets and signs are nested too deeply to parse by recursion.
final class Nesting {
  private static final int MOST = 100;
  private static final int MOST_BLOCKS = 40;

  private Nesting() {}

  static void check(Source source, List<? extends Token> tokens, Diagnostics diagnostics) {
    int depth = 0;
    int blocks = 0;
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
      blocks += text.equals("{") ? 1 : text.equals("}") ? -1 : 0;
      signs = text.equals("-") || text.equals("!") ? signs + 1 : 0;
      if (depth > MOST || signs > MOST || blocks > MOST_BLOCKS) {
        diagnostics.report(new Span(source, token.getStartIndex(), token.getStopIndex() + 1),
            blocks > MOST_BLOCKS ? "blocks are nested more than " + MOST_BLOCKS + " deep here; call a function for the inner ones"
                : "this is nested more than " + MOST + " deep; name the parts in statements of their own");
        return;
      }
    }
  }
}
