package dev.einfall.frontend;

import java.util.List;
import java.util.Set;
import java.util.stream.Stream;
import org.antlr.v4.runtime.Parser;
import org.antlr.v4.runtime.RuleContext;
import org.antlr.v4.runtime.Token;
import org.antlr.v4.runtime.TokenStream;

/// Finds where the parser goes on after an error: at the next line that starts a statement or a declaration, past the
/// block that the wrong one opens, or at the `}` that closes the block around it.
final class Resumption {
  private static final Set<String> BLOCKS = Set.of("body", "block", "directives", "plan");
  private static final Set<String> UNITS = Set.of("statement", "declaration", "directive", "kernel", "item");

  /// Words that start a declaration wherever they start a line.
  private static final Set<String> DECLARATIONS = Set.of("def", "format", "kernel", "plan");

  private final Parser parser;
  private final TokenStream tokens;
  private final List<Boolean> blocks;
  private final List<Boolean> units;

  Resumption(Parser parser) {
    this.parser = parser;
    this.tokens = parser.getTokenStream();
    this.blocks = Stream.of(parser.getRuleNames()).map(BLOCKS::contains).toList();
    this.units = Stream.of(parser.getRuleNames()).map(UNITS::contains).toList();
  }

  /// Whether the parser is between the statements of a block, or between declarations.
  boolean isBetween() {
    return isBlock(parser.getContext()) || parser.getContext().getParent() == null;
  }

  /// Whether the current token may start what stands here: an error from here on is another one.
  boolean isAtStart() {
    Token token = parser.getCurrentToken();
    return startsLine(token) && isWord(token) && !(isInBlock() && startsDeclaration(token));
  }

  /// Consumes what belongs to the wrong statement.
  ///
  /// @param lacksBlock whether a `{` is missing, so that lines which are indented more than the statement are its block
  void skip(boolean lacksBlock) {
    Token first = firstOfUnit();
    int depth = isBetween() ? 0 : depth(first);
    if (lacksBlock && startsLine(parser.getCurrentToken()) && isDeeper(parser.getCurrentToken(), first)) {
      depth++;
    }
    boolean isFirst = parser.getCurrentToken() == first && !(isInBlock() && startsDeclaration(first));
    while (parser.getCurrentToken().getType() != Token.EOF
        && (isFirst || !isEnd(parser.getCurrentToken(), depth, first))) {
      isFirst = false;
      depth = Math.max(0, depth + step(parser.getCurrentToken()));
      parser.consume();
    }
  }

  private boolean isEnd(Token token, int depth, Token first) {
    if (startsDeclaration(token)) {
      return true;
    }
    return depth == 0 && (isInBlock() ? token.getText().equals("}") || startsLine(token) && isWord(token)
        : startsLine(token) && isWord(token) && !isDeeper(token, first));
  }

  private boolean isInBlock() {
    for (RuleContext context = parser.getContext(); context != null; context = context.getParent()) {
      if (isBlock(context)) {
        return true;
      }
    }
    return false;
  }

  /// Whether `context` is a block whose `{` has been read.
  private boolean isBlock(RuleContext context) {
    return blocks.get(context.getRuleIndex()) && context.getChildCount() > 0;
  }

  /// The first token of the innermost statement or declaration that is being read; between them, of the line.
  Token firstOfUnit() {
    for (var context = parser.getContext(); context != null && !isBlock(context); context = context.getParent()) {
      if (units.get(context.getRuleIndex())) {
        return context.getStart();
      }
    }
    Token first = parser.getCurrentToken();
    for (Token before = before(first); before != null && before.getLine() == first.getLine(); before = before(first)) {
      first = before;
    }
    return first;
  }

  /// How many blocks are open between `first` and the current token.
  private int depth(Token first) {
    int depth = 0;
    for (int i = first.getTokenIndex(); i < parser.getCurrentToken().getTokenIndex(); i++) {
      depth = Math.max(0, depth + step(tokens.get(i)));
    }
    return depth;
  }

  private static int step(Token token) {
    return switch (token.getText()) {
      case "{" -> 1;
      case "}" -> -1;
      default -> 0;
    };
  }

  boolean startsDeclaration(Token token) {
    boolean isWordOfFile = token.getCharPositionInLine() == 0 && isWord(token)
        && parser.getVocabulary().getLiteralName(token.getType()) != null;
    return startsLine(token) && (DECLARATIONS.contains(token.getText()) || isWordOfFile && !isInBlock());
  }

  private static boolean isWord(Token token) {
    return Character.isLetter(token.getText().charAt(0));
  }

  private static boolean isDeeper(Token token, Token first) {
    return token.getCharPositionInLine() > first.getCharPositionInLine();
  }

  boolean startsLine(Token token) {
    Token before = before(token);
    return before == null || before.getLine() < token.getLine();
  }

  /// The token before `token`, without comments and spaces; null at the start.
  Token before(Token token) {
    for (int i = token.getTokenIndex() - 1; i >= 0; i--) {
      if (tokens.get(i).getChannel() == Token.DEFAULT_CHANNEL) {
        return tokens.get(i);
      }
    }
    return null;
  }
}
