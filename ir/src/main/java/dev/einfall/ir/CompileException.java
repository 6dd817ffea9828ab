package dev.einfall.ir;

import java.util.List;
import java.util.stream.Collectors;

/// A program, a shape or a file that the user gave cannot be compiled. The message holds every diagnostic,
/// each with its place; the stack trace is of no use to the user.
public final class CompileException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  private final transient List<Diagnostic> diagnostics;

  public CompileException(List<Diagnostic> diagnostics) {
    super(diagnostics.stream().map(Diagnostic::render).collect(Collectors.joining()).stripTrailing());
    this.diagnostics = List.copyOf(diagnostics);
  }

  public CompileException(Diagnostic diagnostic) {
    this(List.of(diagnostic));
  }

  /// An error that has no place in a source text, such as an unreadable file.
  public static CompileException of(String message) {
    return new CompileException(Diagnostic.error(Span.NONE, message));
  }

  public List<Diagnostic> diagnostics() {
    return diagnostics;
  }
}
