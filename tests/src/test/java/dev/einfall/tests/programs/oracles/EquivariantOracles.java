package dev.einfall.tests.programs.oracles;

import static dev.einfall.tests.programs.oracles.PlainLoops.sum;

import java.util.List;
import java.util.function.ToDoubleFunction;

/// The programs in `programs/equivariant`.
final class EquivariantOracles {
  private static final double GOLDEN = (1 + Math.sqrt(5)) / 2;

  private EquivariantOracles() {}

  static List<OracleCase> cases() {
    return List.of(OracleCase.of("equivariant/gaunt").sizes("R=1").sizes("R=17").fill("points", Fill.values(icosahedron()))
        .fill("measure", (type, shape, random, sizes) ->
            Fill.between(Math.PI / 3, Math.PI / 3 + 1e-12).array(type, shape, random, sizes))
        .givesAll(EquivariantOracles::gaunt));
  }

  /// The corners of an icosahedron: their mean integrates polynomials of degree 5 over the sphere.
  private static double[] icosahedron() {
    double[] points = new double[36];
    double scale = 1 / Math.sqrt(1 + GOLDEN * GOLDEN);
    for (int p = 0; p < 12; p++) {
      int axis = p / 4;
      points[3 * p + axis] = (float) (p % 2 == 0 ? scale : -scale);
      points[3 * p + (axis + 1) % 3] = (float) ((p % 4 / 2 == 0 ? scale : -scale) * GOLDEN);
    }
    return points;
  }

  /// The harmonics, as functions of (x, y, z).
  private static double harmonic(int k, double[] v) {
    double s = Math.sqrt(1 / Math.PI);
    return switch (k) {
      case 0 -> s / 2;
      case 1 -> s * Math.sqrt(3) / 2 * v[1];
      case 2 -> s * Math.sqrt(3) / 2 * v[2];
      case 3 -> s * Math.sqrt(3) / 2 * v[0];
      case 4 -> s * Math.sqrt(15) / 2 * v[0] * v[1];
      case 5 -> s * Math.sqrt(15) / 2 * v[1] * v[2];
      case 6 -> s * Math.sqrt(5) / 4 * (3 * v[2] * v[2] - 1);
      case 7 -> s * Math.sqrt(15) / 2 * v[0] * v[2];
      default -> s * Math.sqrt(15) / 4 * (v[0] * v[0] - v[1] * v[1]);
    };
  }

  private static List<Doubles> gaunt(Inputs in) {
    double[][][] triple = new double[4][4][9];
    for (int i = 0; i < 4; i++) {
      for (int j = 0; j < 4; j++) {
        for (int o = 0; o < 9; o++) {
          int a = i;
          int b = j;
          int c = o;
          triple[i][j][o] = integral(v -> harmonic(a, v) * harmonic(b, v) * harmonic(c, v));
        }
      }
    }
    Doubles y = Doubles.of(i -> sum(16, k -> in.of("a").get(i[0], k / 4) * in.of("b").get(i[0], k % 4)
        * triple[k / 4][k % 4][i[1]]), in.size("R"), 9);
    Doubles u = in.of("u");
    Doubles v = in.of("v");
    Doubles crossed = Doubles.of(i -> u.get(i[0], (i[1] + 1) % 3) * v.get(i[0], (i[1] + 2) % 3)
        - u.get(i[0], (i[1] + 2) % 3) * v.get(i[0], (i[1] + 1) % 3), in.size("R"), 3);
    return List.of(y, y, crossed);
  }

  /// Over the sphere, by Gauss' rule of 4 points along z and 8 equal steps around it: exact up to degree 7.
  private static double integral(ToDoubleFunction<double[]> f) {
    double[] nodes = {0.8611363115940526, 0.3399810435848563, -0.3399810435848563, -0.8611363115940526};
    double[] weights = {0.3478548451374538, 0.6521451548625461, 0.6521451548625461, 0.3478548451374538};
    return sum(32, k -> {
      double z = nodes[k / 8];
      double angle = 2 * Math.PI * (k % 8) / 8;
      double radius = Math.sqrt(1 - z * z);
      return weights[k / 8] * Math.PI / 4 * f.applyAsDouble(new double[] {radius * Math.cos(angle), radius * Math.sin(angle), z});
    });
  }
}
