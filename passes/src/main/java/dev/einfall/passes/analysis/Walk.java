package dev.einfall.passes.analysis;

import dev.einfall.ir.Span;
import dev.einfall.ir.cascade.Rank;
import dev.einfall.ir.cascade.Tensor;
import java.util.Optional;

/// A traversal of a fiber, or of what is computed of it element by element, by the Einsum or update that defines `by`.
///
/// @param pass in which pass over the fiber at the earliest, from 1; 0 for the fiber itself, before anybody reads it
/// @param by the tensor defined
/// @param span where it is defined
/// @param rank the rank that runs along the fiber; empty where a copy of all does
/// @param after what has to be whole before, if that is why it is not one pass earlier
public record Walk(int pass, Tensor by, Span span, Optional<Rank> rank, Optional<Whole> after) {

  /// A value that depends on a fiber as a whole.
  ///
  /// @param pass after which pass it is known
  /// @param tensor the tensor that is defined by it, or with it
  /// @param span where that is defined
  /// @param over the rank that runs along the fiber there, if one does
  /// @param walk the traversal that ends with it
  public record Whole(int pass, Tensor tensor, Span span, Optional<Rank> over, Walk walk) {}
}
