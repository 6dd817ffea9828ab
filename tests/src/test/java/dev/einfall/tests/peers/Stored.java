package dev.einfall.tests.peers;

import dev.einfall.runtime.Tensor;
import java.lang.foreign.ValueLayout;

/// What tensors hold.
final class Stored {
  private Stored() {}

  static byte[] bytes(Tensor tensor) {
    return tensor.data().toArray(ValueLayout.JAVA_BYTE);
  }
}
