package dev.einfall.tests.peers;

import java.util.Locale;

/// The main class of `tests/peers`.
public final class Peers {
  private Peers() {}

  /// `minilm` measures all cases; `minilm start ENGINE` is what it runs in a process of its own for each engine.
  public static void main(String[] arguments) throws Exception {
    Locale.setDefault(Locale.ROOT);
    switch (String.join(" ", arguments)) {
      case "minilm" -> {
        MiniLmPeers.run();
        MiniLmStart.runAll();
      }
      case "minilm start einfall" -> MiniLmStart.einfall();
      case "minilm start onnxruntime" -> MiniLmStart.onnxRuntime();
      default -> {
        System.err.println("usage: tests/peers minilm");
        System.exit(2);
      }
    }
  }
}
