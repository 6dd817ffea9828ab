package dev.einfall.command;

/// The user asked for something that cannot be done. The message says what, and what was expected.
final class UserError extends RuntimeException {
  private static final long serialVersionUID = 1L;

  UserError(String message) {
    super(message);
  }
}
