package dev.einfall.backends.reference;

import dev.einfall.ir.cascade.Cascade;
import dev.einfall.ir.cascade.Tensor;
import java.util.Map;

/// Computes a cascade point by point.
public final class CascadeInterpreter {
  private CascadeInterpreter() {}

  public static Map<Tensor, Array> run(Cascade cascade, Map<Tensor, Array> inputsAndWeights) {
    throw new UnsupportedOperationException();
  }
}
