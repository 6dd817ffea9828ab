package dev.einfall.runtime.quantize;

import dev.einfall.frontend.weights.StoredTensor;
import dev.einfall.ir.ElementType;
import dev.einfall.runtime.Options;
import dev.einfall.runtime.Tensor;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// A cache that was an input of floats, and is one for each tensor that a format stores.
///
/// @param type of its elements as they were
/// @param order its dimensions as they are stored: that of the elements of a row last
/// @param names of the inputs
/// @param remade the caches that it stands for, if it was none of the program's
record CacheInput(String name, ElementType type, CacheFormat format, List<Integer> order, List<String> names, Optional<Rematerialisation.Remade> remade) {

  CacheInput with(Optional<Rematerialisation.Remade> newRemade) {
    return new CacheInput(name, type, format, order, names, newRemade);
  }

  /// What becomes of a row.
  QuantizationReport.Cache row() {
    String encoding = format.encoding().type(format.length());
    return remade.map(other -> new QuantizationReport.Cache(String.join(" and ", other.caches().stream().map(cache -> cache.input().name()).toList()), encoding, names,
            Optional.of(other.origin().tensor().name()), other.bytesBefore(), other.elements() / format.length() * format.bytes()))
        .orElse(new QuantizationReport.Cache(name, encoding, names, Optional.empty(), (long) format.length() * type.bytes(), format.bytes()));
  }

  /// Inputs of the program with these caches for inputs of the one that it was made of. Who asks closes them.
  static Map<String, Tensor> encoded(List<CacheInput> caches, Map<String, Tensor> inputs, Options options) {
    Map<String, Tensor> encoded = new LinkedHashMap<>();
    inputs.forEach((name, tensor) -> caches.stream().filter(cache -> cache.name.equals(name)).findFirst()
        .ifPresentOrElse(cache -> cache.encode(tensor, encoded, options), () -> encoded.put(name, Tensor.copyOf(tensor.type(), tensor.data(), shape(tensor.shape())))));
    return encoded;
  }

  private void encode(Tensor tensor, Map<String, Tensor> encoded, Options options) {
    Matrix rows = Matrix.of(new StoredTensor(name, tensor.type(), tensor.shape(), tensor.data()), order);
    try (EncodingProgram program = new EncodingProgram(format.encoding(), rows.rows(), rows.length(), options)) {
      List<StoredTensor> parts = program.encode(rows.elements());
      for (int i = 0; i < parts.size(); i++) {
        List<Long> shape = new ArrayList<>(order.subList(0, order.size() - 1).stream().map(tensor.shape()::get).toList());
        shape.addAll(parts.get(i).shape().subList(1, parts.get(i).shape().size()));
        encoded.put(names.get(i), Tensor.copyOf(parts.get(i).type(), parts.get(i).data(), shape(shape)));
      }
    }
  }

  private static long[] shape(List<Long> shape) {
    return shape.stream().mapToLong(Long::longValue).toArray();
  }
}
