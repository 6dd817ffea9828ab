package dev.einfall.passes.codes;

import dev.einfall.ir.cascade.Einsum;
import dev.einfall.ir.cascade.Expr;
import dev.einfall.ir.cascade.Rank;
import dev.einfall.ir.cascade.Tensor;
import dev.einfall.passes.cascade.Exprs;
import dev.einfall.passes.cascade.IndexForm;
import java.util.ArrayList;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/// Rows of a table that are chosen by data, decoded where they are read.
///
/// ```
/// W[v, d] = f32(C[v, d]) * S[v, d / 64]     X[t, d] = W[ids[t], d]     =>     X[t, d] = f32(C[ids[t], d]) * S[ids[t], d / 64]
/// ```
record DecodedGather(Inlining inlining) {
  /// `einsum` with what it gathers decoded, if that is worth it.
  Einsum decoded(Einsum einsum) {
    return inlining.isConstant(einsum.tensor()) ? einsum
        : einsum.withValue(Exprs.rewrite(einsum.value(), node -> node instanceof Expr.Access access ? decoded(access, einsum) : node));
  }

  private Expr decoded(Expr.Access access, Einsum reader) {
    boolean isGather = access.outside().isEmpty() && access.indices().stream().anyMatch(DecodedGather::isOfData);
    Optional<Einsum> table = Optional.of(access.tensor()).filter(_ -> isGather).flatMap(inlining::definition).filter(einsum -> isSeldomRead(einsum, reader));
    return table.flatMap(einsum -> at(einsum, inlining.inlined(einsum.value()), access.indices())).orElse(access);
  }

  private static boolean isOfData(Expr index) {
    return Exprs.accesses(index).findAny().isPresent();
  }

  /// Whether fewer elements are read than there are.
  private static boolean isSeldomRead(Einsum table, Einsum reader) {
    return !Exprs.hasReduction(table.value()) && !Exprs.hasReduction(reader.value()) && Exprs.volume(reader.ranks()) <= Exprs.volume(table.ranks());
  }

  /// `value` at `indices`, if it reads less and a chosen row is inside of all that it reads just where it is inside of the table.
  private static Optional<Expr> at(Einsum table, Expr value, List<Expr> indices) {
    Set<Tensor> read = Exprs.identitySet();
    Exprs.accesses(value).forEach(access -> read.add(access.tensor()));
    boolean isWorthwhile = DecodedProduct.WORTH * read.stream().mapToDouble(Exprs::bytes).sum() <= Exprs.bytes(table.tensor());
    Map<Rank, Expr> plain = new IdentityHashMap<>();
    Map<Rank, Expr> chosen = new IdentityHashMap<>();
    for (int i = 0; i < indices.size(); i++) {
      (isOfData(indices.get(i)) ? chosen : plain).put(table.ranks().get(i), indices.get(i));
    }
    boolean areRows = chosen.keySet().stream().allMatch(rank -> areRows(value, rank));
    return isWorthwhile && areRows ? Optional.of(IndexForm.withSimpleIndices(at(value, plain, chosen))) : Optional.empty();
  }

  /// Whether nothing but whole dimensions of all that `value` reads lies along `rank`.
  private static boolean areRows(Expr value, Rank rank) {
    return switch (value) {
      case Expr.Coordinate(Rank other) -> other != rank;
      case Expr.Access access -> {
        List<Integer> along = new ArrayList<>();
        for (int i = 0; i < access.indices().size(); i++) {
          if (Exprs.freeRanks(access.indices().get(i)).contains(rank)) {
            along.add(i);
          }
        }
        yield access.outside().isEmpty() && along.size() == 1 && access.indices().get(along.getFirst()) instanceof Expr.Coordinate
            && access.tensor().shape().get(along.getFirst()).equals(rank.size());
      }
      case Expr.Select _ -> Exprs.accesses(value).findAny().isEmpty() && !Exprs.freeRanks(value).contains(rank);
      case Expr _ -> value.children().allMatch(child -> areRows(child, rank));
    };
  }

  private static Expr at(Expr value, Map<Rank, Expr> plain, Map<Rank, Expr> chosen) {
    if (!(value instanceof Expr.Access access)) {
      return value instanceof Expr.Coordinate ? Exprs.substitute(value, plain) : value.mapChildren(child -> at(child, plain, chosen));
    }
    return new Expr.Access(access.tensor(), access.indices().stream()
        .map(index -> index instanceof Expr.Coordinate(Rank rank) && chosen.containsKey(rank) ? chosen.get(rank) : Exprs.substitute(index, plain)).toList());
  }
}
