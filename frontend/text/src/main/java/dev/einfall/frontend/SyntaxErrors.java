package dev.einfall.frontend;

import dev.einfall.ir.Diagnostic;
import dev.einfall.ir.Source;
import dev.einfall.ir.Span;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;
import org.antlr.v4.runtime.DefaultErrorStrategy;
import org.antlr.v4.runtime.FailedPredicateException;
import org.antlr.v4.runtime.InputMismatchException;
import org.antlr.v4.runtime.NoViableAltException;
import org.antlr.v4.runtime.Parser;
import org.antlr.v4.runtime.RecognitionException;
import org.antlr.v4.runtime.Token;
import org.antlr.v4.runtime.misc.IntervalSet;

/// Says in human words what a text should have instead, once a statement; then the parser goes on where
/// [Resumption] says.
final class SyntaxErrors extends DefaultErrorStrategy {

  private static final int MOST_LISTED = 3;

  private final Source source;
  private final Diagnostics diagnostics;
  private final Resumption resumption;
  private boolean lacksBlock;

  private SyntaxErrors(Source source, Diagnostics diagnostics, Resumption resumption) {
    this.source = source;
    this.diagnostics = diagnostics;
    this.resumption = resumption;
  }

  /// Lets `parser`, which reads `source`, report its errors to `diagnostics`.
  static void handle(Parser parser, Source source, Diagnostics diagnostics) {
    parser.removeErrorListeners();
    parser.setErrorHandler(new SyntaxErrors(source, diagnostics, new Resumption(parser)));
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

  /// Guesses no token that is too many: the statement is left.
  @Override
  protected Token singleTokenDeletion(Parser parser) {
    return null;
  }

  /// Guesses no missing token: the statement is left.
  @Override
  public Token recoverInline(Parser parser) {
    throw new InputMismatchException(parser);
  }

  /// Between statements, skips what starts none.
  @Override
  public void sync(Parser parser) {
    while (resumption.isBetween() && parser.getCurrentToken().getType() != Token.EOF) {
      if (inErrorRecoveryMode(parser) && resumption.isAtStart()) {
        endErrorCondition(parser);
      }
      if (inErrorRecoveryMode(parser) || fits(parser) || resumption.startsDeclaration(parser.getCurrentToken())) {
        break;
      }
      reportUnwantedToken(parser);
      resumption.skip(false);
    }
    super.sync(parser);
  }

  private static boolean fits(Parser parser) {
    IntervalSet next = parser.getATN().nextTokens(parser.getATN().states.get(parser.getState()));
    return next.contains(parser.getCurrentToken().getType()) || next.contains(Token.EPSILON);
  }

  @Override
  public void recover(Parser parser, RecognitionException error) {
    lacksBlock = error instanceof InputMismatchException && expected(parser).contains("`{`");
    super.recover(parser, error);
  }

  @Override
  protected void consumeUntil(Parser parser, IntervalSet following) {
    resumption.skip(lacksBlock);
    lacksBlock = false;
  }

  private void report(Parser parser, Token found) {
    Token before = resumption.before(found);
    String text = found.getText();
    if (text.equals("\"")) {
      diagnostics.report(span(found), "this string has no closing `\"` on its line");
    } else if (isStray(parser, found)) {
      diagnostics.report(span(found), "the character `" + text + "` has no meaning here" + Advice.on(before, found));
    } else if (found.getType() == Token.EOF) {
      int end = before == null ? 0 : before.getStopIndex() + 1;
      diagnostics.report(new Span(source, end, end), "expected " + expected(parser) + ", but the file ends here",
          openBrace(parser, found));
    } else if (resumption.startsDeclaration(found)) {
      diagnostics.report(span(found), "expected " + expected(parser) + " before this `" + text + "`",
          openBrace(parser, found));
    } else if (before != null && before.getLine() < found.getLine() && !resumption.isBetween()) {
      int end = before.getStopIndex() + 1;
      diagnostics.report(new Span(source, end, end), "expected " + expected(parser) + " at the end of this line",
          openBracket(parser, found, resumption.firstOfUnit().getTokenIndex()));
    } else if (isRestOfLine(parser, resumption.firstOfUnit())) {
      Token rest = resumption.firstOfUnit();
      diagnostics.report(span(rest), "expected an operator or the end of the line, not `" + rest.getText() + "`"
          + Advice.on(resumption.before(rest), rest));
    } else if (isKeyword(parser, found) && parser.getExpectedTokens().contains(parser.getTokenType("ID"))) {
      diagnostics.report(span(found), "expected " + expected(parser) + "; `" + text
          + "` is a word of the language and no name");
    } else {
      Diagnostic.Note[] open = openBracket(parser, found, resumption.firstOfUnit().getTokenIndex());
      String advice = open.length > 0 ? "" : advice(parser, before, found);
      diagnostics.report(span(found), "expected " + expected(parser) + ", not `" + text + "`" + advice, open);
    }
  }

  /// Whether the statement that begins with `first` is what follows another one in its line.
  private boolean isRestOfLine(Parser parser, Token first) {
    Token before = resumption.before(first);
    return !resumption.isBetween() && before != null && before.getLine() == first.getLine()
        && !"{};".contains(before.getText()) && !isKeyword(parser, first);
  }

  /// A word of the language that may be meant, or the form that is written otherwise here.
  private String advice(Parser parser, Token before, Token found) {
    boolean startsUnit = before != null && before == resumption.firstOfUnit();
    String word = startsUnit && !isKeyword(parser, before) ? before.getText() : found.getText();
    List<String> words = IntStream.rangeClosed(1, parser.getVocabulary().getMaxTokenType()).boxed()
        .filter(type -> startsUnit || parser.getExpectedTokens().contains(type))
        .map(type -> String.valueOf(parser.getVocabulary().getLiteralName(type)).replace("'", ""))
        .filter(literal -> Character.isLetter(literal.charAt(0))).toList();
    String suggestion = Spelling.suggestion(word, words);
    return suggestion.isEmpty() ? Advice.on(before, found) : suggestion;
  }

  private static boolean isKeyword(Parser parser, Token token) {
    return parser.getVocabulary().getLiteralName(token.getType()) != null && Character.isLetter(token.getText().charAt(0));
  }

  /// A note on the innermost bracket between token `first` and `found` that is open, if it is on an earlier line.
  private Diagnostic.Note[] openBracket(Parser parser, Token found, int first) {
    int closed = 0;
    for (int i = found.getTokenIndex() - 1; i >= first && closed >= 0; i--) {
      Token token = parser.getTokenStream().get(i);
      switch (token.getText()) {
        case ")", "]" -> closed++;
        case "(", "[" -> closed--;
        case "{", "}" -> {
          return new Diagnostic.Note[0];
        }
        default -> { }
      }
      if (closed < 0 && token.getLine() < found.getLine()) {
        return new Diagnostic.Note[] {new Diagnostic.Note(span(token), "this `" + token.getText() + "` is not closed")};
      }
    }
    return new Diagnostic.Note[0];
  }

  /// A note on the `{` before `found` that is not closed: that of a line which is indented otherwise than its `}`, or
  /// else the innermost that is open.
  private Diagnostic.Note[] openBrace(Parser parser, Token found) {
    List<Token> open = new ArrayList<>();
    for (int i = 0; i < found.getTokenIndex(); i++) {
      Token token = parser.getTokenStream().get(i);
      if (token.getText().equals("{")) {
        open.add(token);
      } else if (token.getText().equals("}") && !open.isEmpty()) {
        boolean closesOuter = resumption.startsLine(token) && indentation(open.getLast()) > indentation(token)
            && open.stream().anyMatch(outer -> indentation(outer) == indentation(token));
        if (closesOuter) {
          break;
        }
        open.removeLast();
      }
    }
    return open.isEmpty() ? new Diagnostic.Note[0]
        : new Diagnostic.Note[] {new Diagnostic.Note(span(open.getLast()), "this `{` is not closed")};
  }

  private int indentation(Token token) {
    String line = source.lineText(token.getStartIndex());
    return line.length() - line.stripLeading().length();
  }

  private static boolean isStray(Parser parser, Token token) {
    return "OTHER".equals(parser.getVocabulary().getSymbolicName(token.getType()));
  }

  private Span span(Token token) {
    int start = Math.min(token.getStartIndex(), source.text().length());
    return new Span(source, start, Math.max(start, token.getStopIndex() + 1));
  }

  private String expected(Parser parser) {
    IntervalSet tokens = parser.getExpectedTokens();
    String rule = parser.getRuleNames()[parser.getContext().getRuleIndex()];
    if (tokens.size() > MOST_LISTED || tokens.size() == 0) {
      return meaning(parser, rule);
    }
    List<String> names = tokens.toList().stream().map(type -> word(parser, type)).toList();
    return names.size() == 1 ? names.getFirst()
        : String.join(", ", names.subList(0, names.size() - 1)) + " or " + names.getLast();
  }

  /// What a rule stands for, where too many tokens could come next to list them.
  private String meaning(Parser parser, String rule) {
    return switch (rule) {
      case "program" -> "`def` or another declaration";
      case "file" -> "`kernel` or `plan`";
      case "body", "block" -> resumption.startsLine(parser.getCurrentToken()) ? "a statement or `}`"
          : "an operator or the end of the line";
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
