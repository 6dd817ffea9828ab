package dev.einfall.passes;

/// What the factors of products of `f32` are rounded to, which are the most work of most programs; sums are of `f32` all the same.
public enum Compute {
  /// They are as the program says.
  F32,
  /// Numbers of 16 bits with the exponent of `f32`, whose products many machines add twice as fast, with a relative error of up to 1/256 each.
  BF16
}
