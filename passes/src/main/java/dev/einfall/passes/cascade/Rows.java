package dev.einfall.passes.cascade;

import dev.einfall.ir.cascade.Definition;
import dev.einfall.ir.cascade.Expr;
import dev.einfall.ir.cascade.GroupWriter;
import dev.einfall.ir.cascade.Rank;
import dev.einfall.ir.cascade.SharedRanks;
import dev.einfall.ir.cascade.Tensor;
import java.util.List;
import java.util.Optional;
import java.util.function.Predicate;
import java.util.stream.Stream;

/// Tells which tensors of a kernel that goes in tiles of the last shared rank are better kept in rows than with that rank
/// innermost: sums over rows that are stored outside, from which rows outside are made. Vectors go along the rows then, and no
/// lanes change places.
///
/// ```
/// N[p, f] = N[p, f] * C[p] + sum[m](S[p, m] * V[t * 64 + m, f])
/// Z[p, f] = N[p, f] / D[p]
/// ```
///
/// @param isLocal whether a tensor that a member makes lives in the kernel
/// @param lanes of a vector
record Rows(List<Definition> members, SharedRanks sharedRanks, Predicate<Tensor> isLocal, int lanes) {

  /// Whether `tensor`, which lives in the kernel, is kept in rows.
  boolean keep(Tensor tensor) {
    List<GroupWriter> touching = members.stream().flatMap(GroupWriter::of).filter(writer -> touches(writer, tensor)).toList();
    return !tensor.shape().isEmpty() && tensor.shape().getLast().value() % lanes == 0
        && touching.stream().allMatch(writer -> row(writer, tensor).filter(row -> goesAlong(row, writer, tensor)).isPresent())
        && touching.stream().anyMatch(writer -> writer.tensor() == tensor && sumsRows(row(writer, tensor).orElseThrow(), writer));
  }

  private static boolean touches(GroupWriter writer, Tensor tensor) {
    return writer.tensor() == tensor || writer.exprs().stream().anyMatch(expr -> Exprs.reads(expr, tensor));
  }

  private static Stream<Expr.Access> accesses(GroupWriter writer) {
    return writer.exprs().stream().flatMap(Exprs::accesses);
  }

  /// The rank of `writer` along the rows of `tensor`, if that is the same everywhere.
  private Optional<Rank> row(GroupWriter writer, Tensor tensor) {
    List<Expr> last = Stream.concat(
        writer.tensor() == tensor ? Stream.of(writer.indices().getLast()) : Stream.empty(),
        accesses(writer).filter(access -> access.tensor() == tensor).map(access -> access.indices().getLast())).distinct().toList();
    return last.size() == 1 && last.getFirst() instanceof Expr.Coordinate(Rank rank) && writer.ranks().contains(rank) && !sharedRanks.of(writer).contains(rank)
        ? Optional.of(rank) : Optional.empty();
  }

  /// Whether all that `writer` reads and writes lies along `row` or is the same there. Of what else lives in the kernel nothing may
  /// lie along it, since it has its lanes elsewhere.
  private boolean goesAlong(Rank row, GroupWriter writer, Tensor tensor) {
    boolean writes = writer.tensor() == tensor
        || !isInside(writer.tensor()) && writer.indices().getLast().equals(new Expr.Coordinate(row));
    return writes && accesses(writer).allMatch(access -> CostModel.isContiguous(access, row)
        && (access.tensor() == tensor || !isInside(access.tensor()) || !Exprs.freeRanks(access).contains(row)));
  }

  private boolean isInside(Tensor tensor) {
    return isLocal.test(tensor) && members.stream().anyMatch(member -> member.tensors().contains(tensor));
  }

  private boolean sumsRows(Rank row, GroupWriter writer) {
    return writer.exprs().stream().flatMap(Exprs::reductions).flatMap(reduce -> Exprs.accesses(reduce.body()))
        .anyMatch(access -> !isInside(access.tensor()) && Exprs.freeRanks(access).contains(row));
  }
}
