package dev.einfall.runtime.quantize;

/// Is told of what is done while a program is quantized.
@FunctionalInterface
public interface QuantizationProgress {

  /// A weight is finished.
  ///
  /// @param done how many are
  void finished(int done, int all, QuantizationReport.Row weight);

  /// A run of the program is finished.
  ///
  /// @param what these runs are for
  /// @param done how many are
  default void ran(String what, int done, int all) {}
}
