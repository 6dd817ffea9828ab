package dev.einfall.passes.codes;

import dev.einfall.ir.BinaryOp;
import dev.einfall.ir.ElementType;
import dev.einfall.ir.UnaryOp;
import dev.einfall.ir.cascade.Einsum;
import dev.einfall.ir.cascade.Expr;
import dev.einfall.ir.cascade.Rank;
import dev.einfall.ir.cascade.Reduction;
import dev.einfall.ir.cascade.Tensor;
import dev.einfall.passes.cascade.Exprs;
import dev.einfall.passes.cascade.Factors;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.IntStream;

/// A product by weights whose other factor is rounded to bytes first, each row by its largest number.
///
/// ```
/// Y[m, n] = sum[k](X[m, k] * (f32(C[k, n]) * T[n]))
///     =>  Y_largest[m] = max[k](abs(X[m, k]))
///         Y_rows[m, k] = f32(i8(round(X[m, k] * (127 / Y_largest[m])))) * (Y_largest[m] / 127)
///         Y[m, n] = sum[k](Y_rows[m, k] * (f32(C[k, n]) * T[n]))
/// ```
///
/// Of a row with what is no finite number, no number is left.
///
/// @param largest the largest magnitude of each row
/// @param rounded the rows
/// @param product what reads them
record RoundedRows(Einsum largest, Einsum rounded, Einsum product) {
  /// How many columns the rounding of a row has to serve.
  private static final int LEAST_COLUMNS = 64;

  /// @param constant the tensors that weights alone determine
  static Optional<RoundedRows> of(Einsum einsum, Set<Tensor> constant) {
    Optional<Expr.Reduce> sum = Factors.onlySum(einsum.value()).filter(only -> only.type() == ElementType.F32 && !constant.contains(einsum.tensor()));
    List<Expr> rows = sum.stream().flatMap(only -> Factors.of(only.body())).filter(factor -> !Factors.isConstant(factor, constant)).toList();
    return rows.size() == 1 && rows.getFirst() instanceof Expr.Access access && isRow(access, sum.orElseThrow()) && serves(einsum, access)
        ? Optional.of(of(einsum, sum.orElseThrow(), access)) : Optional.empty();
  }

  /// Whether the sum goes along the last index of `access`, and along no other.
  private static boolean isRow(Expr.Access access, Expr.Reduce sum) {
    List<Expr> leading = access.indices().subList(0, Math.max(0, access.indices().size() - 1));
    return access.type() == ElementType.F32 && access.outside().isEmpty() && !access.indices().isEmpty() && Exprs.freeRanks(access.indices().getLast()).containsAll(sum.ranks())
        && leading.stream().noneMatch(index -> sum.ranks().stream().anyMatch(Exprs.freeRanks(index)::contains));
  }

  private static boolean serves(Einsum einsum, Expr.Access access) {
    Set<Rank> own = Exprs.freeRanks(access);
    return Exprs.volume(einsum.ranks().stream().filter(rank -> !own.contains(rank)).toList()) >= LEAST_COLUMNS;
  }

  private static RoundedRows of(Einsum einsum, Expr.Reduce sum, Expr.Access access) {
    Einsum largest = largest(einsum, access.tensor());
    Einsum rounded = rounded(einsum, access.tensor(), largest.tensor());
    Expr.Access row = new Expr.Access(rounded.tensor(), access.indices());
    Expr body = Exprs.rewrite(sum.body(), node -> node.equals(access) ? row : node);
    return new RoundedRows(largest, rounded, einsum.withValue(Exprs.rewrite(einsum.value(), node -> node.equals(sum) ? new Expr.Reduce(Reduction.SUM, sum.ranks(), body) : node)));
  }

  private static Einsum largest(Einsum einsum, Tensor rows) {
    List<Rank> ranks = ranks(rows);
    Expr magnitude = new Expr.Unary(UnaryOp.ABS, new Expr.Access(rows, Exprs.coordinates(ranks)));
    List<Rank> outer = ranks.subList(0, ranks.size() - 1);
    return defined(einsum, "largest", outer, new Expr.Reduce(Reduction.MAX, List.of(ranks.getLast()), magnitude));
  }

  private static Einsum rounded(Einsum einsum, Tensor rows, Tensor largest) {
    List<Rank> ranks = ranks(rows);
    Expr most = new Expr.Access(largest, Exprs.coordinates(ranks.subList(0, ranks.size() - 1)));
    Expr code = new Expr.Cast(ElementType.F32, new Expr.Cast(ElementType.I8, ByteRounding.whole(new Expr.Access(rows, Exprs.coordinates(ranks)), most)));
    return defined(einsum, "rows", ranks, new Expr.Binary(BinaryOp.MUL, code, ByteRounding.step(most)));
  }

  private static List<Rank> ranks(Tensor tensor) {
    return new ArrayList<>(IntStream.range(0, tensor.shape().size()).mapToObj(i -> new Rank("r" + i, tensor.shape().get(i))).toList());
  }

  private static Einsum defined(Einsum einsum, String what, List<Rank> ranks, Expr value) {
    Tensor tensor = new Tensor(einsum.tensor().name() + "_" + what, ElementType.F32, ranks.stream().map(Rank::size).toList(), einsum.span());
    return new Einsum(tensor, ranks, value, einsum.span());
  }
}
