package dev.einfall.passes.cascade;

import dev.einfall.ir.BinaryOp;
import dev.einfall.ir.ElementType;
import dev.einfall.ir.cascade.Einsum;
import dev.einfall.ir.cascade.Expr;
import dev.einfall.ir.cascade.Rank;
import dev.einfall.ir.cascade.Reduction;
import dev.einfall.ir.loop.DotShape;
import dev.einfall.ir.loop.TileShape;
import dev.einfall.passes.Target;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.function.Predicate;
import java.util.stream.Stream;

/// The steps of a product of narrow numbers of which the machine takes several at once: for each lane it adds the products of `terms` neighbours
/// along the last rank of the reduction. One operand is copied into panels where these neighbours lie side by side for each lane: once if it is constant.
///
/// ```
/// Y[m, n] = sum[k](f32(X[m, k]) * f32(W[k, n]))     two steps k at once:     W_panels[n / 16, k / 2, n % 16 * 2 + k % 2]
/// ```
///
/// @param rank the last of the reduction
/// @param terms how many of its coordinates a step takes
/// @param row the operand that lanes differ in
record DotSteps(Rank rank, int terms, Expr.Access row) {
  /// How many instructions a step of a tile takes at most where it has a copy of the code for each field of a byte.
  private static final int MOST_OF_FIELDS = 48;

  /// Those of `einsum` in tiles of `lanes` lanes along `vector`.
  ///
  /// @param isCopied whether what is read can be copied before
  static Optional<DotSteps> of(List<DotShape> dots, Einsum einsum, Predicate<Expr.Access> isCopied, Rank vector, int lanes) {
    return of(dots, einsum, isCopied, vector, lanes, 1);
  }

  /// Those whose lanes and terms are the columns of the right one of two tiles, and the steps that lie side by side in it, where instructions multiply
  /// tiles of `shape`.
  static Optional<DotSteps> of(TileShape shape, Einsum einsum, Predicate<Expr.Access> isCopied, Rank vector) {
    boolean isWhole = Products.of(einsum).filter(products -> ofGroups(products.reduce()).isEmpty()).isPresent();
    return of(List.of(columns(shape)), einsum, isCopied, vector, shape.columns(), shape.steps() / shape.packed())
        .filter(steps -> isWhole && steps.row.tensor().type() == shape.right());
  }

  /// The dots, and what is packed alike for products of tiles.
  static List<DotShape> packed(Target target) {
    return Stream.concat(target.dots().stream(), target.tiles().stream().filter(tile -> tile.packed() > 1).map(DotSteps::columns)).toList();
  }

  private static DotShape columns(TileShape tile) {
    return new DotShape(tile.sum(), tile.left(), tile.right(), tile.columns(), tile.packed());
  }

  private static Optional<DotSteps> of(List<DotShape> dots, Einsum einsum, Predicate<Expr.Access> isCopied, Rank vector, int lanes, int together) {
    Optional<Products> products = dots.isEmpty() ? Optional.empty() : Products.of(einsum);
    if (products.isEmpty() || products.get().reduce().ranks().contains(vector) || products.get().reduce().reduction() != Reduction.SUM) {
      return Optional.empty();
    }
    Expr product = ofGroups(products.get().reduce()).orElse(products.get().reduce().body());
    Rank rank = products.get().reduce().ranks().getLast();
    Optional<Expr.Access> one = product instanceof Expr.Binary(BinaryOp op, Expr left, Expr _) && op == BinaryOp.MUL ? narrow(left, rank, vector) : Optional.empty();
    Optional<Expr.Access> other = one.isPresent() ? narrow(((Expr.Binary) product).right(), rank, vector) : Optional.empty();
    if (other.isEmpty()) {
      return Optional.empty();
    }
    Expr.Access left = one.get();
    Expr.Access right = other.get();
    boolean isLeft = Exprs.freeRanks(left).contains(vector);
    Expr.Access row = isLeft ? left : right;
    Expr.Access element = isLeft ? right : left;
    boolean fits = Exprs.freeRanks(row).containsAll(List.of(vector, rank)) && !Exprs.freeRanks(element).contains(vector)
        && CostModel.isPackable(row) && isCopied.test(row) && element.outside().isEmpty();
    return !fits ? Optional.empty() : dots.stream().filter(shape -> shape.sum() == product.type() && shape.lanes() == lanes
        && rank.size().value() % (together * shape.terms()) == 0
        && shape.multipliesWidened(row.tensor().type(), element.tensor().type()) && isAlongLast(element, rank, together * shape.terms()))
        .max(Comparator.comparingInt(DotShape::terms)).map(shape -> new DotSteps(rank, shape.terms(), row));
  }

