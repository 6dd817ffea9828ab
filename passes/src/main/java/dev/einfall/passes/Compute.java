package dev.einfall.passes;

/// What the factors of products of `f32` are rounded to; these are the most work of most programs; sums are of `f32` all the same.
public enum Compute {
  /// They are as the program says.
  F32,
  /// Numbers of 16 bits with the exponent of `f32`, whose products many machines add twice as fast, with a relative error of up to 1/256 each.
  BF16,
  /// Of products by weights of few bits alone, and on machines that choose among as many bytes as a vector has by one instruction: what such weights stand for, multiplied by the
  /// other factor, is rounded to bytes, each to 1/254 of the largest of some neighbours. All else is as the program says.
  I8
}
