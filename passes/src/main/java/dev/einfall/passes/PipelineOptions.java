package dev.einfall.passes;

/// What a program is compiled for. Whatever is compiled with other options is other code.
///
/// @param target the machine
/// @param numerics how far results may be from the order and the roundings of the source
public record PipelineOptions(Target target, Numerics numerics) {

  /// The usual options for `target`.
  public static PipelineOptions of(Target target) {
    return new PipelineOptions(target, Numerics.REASSOCIATE);
  }

  public PipelineOptions withNumerics(Numerics newNumerics) {
    return new PipelineOptions(target, newNumerics);
  }
}
