package dev.einfall.frontend.weights;

import dev.einfall.grammar.JsonLexer;
import dev.einfall.grammar.JsonParser;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.antlr.v4.runtime.BaseErrorListener;
import org.antlr.v4.runtime.CharStreams;
import org.antlr.v4.runtime.CommonTokenStream;
import org.antlr.v4.runtime.RecognitionException;
import org.antlr.v4.runtime.Recognizer;
import org.antlr.v4.runtime.Token;

/// A JSON value.
sealed interface Json {
  record Members(Map<String, Json> values) implements Json {}

  record Items(List<Json> values) implements Json {}

  record Text(String value) implements Json {}

  record Number(String digits) implements Json {}

  /// `true`, `false` or `null`.
  record Word(String value) implements Json {}

  /// How deep values may be nested.
  int MAX_DEPTH = 64;

  /// The value that `text` is.
  ///
  /// @throws IllegalArgumentException when it is not JSON; the message says where
  static Json read(String text) {
    JsonLexer lexer = new JsonLexer(CharStreams.fromString(text));
    CommonTokenStream tokens = new CommonTokenStream(lexer);
    requireDepth(tokens);
    JsonParser parser = new JsonParser(tokens);
    parser.removeErrorListeners();
    parser.addErrorListener(new Refusal());
    return value(parser.document().value());
  }

  /// Refuses deep nesting, on which the parser's recursion would end.
  private static void requireDepth(CommonTokenStream tokens) {
    tokens.fill();
    int depth = 0;
    for (Token token : tokens.getTokens()) {
      depth += switch (token.getText()) {
        case "{", "[" -> 1;
        case "}", "]" -> -1;
        default -> 0;
      };
      if (depth > MAX_DEPTH) {
        throw new IllegalArgumentException("nested deeper than " + MAX_DEPTH + " at character " + token.getStartIndex());
      }
    }
  }

  /// Ends the reading at the first error.
  final class Refusal extends BaseErrorListener {
    @Override
    public void syntaxError(
        Recognizer<?, ?> recognizer, Object symbol, int line, int column, String message, RecognitionException e) {
      throw new IllegalArgumentException("line " + line + ", column " + (column + 1) + ": " + message);
    }
  }

  private static Json value(JsonParser.ValueContext context) {
    return switch (context) {
      case JsonParser.ObjectValueContext object -> members(object.object());
      case JsonParser.ArrayValueContext array -> new Items(array.array().value().stream().map(Json::value).toList());
      case JsonParser.StringValueContext string -> new Text(unquote(string.getText()));
      case JsonParser.NumberValueContext number -> new Number(number.getText());
      case JsonParser.WordValueContext word -> new Word(word.getText());
      default -> throw new IllegalArgumentException("not a value: " + context.getText());
    };
  }

  private static Members members(JsonParser.ObjectContext object) {
    Map<String, Json> values = new LinkedHashMap<>();
    for (JsonParser.MemberContext member : object.member()) {
      String key = unquote(member.key.getText());
      if (values.put(key, value(member.value())) != null) {
        throw new IllegalArgumentException("two members '" + key + "'");
      }
    }
    return new Members(values);
  }

  private static String unquote(String token) {
    List<String> parts = new ArrayList<>();
    for (int i = 1; i < token.length() - 1; i++) {
      char c = token.charAt(i);
      if (c != '\\') {
        parts.add(String.valueOf(c));
        continue;
      }
      char escape = token.charAt(++i);
      parts.add(switch (escape) {
        case 'b' -> "\b";
        case 'f' -> "\f";
        case 'n' -> "\n";
        case 'r' -> "\r";
        case 't' -> "\t";
        case 'u' -> String.valueOf((char) Integer.parseInt(token.substring(i + 1, i + 5), 16));
        default -> String.valueOf(escape);
      });
      i += escape == 'u' ? 4 : 0;
    }
    return String.join("", parts);
  }
}
