package dev.einfall.frontend;

/// A function and the file that gives its names a meaning.
record Routine(Syntax.Function function, FileScope file) {
  String name() {
    return function.name().text();
  }
}
