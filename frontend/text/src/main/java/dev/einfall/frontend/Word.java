package dev.einfall.frontend;

import java.util.List;

/// A token or a comment of an `.ein` file, as far as its layout depends on it.
///
/// @param line the line of the source that it stands on
/// @param depth how deep in brackets it stands; `[` counts four times, since a line breaks last inside it
/// @param startsItem whether a declaration, statement or directive starts here
record Word(String text, Role role, int line, int depth, boolean startsItem) {

  /// What a word is to its neighbours. `GROUP` is a `(` that is not of a call.
  enum Role {
    NAME, VALUE, KEYWORD, OPEN, GROUP, CLOSE, COMMA, COLON, RANGE, SEPARATOR, PREFIX, OPERATOR, BLOCK, BLOCK_END, COMMENT
  }

  static final int NEVER = Integer.MAX_VALUE;
  private static final int DEFINITION = 2;
  private static final int KEYWORD = 0;
  private static final int ARROW = 1;
  private static final int LIST = 3;
  private static final int PARENTHESIS = 9;

  /// Keywords that belong to what stands before them: a line does not break there.
  private static final List<String> BOUND = List.of("in", "or", "over", "from", "else");

  /// Whether an operand ends here, so that a sign after it is an operation.
  boolean endsOperand() {
    return role == Role.NAME || role == Role.VALUE || role == Role.CLOSE;
  }

  /// Whether a space stands between this word and `next` on one line.
  boolean isApartFrom(Word next) {
    return switch (next.role) {
      case CLOSE, COMMA, SEPARATOR, RANGE -> false;
      case COLON -> role == Role.COMMA;
      case BLOCK_END -> role != Role.BLOCK;
      case OPEN -> role != Role.NAME && role != Role.CLOSE && !isTightBefore();
      default -> !isTightBefore();
    };
  }

  private boolean isTightBefore() {
    return role == Role.OPEN || role == Role.GROUP || role == Role.PREFIX || role == Role.RANGE;
  }

  /// How tightly this word and `next` hold together, if a line may break between them; else [#NEVER].
  int tightness(Word next) {
    if (isDefinition()) {
      return DEFINITION;
    }
    if (role == Role.COMMA) {
      return LIST;
    }
    if (role == Role.OPEN && text.equals("(")) {
      return PARENTHESIS;
    }
    return switch (next.role) {
      case KEYWORD -> BOUND.contains(next.text) || BOUND.contains(text) ? NEVER : KEYWORD;
      case OPERATOR -> next.isDefinition() ? NEVER : tightness(next.text);
      default -> NEVER;
    };
  }

  /// How deep in brackets a break between this word and `next` is. One after `(` counts as deeper, but not as that inside
  /// an index.
  int breakDepth(Word next) {
    return role == Role.OPEN ? depth + 2 : role == Role.COMMA || isDefinition() ? depth : next.depth;
  }

  /// Whether this is `=` or `:=`.
  boolean isDefinition() {
    return text.equals("=") || text.equals(":=");
  }

  private static int tightness(String operator) {
    return switch (operator) {
      case "->" -> ARROW;
      case "||" -> 4;
      case "&&" -> 5;
      case "+", "-" -> 7;
      case "*", "/", "%" -> 8;
      default -> 6;
    };
  }
}
