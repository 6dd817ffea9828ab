package dev.einfall.passes;

/// A pass failed, or made IR that breaks a rule: a fault of the compiler. `reproducer()` is the IR that it was given, in
/// the format of a golden case.
public final class PassFailure extends RuntimeException {
  private static final long serialVersionUID = 1L;

  private final String reproducer;

  PassFailure(Pass pass, String subject, String input, RuntimeException cause) {
    super("pass " + pass.name() + " failed on " + subject + ": " + cause.getMessage(), cause);
    this.reproducer = "# RUN: " + PassCatalog.text(pass) + "\n\n" + input;
  }

  /// A case that makes the pass fail again.
  public String reproducer() {
    return reproducer;
  }
}
