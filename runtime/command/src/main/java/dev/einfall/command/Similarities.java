package dev.einfall.command;

import dev.einfall.ir.ElementType;
import dev.einfall.runtime.Tensor;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;

/// The cosine of the angle between any two rows of a matrix.
record Similarities(double[][] cosines) {
  private static final int LABEL_WIDTH = 40;

  /// The similarities of the rows of the output `embedding`, or of the only other `f32` matrix among `outputs`.
  static Optional<Similarities> of(Map<String, Tensor> outputs) {
    List<Tensor> matrices = outputs.values().stream()
        .filter(tensor -> tensor.type() == ElementType.F32 && tensor.shape().size() == 2).toList();
    Tensor named = outputs.get("embedding");
    if (named != null && matrices.contains(named)) {
      return Optional.of(of(named));
    }
    return matrices.size() == 1 ? Optional.of(of(matrices.getFirst())) : Optional.empty();
  }

  private static Similarities of(Tensor matrix) {
    int rows = matrix.shape().get(0).intValue();
    int columns = matrix.shape().get(1).intValue();
    float[] values = matrix.floats();
    double[][] cosines = new double[rows][rows];
    for (int i = 0; i < rows; i++) {
      for (int j = 0; j < rows; j++) {
        cosines[i][j] = dot(values, columns, i, j) / Math.sqrt(dot(values, columns, i, i) * dot(values, columns, j, j));
      }
    }
    return new Similarities(cosines);
  }

  private static double dot(float[] values, int columns, int left, int right) {
    double sum = 0;
    for (int i = 0; i < columns; i++) {
      sum += (double) values[left * columns + i] * values[right * columns + i];
    }
    return sum;
  }

  /// A table with a row for each text.
  String text(List<String> labels) {
    StringBuilder text = new StringBuilder("cosine similarity\n");
    for (int i = 0; i < cosines.length; i++) {
      text.append("  ").append(label(labels.get(i)));
      for (double cosine : cosines[i]) {
        text.append(String.format(Locale.ROOT, " %6.3f", cosine));
      }
      text.append('\n');
    }
    return text.toString();
  }

  private static String label(String label) {
    String line = label.replaceAll("\\s+", " ");
    String cut = line.length() > LABEL_WIDTH ? line.substring(0, LABEL_WIDTH - 3) + "..." : line;
    return cut + " ".repeat(LABEL_WIDTH - cut.length());
  }
}
