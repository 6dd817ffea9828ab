package dev.einfall.ir.cascade;

/// Checks what the constructors of the cascade level cannot see.
public final class CascadeVerifier {
  private CascadeVerifier() {}

  /// @throws dev.einfall.ir.InternalException that names the part at fault
  public static void verify(Cascade cascade) {
  }
}
