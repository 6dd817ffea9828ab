package dev.einfall.generated;

/// Stands in the package of the classes that the JVM backend generates, so that they have a package of their own.
public final class Anchor {
  private Anchor() {}
}
