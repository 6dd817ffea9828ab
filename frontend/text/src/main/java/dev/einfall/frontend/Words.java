package dev.einfall.frontend;

import dev.einfall.frontend.Word.Role;
import dev.einfall.grammar.EinfallLexer;
import dev.einfall.grammar.EinfallParser;
import dev.einfall.ir.Source;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;
import org.antlr.v4.runtime.CommonTokenStream;
import org.antlr.v4.runtime.ParserRuleContext;
import org.antlr.v4.runtime.Token;
import org.antlr.v4.runtime.tree.ParseTree;
import org.antlr.v4.runtime.tree.TerminalNode;

/// Reads a text without syntax errors into words. Of the grammar it knows only what a form looks like: items stand between
/// `{` and `}` or at the top, and names are tokens of the rule `name`, so that new forms need nothing here.
final class Words {
  private static final List<String> VALUES = List.of("true", "false", "inf", "nan", "...");

  private final Source source;
  private final BitSet starts = new BitSet();
  private final BitSet separators = new BitSet();
  private final BitSet names = new BitSet();
  private final BitSet comparisons = new BitSet();

  private Words(Source source) {
    this.source = source;
  }

  /// The words of `source`, without separators between items.
  static List<Word> of(Source source) {
    EinfallLexer lexer = new EinfallLexer(Characters.of(source, 0, source.text().length()));
    CommonTokenStream tokens = new CommonTokenStream(lexer);
    EinfallParser parser = new EinfallParser(tokens);
    parser.removeErrorListeners();
    Words words = new Words(source);
    ParserRuleContext program = parser.program();
    program.children.stream().filter(ParserRuleContext.class::isInstance).forEach(words::startItem);
    words.mark(program, parser);
    return words.list(tokens);
  }

  private void startItem(ParseTree item) {
    starts.set(((ParserRuleContext) item).getStart().getTokenIndex());
  }

  private void mark(ParserRuleContext tree, EinfallParser parser) {
    String rule = parser.getRuleNames()[tree.getRuleIndex()];
    boolean inBlock = false;
    for (ParseTree child : tree.children == null ? List.<ParseTree>of() : tree.children) {
      switch (child) {
        case TerminalNode leaf -> {
          inBlock = leaf.getText().equals("{") || inBlock && !leaf.getText().equals("}");
          mark(leaf.getSymbol(), rule, inBlock);
        }
        case ParserRuleContext inner -> {
          if (inBlock) {
            startItem(inner);
          }
          mark(inner, parser);
        }
        default -> { }
      }
    }
  }

  private void mark(Token token, String rule, boolean inBlock) {
    int index = token.getTokenIndex();
    names.set(index, token.getType() == EinfallLexer.ID || rule.equals("name"));
    comparisons.set(index, rule.equals("expr"));
    separators.set(index, inBlock && token.getText().equals(";"));
  }

  private List<Word> list(CommonTokenStream tokens) {
    List<Word> words = new ArrayList<>();
    Word before = null;
    int depth = 0;
    for (Token token : tokens.getTokens()) {
      boolean isSpace = token.getChannel() != Token.DEFAULT_CHANNEL && token.getType() != EinfallLexer.COMMENT;
      if (isSpace || token.getType() == Token.EOF || separators.get(token.getTokenIndex())) {
        continue;
      }
      Role role = role(token, before);
      String text = source.text().substring(token.getStartIndex(), token.getStopIndex() + 1).stripTrailing();
      depth -= role == Role.CLOSE ? weight(text) : 0;
      depth += role == Role.OPEN || role == Role.GROUP ? weight(text) : 0;
      Word word = new Word(text, role, token.getLine(), depth, starts.get(token.getTokenIndex()));
      words.add(word);
      before = role == Role.COMMENT ? before : word;
    }
    return words;
  }

  private static int weight(String bracket) {
    return bracket.equals("[") || bracket.equals("]") ? 4 : 1;
  }

  private Role role(Token token, Word before) {
    String text = token.getText();
    int index = token.getTokenIndex();
    if (token.getType() == EinfallLexer.COMMENT) {
      return Role.COMMENT;
    }
    return switch (text) {
      case "(" -> before != null && before.endsOperand() ? Role.OPEN : Role.GROUP;
      case "[" -> Role.OPEN;
      case ")", "]" -> Role.CLOSE;
      case "<" -> comparisons.get(index) ? Role.OPERATOR : Role.OPEN;
      case ">" -> comparisons.get(index) ? Role.OPERATOR : Role.CLOSE;
      case "{" -> Role.BLOCK;
      case "}" -> Role.BLOCK_END;
      case "," -> Role.COMMA;
      case ":" -> Role.COLON;
      case "..", "." -> Role.RANGE;
      case ";" -> Role.SEPARATOR;
      case "-", "!" -> before != null && before.endsOperand() ? Role.OPERATOR : Role.PREFIX;
      default -> names.get(index) ? Role.NAME
          : VALUES.contains(text) || isLiteral(token.getType()) ? Role.VALUE
          : Character.isLetter(text.charAt(0)) ? Role.KEYWORD : Role.OPERATOR;
    };
  }

  private static boolean isLiteral(int type) {
    return type == EinfallLexer.INT || type == EinfallLexer.FLOAT || type == EinfallLexer.STRING;
  }
}
