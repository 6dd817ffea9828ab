package dev.einfall.passes.reduce;

import dev.einfall.ir.cascade.Expr;
import dev.einfall.ir.cascade.Tensor;
import dev.einfall.passes.cascade.Exprs;
import java.util.Set;

/// Whether a chain is worth a running form. It is, over more than one tile, if the result of a product is not stored any more,
/// which without it is as large as both ranks together; or if what the members read of one row does not stay in a near cache
/// from one pass to the next. Otherwise another pass over the row costs less than corrections.
///
/// @param tile the elements of a tile
/// @param rowBytes what stays in a near cache
record Worth(Ancestry ancestry, int tile, long rowBytes) {

  boolean of(Chain chain) {
    long extent = chain.rank().size().value();
    return extent > tile && (savesProduct(chain) || rowBytes(chain) > rowBytes);
  }

  private boolean savesProduct(Chain chain) {
    return chain.absorbed().stream().anyMatch(tensor -> ancestry.einsum(tensor)
        .filter(einsum -> Exprs.hasReduction(einsum.value()) && einsum.ranks().size() > chain.common().size()).isPresent());
  }

  private static long rowBytes(Chain chain) {
    Set<Tensor> read = Exprs.identitySet();
    chain.members().stream().flatMap(member -> member.bodies().stream()).flatMap(Exprs::accesses)
        .filter(access -> access.indices().contains(new Expr.Coordinate(chain.rank()))).forEach(access -> read.add(access.tensor()));
    return read.stream().mapToLong(tensor -> tensor.type().bytes()).sum() * chain.rank().size().value();
  }
}
