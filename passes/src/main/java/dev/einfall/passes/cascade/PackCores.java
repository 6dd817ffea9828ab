package dev.einfall.passes.cascade;

import dev.einfall.ir.BinaryOp;
import dev.einfall.ir.Diagnostic;
import dev.einfall.ir.Size;
import dev.einfall.ir.cascade.Cascade;
import dev.einfall.ir.cascade.Definition;
import dev.einfall.ir.cascade.Einsum;
import dev.einfall.ir.cascade.Expr;
import dev.einfall.ir.cascade.Rank;
import dev.einfall.ir.cascade.Reduction;
import dev.einfall.ir.cascade.Tensor;
import dev.einfall.ir.loop.WarpgroupTile;
import dev.einfall.passes.Numerics;
import dev.einfall.passes.Pass;
import dev.einfall.passes.loop.TileProducts;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import java.util.function.Consumer;

/// Lays constant factors out as groups of warps of a GPU multiply them ([WarpgroupTile]): what they take at a time of a block's columns is one piece of memory
/// then, which the hardware copies by itself.
///
/// ```
/// Y[m, n] = sum[k](f32(X[m, k]) * f32(W[k, n]))   =>
///     W_cores[k2 in 0..2, n1 in 0..32, k1 in 0..8, n0 in 0..8, k0 in 0..8] = W[64 * k2 + 8 * k1 + k0, 8 * n1 + n0] or 0.0
///     Y[m, n] = sum[k](f32(X[m, k]) * f32(W_cores[k / 64, n / 8, k % 64 / 8, n % 8, k % 8]))
/// ```
///
/// The `or` is for steps beyond the last 128 bytes of a column, and for columns beyond the last tile. It is done for what [TileProducts] computes by groups of
/// warps: a product alone in its kernel, where most of a tile is used.
///
/// @param tiles what groups of warps multiply
public record PackCores(List<WarpgroupTile> tiles) implements Pass.OnCascade {

  public PackCores {
    tiles = List.copyOf(tiles);
  }

  @Override
  public String name() {
    return "pack-cores";
  }

  /// Groups of warps add products in any order.
  @Override
  public Numerics needs() {
    return Numerics.REASSOCIATE;
  }

  @Override
  public Machines machines() {
    return Machines.GPUS;
  }

  @Override
  public Cascade apply(Cascade cascade, Consumer<Diagnostic> remarks) {
    Set<Tensor> constant = Constants.of(cascade);
    List<Definition> result = new ArrayList<>();
    Set<Tensor> packed = Exprs.identitySet();
    for (Definition definition : cascade.definitions()) {
      boolean mayPack = definition instanceof Einsum einsum && !constant.contains(einsum.tensor()) && cascade.mapping().group(einsum.tensor()).isEmpty();
      result.add(mayPack ? packed((Einsum) definition, constant, result, packed) : definition);
    }
    return packed.isEmpty() ? cascade : RoundedPanels.of(cascade.withDefinitions(result), packed);
  }

  /// `einsum`, reading its constant factor as it is packed.
  ///
  /// @param before the definitions so far, to which what is packed is added
  private Einsum packed(Einsum einsum, Set<Tensor> constant, List<Definition> before, Set<Tensor> packed) {
    List<Expr.Reduce> reductions = Exprs.reductions(einsum.value()).distinct().toList();
    if (reductions.size() != 1 || einsum.ranks().isEmpty() || reductions.getFirst().ranks().size() != 1
        || !(reductions.getFirst().body() instanceof Expr.Binary(BinaryOp op, Expr left, Expr right)) || op != BinaryOp.MUL
        || reductions.getFirst().reduction() != Reduction.SUM || !(narrow(left) instanceof Expr.Access one) || !(narrow(right) instanceof Expr.Access other)) {
      return einsum;
    }
    boolean isRight = constant.contains(other.tensor());
    Factor factor = new Factor(isRight ? other : one, isRight ? one : other, einsum, reductions.getFirst());
    OptionalInt width = constant.contains(factor.access.tensor()) && factor.isMatrix() ? width(factor) : OptionalInt.empty();
    if (width.isEmpty()) {
      return einsum;
    }
    Expr cores = factor.define(width.getAsInt(), before);
    packed.add(((Expr.Access) cores).tensor());
    return einsum.withValue(Exprs.rewrite(einsum.value(), node -> node.equals(factor.access) ? cores : node));
  }

