package dev.einfall.frontend;

import dev.einfall.ir.Size;

/// A value that is known when the program is read: a constant, the number of a loop, a size.
sealed interface Static {

  /// A whole number, which may have the names of sizes in it.
  record Whole(Size size) implements Static {
    @Override
    public String toString() {
      return size.toString();
    }
  }

  record Real(double value) implements Static {
    @Override
    public String toString() {
      return Double.toString(value);
    }
  }

  record Truth(boolean value) implements Static {
    @Override
    public String toString() {
      return Boolean.toString(value);
    }
  }
}