  /// `tiling` with as many steps of the reduction at once as an instruction of the machine takes.
  static Tiling atOnce(Target target, Einsum einsum, Predicate<Expr.Access> isCopied, Tiling tiling) {
    int fields = Products.of(einsum).flatMap(products -> fields(products.reduce())).map(rank -> rank.size().value()).orElse(0);
    boolean isLong = tiling.rows() * tiling.vectors() * fields > MOST_OF_FIELDS;
    return tiling.vector().filter(_ -> !isLong).flatMap(vector -> of(target.dots(), einsum, isCopied, vector, tiling.lanes()))
        .map(steps -> tiling.withTerms(steps.rank(), steps.terms())).orElse(tiling);
  }

  /// The product of integers in `sum` whose sums are converted and scaled once for each group: the last rank is inside of one. [dev.einfall.passes.loop.DeferScales] adds
  /// these up as integers.
  static Optional<Expr> ofGroups(Expr.Reduce sum) {
    Rank last = sum.ranks().getLast();
    List<Expr> factors = Factors.of(sum.body()).toList();
    List<Expr> steps = factors.stream().filter(factor -> Exprs.freeRanks(factor).contains(last)).toList();
    return factors.size() > 1 && steps.size() == 1 && steps.getFirst() instanceof Expr.Cast(ElementType to, Expr.Binary product) && to == ElementType.F32
        && product.op() == BinaryOp.MUL && product.type() == ElementType.I32 ? Optional.of(product) : Optional.empty();
  }

  /// The narrow number that `factor` is converted from, or that it is a field of: the same field for all lanes and steps.
  private static Optional<Expr.Access> narrow(Expr factor, Rank rank, Rank vector) {
    return switch (factor) {
      case Expr.Cast(_, Expr.Access access) -> Optional.of(access);
      case Expr.Binary _ when isField(factor) && Exprs.freeRanks(distance(factor)).stream().noneMatch(free -> free == rank || free == vector) ->
          Exprs.accesses(factor).findFirst();
      default -> Optional.empty();
    };
  }

  /// Whether `expr` is a field of a byte.
  private static boolean isField(Expr expr) {
    return expr instanceof Expr.Binary(BinaryOp and, Expr.Binary(BinaryOp shr, Expr.Cast(_, Expr.Access access), Expr distance), Expr.IntLiteral mask)
        && and == BinaryOp.AND && shr == BinaryOp.SHR && access.type() == ElementType.U8 && mask.value() >= 0 && mask.value() <= 255
        && Exprs.accesses(distance).findAny().isEmpty();
  }

  private static Expr distance(Expr field) {
    return ((Expr.Binary) ((Expr.Binary) field).left()).right();
  }

  /// The ranks of `sum` along which a step takes one field of a byte after the other, if it is short.
  static Optional<Rank> fields(Expr.Reduce sum) {
    int count = sum.ranks().size();
    return sum.body().nodes().filter(DotSteps::isField).flatMap(field -> Exprs.freeRanks(distance(field)).stream())
        .filter(rank -> count > 1 && rank == sum.ranks().get(count - 2)).findFirst();
  }

  /// Whether the neighbours of a step along `rank` are neighbours in one row of the tensor: it may be cut into rows of whole steps.
  private static boolean isAlongLast(Expr.Access access, Rank rank, int terms) {
    int last = access.indices().size() - 1;
    Expr row = access.indices().get(last);
    boolean isRow = Affine.of(row).filter(index -> index.coefficient(rank) == 1).isPresent() || isPart(row, BinaryOp.MOD, rank, terms);
    return isRow && access.indices().subList(0, last).stream()
        .allMatch(index -> !Exprs.freeRanks(index).contains(rank) || isPart(index, BinaryOp.DIV, rank, terms));
  }

  private static boolean isPart(Expr index, BinaryOp part, Rank rank, int terms) {
    return index instanceof Expr.Binary(BinaryOp op, Expr.Coordinate(Rank whole), Expr.IntLiteral(_, long length))
        && op == part && whole == rank && length % terms == 0;
  }
}
