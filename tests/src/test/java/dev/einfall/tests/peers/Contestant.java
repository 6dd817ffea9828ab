package dev.einfall.tests.peers;

/// One of several ways to compute one thing, ready to run: its inputs are in place.
interface Contestant extends AutoCloseable {

  /// Computes, and throws the result away.
  void run() throws Exception;

  /// Computes, and gives the result in row-major order.
  float[] result() throws Exception;

  @Override
  void close();
}
