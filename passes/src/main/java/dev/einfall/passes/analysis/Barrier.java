package dev.einfall.passes.analysis;

import dev.einfall.ir.Span;
import dev.einfall.ir.cascade.Rank;
import dev.einfall.ir.cascade.Tensor;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/// Why a fiber is read once more: one definition needs all of it, and another, which needs the first, reads it again.
///
/// @param whole the tensor whose definition needs the whole fiber
/// @param wholeSpan where that is
/// @param over the rank of it that runs along the fiber, if one does
/// @param reader the tensor whose definition reads the fiber again
/// @param readerSpan where that is
/// @param along the rank of it that runs along the fiber, if one does
/// @param pass the pass that begins here, from 2
public record Barrier(
    Tensor whole, Span wholeSpan, Optional<Rank> over, Tensor reader, Span readerSpan, Optional<Rank> along, int pass) {

  /// The barriers that lead to `walk`, in order: one less than its pass.
  static List<Barrier> before(Walk walk) {
    List<Barrier> chain = new ArrayList<>();
    Walk reader = walk;
    while (reader.after().isPresent()) {
      Walk.Whole whole = reader.after().get();
      chain.addFirst(new Barrier(whole.tensor(), whole.span(), whole.over(),
          reader.by(), reader.span(), reader.rank(), reader.pass()));
      reader = whole.walk();
    }
    return chain;
  }
}
