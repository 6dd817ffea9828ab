package dev.einfall.ir.cascade;

import dev.einfall.ir.Size;
import java.util.List;
import java.util.Map;

/// What the text of a cascade says in fewer words than there are definitions: formats of weights, and calls of functions.
///
/// ```
/// weight W: int4(group = 64)[384, 1536] = "w"
/// X_scale, X_code = encode_int8(X, 1536)
/// ```
///
/// @param types for a weight, what stands in the place of its element type
/// @param calls for a tensor, the call that is written in the place of its definition
public record Shorthand(Map<Tensor, String> types, Map<Tensor, Call> calls) {

  /// A call.
  ///
  /// @param sizes what the function takes behind the tensors
  public record Call(List<Tensor> results, String function, List<Tensor> arguments, List<Size> sizes) {
    public Call {
      results = List.copyOf(results);
      arguments = List.copyOf(arguments);
      sizes = List.copyOf(sizes);
    }
  }

  /// Nothing is said in fewer words.
  public static Shorthand none() {
    return new Shorthand(Map.of(), Map.of());
  }
}
