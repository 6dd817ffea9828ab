package dev.einfall.backends.reference;

import dev.einfall.ir.loop.Kernel;
import java.util.List;

/// Runs a kernel statement by statement.
public final class KernelInterpreter {
  private KernelInterpreter() {}

  public static void run(Kernel kernel, List<Array> buffers) {
    throw new UnsupportedOperationException();
  }
}