  private static Expr narrow(Expr factor) {
    return factor instanceof Expr.Cast(_, Expr operand) ? operand : factor;
  }

  /// The columns of the widest tile that may be taken.
  private OptionalInt width(Factor factor) {
    return tiles.stream().map(WarpgroupTile::shape).filter(shape -> shape.sum() == factor.reduce.body().type() && shape.packed() == 1
            && shape.left() == factor.other.tensor().type() && shape.right() == factor.access.tensor().type()
            && factor.step().size().value() >= TileProducts.FEWEST && shape.rows() < 2 * factor.rows() && shape.columns() < 2 * factor.column().size().value())
        .mapToInt(shape -> shape.columns()).max();
  }

  /// A constant factor of a product.
  ///
  /// @param access in its own type
  /// @param other the other factor
  private record Factor(Expr.Access access, Expr.Access other, Einsum einsum, Expr.Reduce reduce) {

    Rank column() {
      return einsum.ranks().getLast();
    }

    Rank step() {
      return reduce.ranks().getFirst();
    }

    /// How many rows of results there are.
    long rows() {
      return einsum.ranks().stream().mapToLong(rank -> rank.size().value()).reduce(1, Math::multiplyExact) / Math.max(1, column().size().value());
    }

    /// Whether it has the steps and the columns, and the other one does not have the columns.
    boolean isMatrix() {
      Expr column = new Expr.Coordinate(column());
      Expr step = new Expr.Coordinate(step());
      return (access.indices().equals(List.of(step, column)) || access.indices().equals(List.of(column, step))) && access.outside().isEmpty()
          && !Exprs.freeRanks(other).contains(column()) && isWhole();
    }

    private boolean isWhole() {
      return access.tensor().shape().stream().mapToLong(Size::value).reduce(1, Math::multiplyExact)
          == (long) column().size().value() * step().size().value();
    }

    /// Adds the Einsum that packs it and gives the access to that.
    ///
    /// @param width of a multiple of how many columns there must be
    Expr define(int width, List<Definition> before) {
      int piece = WarpgroupTile.CORE_BYTES / access.tensor().type().bytes();
      int depth = TileProducts.WARPGROUP_DEPTH_BYTES / access.tensor().type().bytes();
      int rows = WarpgroupTile.CORE_ROWS;
      Rank steps = new Rank(step().name() + "2", Size.of(Math.ceilDiv(step().size().value(), depth)));
      Rank columns = new Rank(column().name() + "1", Size.of(Math.ceilDiv(column().size().value(), width) * (width / rows)));
      Rank pieces = new Rank(step().name() + "1", Size.of(depth / piece));
      Rank row = new Rank(column().name() + "0", Size.of(rows));
      Rank element = new Rank(step().name() + "0", Size.of(piece));
      Expr step = sum(sum(times(steps, depth), times(pieces, piece)), new Expr.Coordinate(element));
      Expr column = sum(times(columns, rows), new Expr.Coordinate(row));
      boolean isWhole = step().size().value() % depth == 0 && column().size().value() % width == 0;
      Expr value = new Expr.Access(access.tensor(), access.indices().stream().map(index -> index.equals(new Expr.Coordinate(step())) ? step : column).toList(),
          isWhole ? Optional.empty() : Optional.of(Expr.literal(access.tensor().type(), 0)));
      List<Rank> ranks = List.of(steps, columns, pieces, row, element);
      Tensor tensor = new Tensor(access.tensor().name() + "_cores", access.tensor().type(), ranks.stream().map(Rank::size).toList(), einsum.span());
      before.add(new Einsum(tensor, ranks, value, einsum.span()));
      Expr k = new Expr.Coordinate(step());
      Expr n = new Expr.Coordinate(column());
      return new Expr.Access(tensor, List.of(over(k, depth), over(n, rows), over(rest(k, depth), piece), rest(n, rows), rest(k, piece)));
    }

    private static Expr sum(Expr left, Expr right) {
      return new Expr.Binary(BinaryOp.ADD, left, right);
    }

    private static Expr times(Rank rank, int factor) {
      return new Expr.Binary(BinaryOp.MUL, Expr.index(factor), new Expr.Coordinate(rank));
    }

    private static Expr over(Expr expr, int divisor) {
      return new Expr.Binary(BinaryOp.DIV, expr, Expr.index(divisor));
    }

    private static Expr rest(Expr expr, int divisor) {
      return new Expr.Binary(BinaryOp.MOD, expr, Expr.index(divisor));
    }
  }
}
