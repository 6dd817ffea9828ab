package dev.einfall.tests.programs.oracles;

import java.util.List;
import java.util.function.DoubleUnaryOperator;
import java.util.stream.Stream;

/// The programs in `programs/activation`.
final class ActivationOracles {
  private ActivationOracles() {}

  static List<OracleCase> cases() {
    return List.of(
        elementwise("activation/smooth", Formulas::sigmoid, Formulas::silu, Formulas::gelu,
            x -> 0.5 * x * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (x + 0.044715 * x * x * x))),
            x -> x * Formulas.sigmoid(1.702 * x), x -> Math.log1p(Math.exp(x)),
            x -> x * Math.tanh(Math.log1p(Math.exp(x))), x -> x / (1 + Math.abs(x))),
        elementwise("activation/pieces", ActivationOracles::relu, x -> x > 0 ? x : 0.1 * x, x -> Math.min(relu(x), 6),
            x -> relu(x) * relu(x), x -> x > 0 ? x : 0.7 * Math.expm1(x),
            x -> 1.0507009873554805 * (x > 0 ? x : 1.6732632423543772 * Math.expm1(x)),
            ActivationOracles::hardSigmoid, x -> x * hardSigmoid(x)),
        OracleCase.of("activation/gates").sizes("B=3 D=7 J=17").sizes("B=1 D=1 J=1").givesAll(in -> Stream.<DoubleUnaryOperator>of(
            Formulas::silu, Formulas::gelu, ActivationOracles::relu, Formulas::sigmoid).map(gate -> gated(in, gate)).toList()));
  }

  private static OracleCase elementwise(String program, DoubleUnaryOperator... functions) {
    return OracleCase.of(program).sizes("B=3 N=17").sizes("B=1 N=1").fill("X", Fill.between(-7, 7))
        .givesAll(in -> Stream.of(functions)
            .map(function -> Doubles.of(i -> function.applyAsDouble(in.of("X").get(i)), in.of("X").shape())).toList());
  }

  private static Doubles gated(Inputs in, DoubleUnaryOperator gate) {
    return Doubles.of(i -> product(in, i[0], i[1]) * gate.applyAsDouble(product(in, i[0], i[1] + in.size("J"))),
        in.size("B"), in.size("J"));
  }

  private static double product(Inputs in, int row, int column) {
    return Formulas.dot(in.of("X"), new int[] {row}, in.of("W").reshape(2 * in.size("J"), in.size("D")), new int[] {column});
  }

  private static double relu(double x) {
    return x > 0 ? x : 0;
  }

  private static double hardSigmoid(double x) {
    return x <= -3 ? 0 : x >= 3 ? 1 : x / 6 + 0.5;
  }
}
