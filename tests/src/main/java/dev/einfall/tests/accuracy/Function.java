package dev.einfall.tests.accuracy;

import dev.einfall.ir.UnaryOp;
import java.util.Locale;
import java.util.Optional;
import java.util.function.DoubleUnaryOperator;

/// The functions of `f32` that are arithmetic, and those of the library that activations use most.
public enum Function {
  EXP(UnaryOp.EXP), LOG(UnaryOp.LOG), TANH(UnaryOp.TANH), ERF(UnaryOp.ERF), RSQRT(UnaryOp.RSQRT), SIN(UnaryOp.SIN), COS(UnaryOp.COS),
  SIGMOID(x -> 1 / (1 + Math.exp(-x))),
  GELU(x -> 0.5 * x * (1 + UnaryOp.ERF.onNumbers().applyAsDouble(x / Math.sqrt(2))));

  private final Optional<UnaryOp> operator;
  private final DoubleUnaryOperator exact;

  Function(UnaryOp operator) {
    this.operator = Optional.of(operator);
    this.exact = operator.onNumbers();
  }

  Function(DoubleUnaryOperator exact) {
    this.operator = Optional.empty();
    this.exact = exact;
  }

  /// The operator of the language that it is; none for a formula of several.
  public Optional<UnaryOp> operator() {
    return operator;
  }

  public String text() {
    return name().toLowerCase(Locale.ROOT);
  }

  /// A program that applies it to `size` floats `X`.
  String program(String size) {
    return "import std.activation\ndef f(X: f32[" + size + "]) -> (Y: f32[" + size + "]) { return " + text() + "(X) }";
  }

  double exact(double x) {
    return exact.applyAsDouble(x);
  }

  /// Whether errors are counted in units in the last place of the argument. `gelu` subtracts from it what leaves almost nothing where
  /// it is below 0.
  boolean isInUnitsOfArgument() {
    return this == GELU;
  }
}
