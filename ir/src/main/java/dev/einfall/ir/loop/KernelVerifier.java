package dev.einfall.ir.loop;

/// Checks what the constructors of the loop level cannot see.
public final class KernelVerifier {
  private KernelVerifier() {}

  /// @throws dev.einfall.ir.InternalException that prints the statement at fault
  public static void verify(Kernel kernel) {
  }
}
