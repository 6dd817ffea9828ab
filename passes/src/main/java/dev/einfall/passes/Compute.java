package dev.einfall.passes;

/// What the factors of products of `f32` are rounded to; these are the most work of most programs; sums are of `f32` all the same.
public enum Compute {
  /// They are as the program says.
  F32,
  /// Numbers of 16 bits with the exponent of `f32`, whose products many machines add twice as fast, with a relative error of up to 1/256 each.
  BF16,
  /// Of products by weights of few bits alone: where the machine multiplies bytes, the rows that meet integers are rounded to bytes, each number to 1/254 of the largest of its row;
  /// where one of its instructions chooses among as many bytes as a vector has, it is what a row and a code make, of up to 4 rows. All else is as the program says.
  I8
}
