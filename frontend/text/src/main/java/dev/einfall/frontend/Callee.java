package dev.einfall.frontend;

/// What the name of a function stands for.
sealed interface Callee {

  /// A function of this file or of another.
  record Defined(Routine routine) implements Callee {}

  /// A scalar function of the language, which a caller has passed.
  record BuiltIn(String name) implements Callee {}

  /// A parameter of a function that is checked without a call.
  record Unknown() implements Callee {}
}
