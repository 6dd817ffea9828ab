package dev.einfall.passes.reduce;

import dev.einfall.ir.cascade.Definition;
import dev.einfall.ir.cascade.Einsum;
import dev.einfall.ir.cascade.Tensor;
import dev.einfall.passes.cascade.Decoding;
import dev.einfall.passes.cascade.Exprs;
import java.util.List;
import java.util.Set;

/// Finds the tensors that only the members of a chain read, straight or through each other: they need not be stored. What is decoded once for many rows is stored.
record Absorption(Ancestry ancestry, List<Einsum> members) {

  /// The tensors, none of which is a member's.
  Set<Tensor> tensors() {
    Set<Tensor> inside = Exprs.identitySet();
    Set<Definition> insiders = Exprs.identitySet();
    members.forEach(member -> inside.add(member.tensor()));
    insiders.addAll(members);
    Set<Tensor> absorbed = Exprs.identitySet();
    for (Definition definition : ancestry.cascade().definitions().reversed()) {
      if (definition instanceof Einsum einsum && !inside.contains(einsum.tensor()) && isFree(einsum)) {
        List<Definition> readers = ancestry.readers(einsum.tensor());
        boolean onlyHere = !readers.isEmpty() && !Decoding.isAhead(einsum, readers) && readers.stream().allMatch(reader ->
            reader instanceof Einsum && (absorbed.contains(reader.tensors().getFirst()) || insiders.contains(reader)));
        if (onlyHere) {
          absorbed.add(einsum.tensor());
        }
      }
    }
    return absorbed;
  }

  private boolean isFree(Einsum einsum) {
    return !ancestry.isOutput(einsum.tensor()) && !ancestry.cascade().mapping().speaksOf(einsum.tensor());
  }
}
