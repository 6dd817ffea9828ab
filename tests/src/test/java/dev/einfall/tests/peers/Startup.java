package dev.einfall.tests.peers;

import java.util.EnumMap;
import java.util.List;
import java.util.Map;

/// What one engine took to start in one JVM.
record Startup(Map<Figure, Double> figures) {

  /// What is measured, in the order of the table.
  enum Figure {
    NEW_READY("new JVM: ms to compile"),
    NEW_FIRST("new JVM: ms to the first result"),
    NEW_STEADY("new JVM: ms to 90 % of steady speed"),
    STEADY_RUN("steady: us a run"),
    PEAK("new JVM: MB at the peak"),
    WARM_READY("warm JVM: ms to compile"),
    WARM_FIRST("warm JVM: ms to the first result");

    private final String meaning;

    Figure(String meaning) {
      this.meaning = meaning;
    }

    String meaning() {
      return meaning;
    }
  }

  /// NaN where it is not known.
  double get(Figure figure) {
    return figures.getOrDefault(figure, Double.NaN);
  }

  /// Each figure's median over all JVMs.
  static Startup median(List<Startup> all) {
    Map<Figure, Double> medians = new EnumMap<>(Figure.class);
    for (Figure figure : Figure.values()) {
      double[] sorted = all.stream().mapToDouble(one -> one.get(figure)).sorted().toArray();
      medians.put(figure, sorted[sorted.length / 2]);
    }
    return new Startup(medians);
  }

  /// A line for each figure, which [#read] reads.
  String written() {
    StringBuilder text = new StringBuilder();
    figures.forEach((figure, value) -> text.append(figure).append('=').append(value).append('\n'));
    return text.toString();
  }

  static Startup read(String written) {
    Map<Figure, Double> figures = new EnumMap<>(Figure.class);
    for (String line : written.lines().toList()) {
      String[] parts = line.split("=", 2);
      figures.put(Figure.valueOf(parts[0]), Double.valueOf(parts[1]));
    }
    return new Startup(figures);
  }
}
