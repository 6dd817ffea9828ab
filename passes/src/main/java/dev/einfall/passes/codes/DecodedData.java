package dev.einfall.passes.codes;

import dev.einfall.ir.cascade.Cascade;
import dev.einfall.ir.cascade.Einsum;
import dev.einfall.ir.cascade.Expr;
import dev.einfall.ir.cascade.Tensor;
import dev.einfall.passes.cascade.Constants;
import dev.einfall.passes.cascade.Decoding;
import dev.einfall.passes.cascade.Exprs;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;

/// The tensors of a cascade whose elements are what bytes of data stand for, one by one: caches of few bits as they are multiplied.
///
/// @param constant the tensors that weights determine, which are none of these
record DecodedData(Set<Tensor> constant, Set<Tensor> decoded, Map<Tensor, Einsum> definitions) {
  static DecodedData of(Cascade cascade) {
    Set<Tensor> constant = Constants.of(cascade);
    Set<Tensor> decoded = Exprs.identitySet();
    for (Einsum einsum : cascade.einsums()) {
      boolean isElementwise = !Exprs.hasReduction(einsum.value()) && !Exprs.hasFold(einsum.value()) && !constant.contains(einsum.tensor());
      if (isElementwise && !Decoding.isByte(einsum.tensor()) && einsum.reads().anyMatch(tensor -> Decoding.isByte(tensor) && !constant.contains(tensor) || decoded.contains(tensor))) {
        decoded.add(einsum.tensor());
      }
    }
    return new DecodedData(constant, decoded, Exprs.definitions(cascade.einsums()));
  }

  /// Whether `tensor` has bytes, and of data.
  boolean isCode(Tensor tensor) {
    return Decoding.isByte(tensor) && !constant.contains(tensor);
  }

  /// Whether `expr` reads bytes of data itself.
  boolean isCoded(Expr expr) {
    return Exprs.accesses(expr).anyMatch(access -> isCode(access.tensor()));
  }

  /// `body`, which is evaluated at `points`, with the elements that it decodes where few rows use each.
  Expr decodedIn(Expr body, long points) {
    Set<Tensor> few = decoded.stream().filter(tensor -> Decoding.isInPlace(tensor, points)).collect(Collectors.toCollection(Exprs::identitySet));
    return new Inlining(few, definitions).inlined(body);
  }
}
