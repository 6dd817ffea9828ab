package dev.einfall.runtime.quantize;

import dev.einfall.frontend.weights.StoredTensor;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/// A weight after what is done before it is rounded.
///
/// @param rows those that are rounded
/// @param sums of products of what they are multiplied with, if that is known
/// @param maps what was done, in order
/// @param stages the rows before each of these
record Mapped(Matrix rows, Optional<double[]> sums, List<ChannelMap> maps, List<float[]> stages) {

  static Mapped of(Matrix matrix, Optional<double[]> sums, List<ChannelMap> maps) {
    Mapped mapped = new Mapped(matrix, sums, List.of(), List.of());
    for (ChannelMap map : maps) {
      mapped = mapped.then(map);
    }
    return mapped;
  }

  Mapped then(ChannelMap map) {
    List<ChannelMap> all = new ArrayList<>(maps);
    all.add(map);
    List<float[]> before = new ArrayList<>(stages);
    before.add(rows.elements());
    return new Mapped(new Matrix(rows.rows(), rows.length(), map.weights(rows.elements())), sums.map(map::sums), all, before);
  }

  /// What rows that are stored stand for.
  double[] undone(double[] stored) {
    double[] undone = stored.clone();
    for (int i = maps.size() - 1; i >= 0; i--) {
      maps.get(i).undo(undone, stages.get(i));
    }
    return undone;
  }

  /// The columns of this weight that stay as they are, for its key.
  List<StoredTensor> outliers(String key) {
    List<StoredTensor> columns = new ArrayList<>();
    for (int i = 0; i < maps.size(); i++) {
      if (maps.get(i) instanceof OutlierColumns outliers) {
        columns.add(Rounding.halves(key + OutlierColumns.OUTLIERS, outliers.of(stages.get(i)), rows.rows(), outliers.columns().length));
      }
    }
    return columns;
  }
}
