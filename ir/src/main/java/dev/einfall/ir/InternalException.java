package dev.einfall.ir;

/// The compiler is wrong: an invariant does not hold. Never a user's mistake, which is a [CompileException].
public final class InternalException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  public InternalException(String message) {
    super(message);
  }

  public InternalException(String message, Throwable cause) {
    super(message, cause);
  }
}
