package dev.einfall.frontend;

import dev.einfall.ir.Diagnostic;
import dev.einfall.ir.Source;
import dev.einfall.ir.Span;
import java.util.List;
import org.antlr.v4.runtime.DefaultErrorStrategy;
import org.antlr.v4.runtime.FailedPredicateException;
import org.antlr.v4.runtime.InputMismatchException;
import org.antlr.v4.runtime.NoViableAltException;
import org.antlr.v4.runtime.Parser;
import org.antlr.v4.runtime.RecognitionException;
import org.antlr.v4.runtime.Token;
import org.antlr.v4.runtime.misc.IntervalSet;

/// Says in human words what a text should have instead, once a statement: after an error the parser goes on at the
/// next line that starts a statement.
final class SyntaxErrors extends DefaultErrorStrategy {

  private static final int MOST_LISTED = 3;

  private final Source source;
  private final Diagnostics diagnostics;
  private final List<String> starts;

  /// @param starts the words that start a statement
  SyntaxErrors(Source source, Diagnostics diagnostics, List<String> starts) {
    this.source = source;
    this.diagnostics = diagnostics;
    this.starts = starts;
  }

  @Override
  protected void reportNoViableAlternative(Parser parser, NoViableAltException error) {
    report(parser, error.getOffendingToken());
  }

  @Override
  protected void reportInputMismatch(Parser parser, InputMismatchException error) {
    report(parser, error.getOffendingToken());
  }

  @Override
  protected void reportFailedPredicate(Parser parser, FailedPredicateException error) {
    report(parser, error.getOffendingToken());
  }

  @Override
  protected void reportUnwantedToken(Parser parser) {
    if (!inErrorRecoveryMode(parser)) {
      beginErrorCondition(parser);
      report(parser, parser.getCurrentToken());
    }
  }

  @Override
  protected void reportMissingToken(Parser parser) {
    reportUnwantedToken(parser);
  }

  /// Guesses no missing token: the statement is left.
  @Override
  public Token recoverInline(Parser parser) {
    throw new InputMismatchException(parser);
  }

  @Override
  public void recover(Parser parser, RecognitionException error) {
    super.recover(parser, error);
    while (parser.getCurrentToken().getType() != Token.EOF && !startsStatement(parser)) {
      parser.consume();
    }
  }

  private boolean startsStatement(Parser parser) {
    Token token = parser.getCurrentToken();
    Token before = parser.getInputStream().LT(-1);
    boolean startsLine = before == null || before.getLine() < token.getLine();
    return startsLine && (starts.contains(token.getText()) || Character.isLetter(token.getText().charAt(0)));
  }

  private void report(Parser parser, Token found) {
    Token before = before(parser, found);
    String text = found.getText();
    if (text.equals("\"")) {
      diagnostics.report(span(found), "this string has no closing `\"` on its line");
    } else if (isStray(parser, found)) {
      diagnostics.report(span(found), "the character `" + text + "` has no meaning here");
    } else if (found.getType() == Token.EOF) {
      int end = before == null ? 0 : before.getStopIndex() + 1;
      diagnostics.report(new Span(source, end, end), "expected " + expected(parser) + ", but the file ends here");
    } else if (before != null && before.getLine() < found.getLine()) {
      int end = before.getStopIndex() + 1;
      diagnostics.report(new Span(source, end, end), "expected " + expected(parser) + " at the end of this line",
          openBrackets(parser, found));
    } else {
      diagnostics.report(span(found), "expected " + expected(parser) + ", not `" + text + "`",
          openBrackets(parser, found));
    }
  }

  /// A note on the innermost bracket before `found` that is open, if it is on an earlier line.
  private Diagnostic.Note[] openBrackets(Parser parser, Token found) {
    int closed = 0;
    for (int i = found.getTokenIndex() - 1; i >= 0; i--) {
      Token token = parser.getTokenStream().get(i);
      switch (token.getText()) {
        case ")", "]" -> closed++;
        case "(", "[" -> closed--;
        case "{", "}" -> {
          return new Diagnostic.Note[0];
        }
        default -> { }
      }
      if (closed < 0) {
        return token.getLine() == found.getLine() ? new Diagnostic.Note[0] : new Diagnostic.Note[] {
            new Diagnostic.Note(span(token), "this `" + token.getText() + "` is not closed")};
      }
    }
    return new Diagnostic.Note[0];
  }

  /// The last token before `found`, or null.
  private static Token before(Parser parser, Token found) {
    for (int i = found.getTokenIndex() - 1; i >= 0; i--) {
      Token token = parser.getTokenStream().get(i);
      if (token.getChannel() == Token.DEFAULT_CHANNEL) {
        return token;
      }
    }
    return null;
  }

  private static boolean isStray(Parser parser, Token token) {
    return "OTHER".equals(parser.getVocabulary().getSymbolicName(token.getType()));
  }

  private Span span(Token token) {
    int start = Math.min(token.getStartIndex(), source.text().length());
    return new Span(source, start, Math.max(start, token.getStopIndex() + 1));
  }

  private static String expected(Parser parser) {
    IntervalSet tokens = parser.getExpectedTokens();
    String rule = parser.getRuleNames()[parser.getContext().getRuleIndex()];
    if (tokens.size() > MOST_LISTED || tokens.size() == 0) {
      return meaning(rule);
    }
    List<String> names = tokens.toList().stream().map(type -> word(parser, type)).toList();
    return names.size() == 1 ? names.getFirst()
        : String.join(", ", names.subList(0, names.size() - 1)) + " or " + names.getLast();
  }

  /// What a rule stands for, where too many tokens could come next to list them.
  private static String meaning(String rule) {
    return switch (rule) {
      case "program" -> "`def`, `weights` or `tokenizer`";
      case "file" -> "`kernel` or `plan`";
      case "body", "block" -> "a statement or `}`";
      case "statement" -> "a statement";
      case "directives" -> "a directive such as `split n 16` or `}`";
      case "item" -> "an item of the plan or `}`";
      case "subscript" -> "an index";
      case "outside" -> "a value";
      case "name" -> "a name";
      default -> "an expression";
    };
  }

  private static String word(Parser parser, int type) {
    String literal = parser.getVocabulary().getLiteralName(type);
    if (literal != null) {
      return "`" + literal.substring(1, literal.length() - 1) + "`";
    }
    return switch (String.valueOf(parser.getVocabulary().getSymbolicName(type))) {
      case "ID" -> "a name";
      case "INT" -> "a whole number";
      case "STRING" -> "a string such as `\"key\"`";
      case "EOF", "null" -> "the end of the file";
      case String other -> other;
    };
  }
}
