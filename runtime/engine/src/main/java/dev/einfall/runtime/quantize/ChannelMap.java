package dev.einfall.runtime.quantize;

import dev.einfall.frontend.weights.StoredTensor;
import dev.einfall.ir.cascade.Tensor;
import java.util.List;

/// A linear map along the rank that is summed, of what products multiply weights with, and the one of these weights for which the products stay what they are:
/// a [Step], for the weights that one tensor is multiplied with.
sealed interface ChannelMap permits ChannelScales, ChannelOrder, ChannelRotation, OutlierColumns {

  /// What is stored in the place of rows of a weight.
  float[] weights(float[] rows);

  /// The sums of products of what the stored rows are multiplied with.
  ///
  /// @param sums those of what the rows were multiplied with
  double[] sums(double[] sums);

  /// Makes of rows that are stored those that they stand for.
  ///
  /// @param before the rows of the weight before the map
  void undo(double[] rows, float[] before);

  /// What the program reads to do the same.
  ///
  /// @param key of the weight behind whose it is stored
  List<StoredTensor> stored(String key);

  /// Whose a map is.
  ///
  /// @param key of the weight behind whose what it needs is stored
  /// @param name of the tensor after which that is called
  record Owner(String key, String name) {}

  /// What is multiplied with the stored weights, in the place of `input`.
  Tensor applied(Tensor input, Owner owner, Additions additions);
}
