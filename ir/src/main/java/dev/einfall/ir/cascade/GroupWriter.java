package dev.einfall.ir.cascade;

import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

/// What writes one tensor in a fusion group: an Einsum, or one update.
public record GroupWriter(Definition definition, Tensor tensor, List<Rank> ranks, List<Expr> indices, List<Expr> exprs) {

  /// What writes the tensors of `definition`, in its order.
  public static Stream<GroupWriter> of(Definition definition) {
    return switch (definition) {
      case Einsum einsum -> Stream.of(new GroupWriter(einsum, einsum.tensor(), einsum.ranks(),
          einsum.ranks().stream().<Expr>map(Expr.Coordinate::new).toList(), List.of(einsum.value())));
      case Recurrence recurrence -> recurrence.updates().stream().map(update ->
          new GroupWriter(recurrence, update.tensor(), update.ranks(), update.indices(), update.exprs().toList()));
    };
  }

  /// What it reads and writes of the tensors of the group.
  List<Expr.Access> accesses(Map<Tensor, Integer> dimensions) {
    return Stream.concat(Stream.of(new Expr.Access(tensor, indices)), reads(dimensions)).toList();
  }

  /// What it reads of the tensors of the group.
  Stream<Expr.Access> reads(Map<Tensor, Integer> dimensions) {
    return exprs.stream().flatMap(Expr::nodes)
        .flatMap(node -> node instanceof Expr.Access access ? Stream.of(access) : Stream.empty())
        .filter(access -> dimensions.containsKey(access.tensor()));
  }

  boolean isEinsum() {
    return definition instanceof Einsum;
  }
}
