package dev.einfall.backends.jvm;

/// How large the methods of a kernel's class may be. All shapes compute the same.
public enum Shape {
  /// As much in a method as HotSpot's optimizing compiler usually takes well.
  USUAL("methods of the usual size", Weight.COMFORTABLE),
  /// For code that it does not take well: less for its register allocation and its inlining to go wrong about.
  SMALL("smaller methods", Weight.COMFORTABLE / 2);

  private final String text;
  private final long weight;

  Shape(String text, long weight) {
    this.text = text;
    this.weight = weight;
  }

  /// In a few words.
  public String text() {
    return text;
  }

  /// The weight of a method, about.
  long weight() {
    return weight;
  }
}
