package dev.einfall.runtime;

import dev.einfall.frontend.weights.StoredTensor;
import dev.einfall.frontend.weights.WeightsFile;
import dev.einfall.ir.CompileException;
import dev.einfall.ir.Diagnostic;
import dev.einfall.ir.cascade.Cascade;
import dev.einfall.runtime.plans.Outline;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// The weights of a program, checked against their declarations.
final class Weights {
  private final Map<String, StoredTensor> tensors;

  private Weights(Map<String, StoredTensor> tensors) {
    this.tensors = tensors;
  }

  /// Finds the weights of `cascade` in `file`, and binds the size names in their declared shapes.
  ///
  /// @throws CompileException when one is missing or has another type or shape
  static Weights find(Cascade cascade, Optional<WeightsFile> file, SizeBinding sizes) {
    Map<String, StoredTensor> tensors = new LinkedHashMap<>();
    for (Cascade.Weight weight : cascade.weights()) {
      StoredTensor stored = file.orElseThrow(() -> error(weight, "the program reads weights, such as '" + weight.key()
          + "', and no weights file is given")).find(weight.key()).orElseThrow(() -> missing(weight, file.get()));
      if (stored.type() != weight.tensor().type()) {
        throw error(weight, "weight '" + weight.key() + "' of " + file.get().name() + " has the type " + stored.type()
            + ", declared " + weight.tensor().type());
      }
      bind(weight, stored, file.get(), sizes);
      tensors.put(weight.key(), stored);
    }
    return new Weights(tensors);
  }

  /// Finds in `file` the weights of a program that is known by its outline, and binds the size names in their declared shapes; empty when one
  /// is missing or has another type or shape.
  static Optional<Weights> find(List<Outline.Weight> declared, Optional<WeightsFile> file, SizeBinding sizes) {
    Map<String, StoredTensor> tensors = new LinkedHashMap<>();
    for (Outline.Weight weight : declared) {
      Optional<StoredTensor> stored = file.flatMap(opened -> opened.find(weight.key())).filter(tensor -> tensor.type() == weight.tensor().type());
      if (stored.isEmpty()) {
        return Optional.empty();
      }
      try {
        sizes.add(label(weight.key(), file.get()), weight.tensor().shape(), stored.get().shape());
      } catch (IllegalArgumentException _) {
        return Optional.empty();
      }
      tensors.put(weight.key(), stored.get());
    }
    return Optional.of(new Weights(tensors));
  }

  private static CompileException missing(Cascade.Weight weight, WeightsFile file) {
    try {
      file.require(weight.key());
    } catch (CompileException e) {
      return error(weight, e.diagnostics().getFirst().message());
    }
    return error(weight, "weight '" + weight.key() + "' came and went in " + file.name());
  }

  private static void bind(Cascade.Weight weight, StoredTensor stored, WeightsFile file, SizeBinding sizes) {
    try {
      sizes.add(label(weight.key(), file), weight.tensor().shape(), stored.shape());
    } catch (IllegalArgumentException e) {
      throw error(weight, e.getMessage());
    }
  }

  private static String label(String key, WeightsFile file) {
    return "weight '" + key + "' of " + file.name();
  }

  private static CompileException error(Cascade.Weight weight, String message) {
    return new CompileException(Diagnostic.error(weight.tensor().span(), message));
  }

  /// The weight stored as `key`.
  StoredTensor get(String key) {
    return tensors.get(key);
  }
}
