package dev.einfall.tests.jvm;

/// Texts of matrix products with register tiles.
final class Products {
  private Products() {}

  /// `Y[m, n] = X[m, k] * W[n2, k, n0]` with tiles of `rows` rows and `vectors` vectors of `lanes`.
  static String tile(int rows, int vectors, int lanes, int m, int n, int k) {
    int panel = vectors * lanes;
    int panels = (n + panel - 1) / panel;
    StringBuilder text = new StringBuilder();
    text.append("kernel product(X: f32[%d, %d], W: f32[%d, %d, %d], Y: f32[%d, %d]) {\n".formatted(m, k, panels, k, panel, m, panels * panel));
    text.append("parallel for n2 in 0..%d {\nfor m1 in 0..%d {\nalloc acc: f32[%d, %d] in registers {\n".formatted(panels, m / rows, rows, panel));
    each(rows, vectors, (i, j) -> text.append("%s = broadcast(0.0, %d)\n".formatted(cell(i, j, lanes), lanes)));
    text.append("for k in 0..%d {\n".formatted(k));
    for (int j = 0; j < vectors; j++) {
      text.append("let b%d: f32x%d = W[n2, k, ramp(%d, 1, %d)]\n".formatted(j, lanes, j * lanes, lanes));
    }
    each(rows, vectors, (i, j) -> text.append("%s = fma(broadcast(X[m1 * %d + %d, k], %d), b%d, %s)\n"
        .formatted(cell(i, j, lanes), rows, i, lanes, j, cell(i, j, lanes))));
    text.append("}\n");
    each(rows, vectors, (i, j) -> text.append("Y[m1 * %d + %d, ramp(n2 * %d + %d, 1, %d)] = %s\n"
        .formatted(rows, i, panel, j * lanes, lanes, cell(i, j, lanes))));
    return text.append("}\n}\n}\n}\n").toString();
  }

  private static String cell(int i, int j, int lanes) {
    return "acc[%d, ramp(%d, 1, %d)]".formatted(i, j * lanes, lanes);
  }

  private interface Place {
    void at(int i, int j);
  }

  private static void each(int rows, int vectors, Place place) {
    for (int i = 0; i < rows; i++) {
      for (int j = 0; j < vectors; j++) {
        place.at(i, j);
      }
    }
  }
}
