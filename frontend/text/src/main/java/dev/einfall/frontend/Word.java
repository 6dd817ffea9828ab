package dev.einfall.frontend;

import java.util.List;

/// A token or a comment of an `.ein` file, as far as its layout depends on it.
///
/// @param line the line of the source that it stands on
/// @param depth how deep in brackets it stands; `[` counts twice, since a line breaks last inside it
/// @param startsItem whether a declaration, statement or directive starts here
record Word(String text, Role role, int line, int depth, boolean startsItem) {

  /// What a word is to its neighbours.
  enum Role { NAME, VALUE, KEYWORD, OPEN, CLOSE, COMMA, COLON, RANGE, SEPARATOR, PREFIX, OPERATOR, BLOCK, BLOCK_END, COMMENT }

  static final int NEVER = Integer.MAX_VALUE;

  private static final int LEVELS = 16;

  /// Keywords that belong to what stands before them: a line does not break there.
  private static final List<String> BOUND = List.of("in", "or", "over", "from");

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
    return role == Role.OPEN || role == Role.PREFIX || role == Role.RANGE;
  }

  /// How bad a break between this word and `next` is, the smaller the better; [#NEVER] if there may be none.
  int breakBefore(Word next) {
    if (role == Role.COMMA) {
      return LEVELS * depth;
    }
    if (isDefinition()) {
      return LEVELS * depth + 5;
    }
    if (role == Role.OPEN && text.equals("(")) {
      return LEVELS * depth + 8;
    }
    return switch (next.role) {
      case KEYWORD -> BOUND.contains(next.text) || role == Role.COMMENT ? NEVER : LEVELS * depth + 1;
      case OPERATOR -> next.isDefinition() ? NEVER : LEVELS * next.depth + looseness(next.text);
      default -> NEVER;
    };
  }

  /// Whether this is `=` or `:=`; a line breaks after it, and only if what follows then fits.
  boolean isDefinition() {
    return text.equals("=") || text.equals(":=");
  }

  /// The operators from the loosest.
  private static int looseness(String operator) {
    return switch (operator) {
      case "->" -> 0;
      case "||" -> 2;
      case "&&" -> 3;
      case "+", "-" -> 5;
      case "*", "/", "%" -> 6;
      default -> 4;
    };
  }
}
